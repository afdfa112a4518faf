using Agent.Devices.Peripherals;
using Agent.Devices.Pwm;
using Agent.Interop.Libc;

namespace Agent.Devices.Tests.Pwm;

public sealed class PwmLightTests : IDisposable
{
    private static readonly PwmLightOptions Options = new() { Name = "lamp", Chip = "fe20c000.pwm", Gamma = 1, Fade = 1000 };

    private readonly FakePwmKernel _kernel = new FakePwmKernel().Plug("pwmchip0", "fe20c000.pwm");
    private readonly CollectingLoggers _log = new();
    private TimeSpan _now = TimeSpan.FromHours(1);

    public void Dispose() => _kernel.Dispose();

    private PwmLight Light(PwmLightOptions? options = null, LightState? start = null)
    {
        options ??= Options;
        var channel = new PwmChannel(_kernel, options.Address, PwmChannel.NanosecondsPerSecond / options.Frequency, options.IsInverted);
        return new PwmLight(options, new PwmOutput(channel, _log), start ?? new LightState(false, 100));
    }

    /// <summary>Lets the light do what is due until this much time has gone by.</summary>
    private void Pass(PwmLight light, double seconds)
    {
        for (var end = _now + TimeSpan.FromSeconds(seconds); ;)
        {
            var wait = light.Advance(_now);
            if (_now == end) return;
            _now = _now + wait < end ? _now + wait : end;
        }
    }

    [Fact]
    public void A_fade_is_even_and_ends_exactly_and_then_nothing_is_done()
    {
        var light = Light();
        Pass(light, 0);
        Assert.Null(light.Set(80, _now));
        Pass(light, 0.5);
        Assert.Equal("400000/1000000 normal enabled", _kernel.State(0));
        Pass(light, 0.5);
        Assert.Equal("800000/1000000 normal enabled", _kernel.State(0));
        var duties = _kernel.Writes.Where(write => write.StartsWith("duty_cycle=", StringComparison.Ordinal)).Select(write => int.Parse(write[11..], null)).ToList();
        Assert.Equal(duties.Order(), duties);
        Assert.Equal(50, duties.Count);
        _kernel.Writes.Clear();
        Assert.Equal(PwmOutput.CheckInterval, light.Advance(_now));
        Pass(light, 60);
        Assert.Null(light.Set(80, _now));
        Pass(light, 60);
        Assert.Empty(_kernel.Writes);
    }

    [Fact]
    public void Another_command_in_mid_fade_goes_on_from_there()
    {
        var light = Light();
        Pass(light, 0);
        light.Set(80, _now);
        Pass(light, 0.5);
        light.Set(0, _now);
        Assert.Equal("400000/1000000 normal enabled", _kernel.State(0));
        Pass(light, 0.5);
        Assert.Equal("200000/1000000 normal enabled", _kernel.State(0));
        Pass(light, 0.5);
        Assert.Equal("0/1000000 normal disabled", _kernel.State(0));
    }

    [Fact]
    public void On_without_a_brightness_is_as_bright_as_last()
    {
        var light = Light(Options with { Fade = 0 }, new LightState(false, 70));
        var states = new List<LightState>();
        light.StateChanged += states.Add;
        Pass(light, 0);
        light.Set(null, _now);
        Assert.Equal("700000/1000000 normal enabled", _kernel.State(0));
        light.Set(null, _now);
        light.Set(30, _now);
        light.Set(0, _now);
        light.Set(0, _now);
        light.Set(null, _now);
        Assert.Equal("300000/1000000 normal enabled", _kernel.State(0));
        Assert.Equal([new(true, 70), new(true, 30), new(false, 30), new(true, 30)], states);
    }

    [Theory]
    [InlineData(100, 2.2, 0, 1_000_000)]
    [InlineData(50, 2.2, 0, 217_638)]
    [InlineData(1, 2.2, 0, 40)]
    [InlineData(50, 1, 0, 500_000)]
    [InlineData(50, 1, 20, 600_000)]
    [InlineData(1, 1, 20, 208_000)]
    [InlineData(100, 1, 20, 1_000_000)]
    public void Brightness_becomes_light_by_the_curve(double percent, double gamma, int minimumDuty, long duty) =>
        Assert.Equal(duty, BrightnessCurve.ToDuty(percent, 1_000_000, gamma, minimumDuty));

