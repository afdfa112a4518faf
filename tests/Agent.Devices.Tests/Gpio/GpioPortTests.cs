using Agent.Devices.Gpio;
using Agent.Interop.Gpio;
using Agent.Interop.Libc;

namespace Agent.Devices.Tests.Gpio;

public sealed class GpioPortTests : IDisposable
{
    private readonly FakeGpioKernel _kernel = new FakeGpioKernel()
        .Plug("/dev/gpiochip0", "pinctrl-bcm2711", "ID_SDA", "GPIO17", "LED", "SHARED").Plug("/dev/gpiochip1", "mcp23017", "A0", "SHARED", "TWICE", "TWICE");

    private readonly CollectingLoggers _log = new();

    public void Dispose() => _log.Dispose();

    private GpioPort Port(GpioAddress address) => new(_kernel, address, new GpioLineSettings(GpioDirection.Input), _log);

    [Theory]
    [InlineData("GPIO17", null, null, "GPIO17")]
    [InlineData("SHARED", "mcp23017", null, "SHARED")]
    [InlineData(null, "/dev/gpiochip0", 1, "GPIO17")]
    [InlineData(null, "gpiochip0", 1, "GPIO17")]
    [InlineData(null, "pinctrl-bcm2711", 1, "GPIO17")]
    public void A_line_is_found_by_its_name_or_by_its_chip_and_offset(string? line, string? chip, int? offset, string expected)
    {
        Assert.Equal(expected, GpioLookup.Find(_kernel, new GpioAddress(line, chip, offset)).Line.Name);
        Assert.True(Port(new GpioAddress(line, chip, offset)).Check(TimeSpan.Zero));
    }

    [Theory]
    [InlineData("SHARED", null, null, "GPIO line \"SHARED\" can be GPIO line 3 \"SHARED\" of /dev/gpiochip0 (pinctrl-bcm2711) or GPIO line 1 \"SHARED\" of /dev/gpiochip1 (mcp23017): say which by \"chip\" with its node's path")]
    [InlineData("TWICE", null, null, "GPIO line \"TWICE\" can be GPIO line 2 \"TWICE\" of /dev/gpiochip1 (mcp23017) or GPIO line 3 \"TWICE\" of /dev/gpiochip1 (mcp23017): say which by \"chip\" with \"offset\" in place of \"line\"")]
    [InlineData("GPIO99", null, null, "GPIO line \"GPIO99\" is not there; there are /dev/gpiochip0 (pinctrl-bcm2711, 4 lines), /dev/gpiochip1 (mcp23017, 4 lines): 'camera-agent probe' lists their lines")]
    [InlineData(null, "gpiochip0", 4, "GPIO line 4 of chip \"gpiochip0\" is not there; there are /dev/gpiochip0 (pinctrl-bcm2711, 4 lines), /dev/gpiochip1 (mcp23017, 4 lines): 'camera-agent probe' lists their lines")]
    [InlineData(null, "expander", 4, "GPIO line 4 of chip \"expander\" is not there, nor is the chip; there are /dev/gpiochip0 (pinctrl-bcm2711, 4 lines), /dev/gpiochip1 (mcp23017, 4 lines): 'camera-agent probe' lists their lines")]
    public void What_is_not_one_line_is_refused_with_the_mend(string? line, string? chip, int? offset, string expected)
    {
        var port = Port(new GpioAddress(line, chip, offset));
        Assert.False(port.Check(TimeSpan.Zero));
        Assert.Equal(expected, port.Problem);
    }

    [Fact]
    public void Another_node_of_the_same_chip_makes_nothing_ambiguous()
    {
        _kernel.Links["/dev/gpiochip4"] = "/dev/gpiochip0";
        _kernel.Plug("/dev/gpiochip4", "pinctrl-bcm2711", "ID_SDA", "GPIO17");
        Assert.Equal("/dev/gpiochip0", GpioLookup.Find(_kernel, new GpioAddress("GPIO17", null, null)).Path);
    }

    [Fact]
    public void Without_chips_and_without_permission_the_message_says_so()
    {
        var none = new GpioPort(new FakeGpioKernel(), new GpioAddress("GPIO17", null, null), default, _log);
        Assert.False(none.Check(TimeSpan.Zero));
        Assert.Equal("GPIO line \"GPIO17\" is not there, nor any GPIO chip", none.Problem);
        _kernel.Refusals["/dev/gpiochip0"] = Errno.EACCES;
        var denied = Port(new GpioAddress("GPIO17", null, null));
        Assert.False(denied.Check(TimeSpan.Zero));
        Assert.Equal(
            "GPIO line \"GPIO17\" is not among the lines that may be used, and /dev/gpiochip0 may not: add the agent's user to group gpio, as docs/gpio.md says", denied.Problem);
    }

    [Fact]
    public void A_line_that_is_taken_is_asked_for_again_ever_less_often_and_the_log_says_once_by_whom()
    {
        _kernel["LED"].Consumer = "led0";
        var port = Port(new GpioAddress("LED", null, null));
        var attempts = new List<double>();
        var now = TimeSpan.Zero;
        for (var i = 0; i < 8; i++)
        {
            Assert.False(port.Check(now));
            attempts.Add(port.RetryIn(now).TotalSeconds);
            now += port.RetryIn(now);
        }
        Assert.Equal([0.5, 1, 2, 4, 8, 10, 10, 10], attempts);
        _kernel["LED"].Consumer = null;
        Assert.True(port.Check(now));
        Assert.Equal(
            [
                "GPIO line 2 \"LED\" of /dev/gpiochip0 (pinctrl-bcm2711) is in use by \"led0\": stop that, or take it out of the device tree. It is looked for again",
                "GPIO line \"LED\" can be used again",
            ],
            _log.Lines);
    }

    [Theory]
    [InlineData(Errno.ENXIO, "GPIO line 1 \"GPIO17\" of /dev/gpiochip0 (pinctrl-bcm2711): the chip gives no interrupts, so that changes of its inputs go unseen: use a line of another chip, or connect the chip's interrupt")]
    [InlineData(Errno.EINVAL, "GPIO line 1 \"GPIO17\" of /dev/gpiochip0 (pinctrl-bcm2711): GPIO_V2_GET_LINE_IOCTL: the driver does not do these settings")]
    [InlineData(Errno.EIO, "GPIO line 1 \"GPIO17\" of /dev/gpiochip0 (pinctrl-bcm2711): GPIO_V2_GET_LINE_IOCTL: Input/output error (errno 5)")]
    public void What_the_driver_refuses_is_said(int errno, string expected)
    {
        _kernel["GPIO17"].Refusal = errno;
        var port = Port(new GpioAddress("GPIO17", null, null));
        Assert.False(port.Check(TimeSpan.Zero));
        Assert.Equal(expected, port.Problem);
    }

    [Fact]
    public void Changes_are_read_without_allocating_and_those_lost_are_counted()
    {
        var port = Port(new GpioAddress("GPIO17", null, null));
        Assert.True(port.Check(TimeSpan.Zero));
        var line = _kernel["GPIO17"];
        var edges = new GpioEdge[4];
        line.Become(true, TimeSpan.FromSeconds(1));
        Assert.Equal(1, port.Read(edges, default));
        line.LoseEdges(5);
        line.Become(false, TimeSpan.FromSeconds(2));
        line.Become(true, TimeSpan.FromSeconds(3));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var count = port.Read(edges, default);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal((2, 5, true, TimeSpan.FromSeconds(2)), (count, port.EdgesLost, port.IsActive, edges[0].Time));
    }
}
