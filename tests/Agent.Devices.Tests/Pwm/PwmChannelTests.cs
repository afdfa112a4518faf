using Agent.Devices.Pwm;
using Agent.Interop.Libc;

namespace Agent.Devices.Tests.Pwm;

public sealed class PwmChannelTests : IDisposable
{
    private const long Period = 1_000_000;

    private readonly FakePwmKernel _kernel = new FakePwmKernel().Plug("pwmchip0", "fe20c000.pwm").Plug("pwmchip2", "1-0040", 16);

    public void Dispose() => _kernel.Dispose();

    private PwmChannel Channel(string chip = "0", int channel = 1, bool isInverted = false) => new(_kernel, new PwmAddress(chip, channel), Period, isInverted);

    [Theory]
    [InlineData("2")]
    [InlineData("1-0040")]
    public void A_chip_is_found_by_its_number_and_by_its_devices_name(string chip)
    {
        var channel = Channel(chip, 15);
        channel.Open();
        channel.Set(250_000);
        Assert.Equal("250000/1000000 normal enabled", _kernel.State(15, "pwmchip2"));
    }

    [Fact]
    public void A_channel_is_set_in_the_order_that_the_kernel_demands_and_given_back_when_off()
    {
        var channel = Channel();
        channel.Open();
        Assert.Equal("0/1000000 normal disabled", _kernel.State(1));
        channel.Set(400_000);
        channel.Set(400_000);
        channel.Set(Period);
        channel.TurnOff();
        channel.TurnOff();
        Assert.Equal(["period=1000000", "duty_cycle=400000", "enable=1", "duty_cycle=1000000", "duty_cycle=0", "enable=0"], _kernel.Writes);
        channel.Close();
        Assert.False(_kernel.IsExported("pwmchip0", 1));
    }

    [Fact]
    public void An_inverted_output_is_off_by_pulses_of_no_length_and_stays_driven_at_the_stop()
    {
        var channel = Channel(isInverted: true);
        channel.Open();
        channel.TurnOff();
        Assert.Equal("0/1000000 inversed enabled", _kernel.State(1));
        channel.Set(10);
        channel.TurnOff();
        channel.Close();
        Assert.Equal("0/1000000 inversed enabled", _kernel.State(1));
    }

    [Fact]
    public void A_channel_that_is_lit_already_is_taken_over_without_a_write_and_not_given_back()
    {
        _kernel.Export("pwmchip0", 1, Period, 300_000, "normal", isEnabled: true);
        var channel = Channel();
        channel.Open();
        channel.Set(300_000);
        Assert.Empty(_kernel.Writes);
        channel.TurnOff();
        channel.Close();
        Assert.Equal("0/1000000 normal disabled", _kernel.State(1));
    }

    [Fact]
    public void A_channel_that_another_program_left_with_a_longer_period_and_the_other_polarity_is_turned_round()
    {
        _kernel.Export("pwmchip0", 1, 20 * Period, 2 * Period, "inversed", isEnabled: true);
        var channel = Channel();
        channel.Open();
        Assert.Equal("0/1000000 normal disabled", _kernel.State(1));
        Assert.Equal(["enable=0", "duty_cycle=0", "period=1000000", "polarity=normal"], _kernel.Writes);
    }

    public static TheoryData<string, int, string, int, string> Refusals { get; } = new()
    {
        { "9", 0, "", 0, "PWM channel 0 of chip \"9\" is not there; there are pwmchip0 (fe20c000.pwm), pwmchip2 (1-0040): correct \"chip\", or enable the chip in the device tree" },
        { "fe20c000.pwm", 2, "", 0, "PWM channel 2 of pwmchip0 (fe20c000.pwm) is not there: the chip has 2, from 0 on; correct \"channel\"" },
        { "0", 0, "export", Errno.EBUSY, "a driver of the kernel has it, /sys/kernel/debug/pwm says which: take that one out of the device tree" },
        { "0", 0, "export", Errno.EACCES, "(errno 13); give the agent's user the right to write there, with the udev rule in docs/pwm.md" },
        { "0", 0, "export", Errno.EROFS, "(errno 30); the service's unit must not set ProtectKernelTunables" },
        { "0", 0, "period", Errno.EINVAL, "(errno 22); the chip does not do 1000 Hz: set another frequency" },
        { "0", 0, "period", Errno.EBUSY, "(errno 16); channels of one chip may have to share a frequency: set the same for all of them" },
        { "0", 0, "polarity", Errno.EINVAL, "(errno 22); the chip cannot invert: remove \"inverted\"" },
        { "0", 0, "polarity", Errno.EIO, "PWM channel 0 of pwmchip0 (fe20c000.pwm): write " },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void What_the_kernel_refuses_is_said_with_the_channel_and_the_mend(string chip, int channel, string attribute, int errno, string expected)
    {
        if (attribute.Length > 0) _kernel.Refusals[attribute] = errno;
        var problem = Assert.Throws<PwmException>(Channel(chip, channel, isInverted: true).Open);
        Assert.Contains(expected, problem.Message, StringComparison.Ordinal);
        Assert.StartsWith($"PWM channel {channel} of ", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_any_chip_the_message_says_so()
    {
        using var empty = new FakePwmKernel();
        var problem = Assert.Throws<PwmException>(new PwmChannel(empty, new PwmAddress("0", 0), Period, false).Open);
        Assert.Equal("PWM channel 0 of chip \"0\" is not there, nor any other PWM chip: enable one in the device tree, as docs/pwm.md says", problem.Message);
    }

    [Fact]
    public void Files_that_udev_has_not_come_to_yet_are_told_from_forbidden_ones()
    {
        _kernel.Refusals["period"] = Errno.EACCES;
        var channel = Channel();
        Assert.True(Assert.Throws<PwmException>(channel.Open).IsPending);
        _kernel.Refusals.Clear();
        channel.Open();
        channel.Close();
        Assert.False(_kernel.IsExported("pwmchip0", 1));
        _kernel.Export("pwmchip0", 1);
        _kernel.Refusals["period"] = Errno.EACCES;
        Assert.False(Assert.Throws<PwmException>(Channel().Open).IsPending);
    }

    [Fact]
    public void A_chip_that_goes_away_and_a_channel_that_is_unexported_are_named_so()
    {
        var channel = Channel();
        channel.Open();
        _kernel.Write(Path.Combine(_kernel.FindChip("0")!, "unexport"), "1");
        Assert.EndsWith(": another program has unexported it", Assert.Throws<PwmException>(() => channel.Set(5)).Message, StringComparison.Ordinal);
        _kernel.Unplug("pwmchip0");
        Assert.EndsWith(": the chip is gone", Assert.Throws<PwmException>(() => channel.Set(7)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Real_files_are_read_and_written_and_failures_carry_errno()
    {
        var folder = Directory.CreateTempSubdirectory("pwm-files-").FullName;
        try
        {
            var sysfs = new PwmSysfs(folder);
            var file = Path.Combine(folder, "period");
            Assert.Equal(Errno.ENOENT, Assert.Throws<SysfsException>(() => sysfs.Write(file, 5)).ErrorNumber);
            Assert.Equal(Errno.ENOENT, Assert.Throws<SysfsException>(() => sysfs.Read(file)).ErrorNumber);
            File.WriteAllText(file, "");
            sysfs.Write(file, 1234);
            Assert.Equal("1234", sysfs.Read(file));
            // A file of the kernel's that refuses every value with EINVAL.
            Assert.Equal(Errno.EINVAL, Assert.Throws<SysfsException>(() => sysfs.Write("/proc/self/clear_refs", "9")).ErrorNumber);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