    [Theory]
    [InlineData(LightAtStop.Off, false, null)]
    [InlineData(LightAtStop.Keep, false, "400000/1000000 normal enabled")]
    [InlineData(LightAtStop.On, false, "400000/1000000 normal enabled")]
    [InlineData(LightAtStop.On, true, "400000/1000000 normal enabled")]
    [InlineData(LightAtStop.Keep, true, null)]
    public void The_stop_leaves_the_light_as_configured_and_gives_back_a_channel_that_is_off(LightAtStop atStop, bool isOffBefore, string? expected)
    {
        var light = Light(Options with { Fade = 0, AtStop = atStop }, new LightState(true, 40));
        Pass(light, 0);
        if (isOffBefore) light.Set(0, _now);
        light.Stop(_now);
        Assert.Equal(expected, _kernel.IsExported("pwmchip0", 0) ? _kernel.State(0) : null);
    }

    [Fact]
    public void A_chip_that_goes_away_is_said_once_and_the_light_comes_back_as_it_is_to_be_under_another_number()
    {
        var light = Light();
        var availability = new List<bool>();
        light.AvailabilityChanged += availability.Add;
        Pass(light, 0);
        light.Set(80, _now);
        Pass(light, 0.2);
        _kernel.Unplug("pwmchip0");
        Pass(light, 60);
        Assert.Equal([true, false], availability);
        Assert.StartsWith("PWM channel 0 of chip \"fe20c000.pwm\" is not there", Assert.Single(_log.Lines), StringComparison.Ordinal);
        Assert.Contains("is not there", light.Set(50, _now), StringComparison.Ordinal);
        _kernel.Plug("pwmchip3", "fe20c000.pwm");
        Pass(light, 10);
        Assert.Equal([true, false, true], availability);
        Assert.Equal("800000/1000000 normal enabled", _kernel.State(0, "pwmchip3"));
        Assert.Equal("PWM channel 0 of chip \"fe20c000.pwm\" can be used again", _log.Lines.Skip(1).Single());
    }

    [Fact]
    public void A_channel_that_is_unexported_at_rest_is_taken_again()
    {
        var light = Light(start: new LightState(true, 40));
        Pass(light, 0);
        _kernel.Write(Path.Combine(_kernel.FindChip("0")!, "unexport"), "0");
        Pass(light, 6);
        Assert.Equal("400000/1000000 normal enabled", _kernel.State(0));
    }

    [Fact]
    public void Files_that_are_allowed_soon_after_the_export_are_not_worth_a_line()
    {
        var light = Light(start: new LightState(true, 40));
        _kernel.Refusals["period"] = Errno.EACCES;
        Pass(light, 1);
        _kernel.Refusals.Clear();
        Pass(light, 0.2);
        Assert.True(light.IsAvailable);
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void A_refused_duty_cycle_is_answered_to_whoever_asked()
    {
        var light = Light(Options with { Fade = 0 });
        Pass(light, 0);
        _kernel.Refusals["duty_cycle"] = Errno.EIO;
        Assert.Contains("(errno 5)", light.Set(50, _now), StringComparison.Ordinal);
        Assert.False(light.IsAvailable);
        _kernel.Refusals.Clear();
        Pass(light, 10);
        Assert.True(light.IsAvailable);
        Assert.Equal(new LightState(false, 100), light.State);
        Assert.Equal("0/1000000 normal disabled", _kernel.State(0));
        light.Stop(_now);
        Assert.False(_kernel.IsExported("pwmchip0", 0), "the channel is still ours, and given back");
    }

    [Fact]
    public async Task The_thread_carries_out_commands_and_stops_what_it_owns()
    {
        var light = Light(Options with { Fade = 0, AtStop = LightAtStop.Keep });
        var thread = new PeripheralThread([light], "pwm", TimeProvider.System, _log);
        using (thread)
        {
            thread.Start();
            var opened = thread.DoAsync(light, _ => light.IsAvailable ? null : "not open");
            Assert.Null(await opened);
            Assert.Null(await thread.DoAsync(light, now => light.Set(25, now)));
        }
        Assert.Equal("250000/1000000 normal enabled", _kernel.State(0));
        Assert.Equal("the agent is stopping", await thread.DoAsync(light, now => light.Set(30, now)));
    }

    [Fact]
    public async Task Too_many_waiting_commands_are_refused_and_counted()
    {
        var light = Light();
        using var thread = new PeripheralThread([light], "pwm", TimeProvider.System, _log);
        var waiting = Enumerable.Range(0, PeripheralThread.QueueCapacity).Select(_ => thread.DoAsync(light, _ => null)).ToList();
        Assert.Equal("64 commands are waiting already; try again later", await thread.DoAsync(light, _ => null));
        Assert.Equal(1, thread.Refused);
        thread.Start();
        Assert.All(await Task.WhenAll(waiting), Assert.Null);
    }
}
