using Agent.Devices.Gpio;
using Agent.Devices.Peripherals;
using Agent.Interop.Gpio;

namespace Agent.Devices.Tests.Gpio;

public sealed class GpioInputTests
{
    private static readonly GpioOptions Door = new() { Name = "door", Kind = GpioKind.Door, Line = "GPIO17" };

    private static readonly GpioOptions Bell = new() { Name = "bell", Kind = GpioKind.Button, Line = "GPIO17" };

    private readonly FakeGpioKernel _kernel = new FakeGpioKernel().Plug("/dev/gpiochip0", "chip", "GPIO17");
    private readonly List<string> _seen = [];
    private TimeSpan _now = TimeSpan.FromHours(1);

    private T Watch<T>(T input)
        where T : GpioInput
    {
        input.AvailabilityChanged += isAvailable => _seen.Add(isAvailable ? "available" : "unavailable");
        return input;
    }

    private GpioPort Port(GpioOptions options) => new(_kernel, options.Address, options.Settings, new CollectingLoggers());

    private GpioSensor Sensor()
    {
        var sensor = Watch(new GpioSensor(Port(Door)));
        sensor.StateChanged += isActive => _seen.Add(isActive ? "on" : "off");
        return sensor;
    }

    private string Seen()
    {
        var text = string.Join(" ", _seen);
        _seen.Clear();
        return text;
    }

    private void Pass(Peripheral device, double seconds)
    {
        for (var end = _now + TimeSpan.FromSeconds(seconds); ;)
        {
            var wait = device.Advance(_now);
            if (_now == end) return;
            _now = _now + wait < end ? _now + wait : end;
        }
    }

    private void Become(GpioInput input, bool isHigh)
    {
        _kernel["GPIO17"].Become(isHigh, _now);
        input.Read(_now);
    }

    [Theory]
    [InlineData(GpioKind.Motion, GpioBias.PullDown, false)]
    [InlineData(GpioKind.Door, GpioBias.PullUp, false)]
    [InlineData(GpioKind.Contact, GpioBias.PullUp, false)]
    [InlineData(GpioKind.Button, GpioBias.PullUp, true)]
    [InlineData(GpioKind.PrivacySwitch, GpioBias.PullUp, true)]
    public void An_input_is_wired_as_its_kind_usually_is_unless_configured(GpioKind kind, GpioBias bias, bool isActiveLow)
    {
        var settings = (Door with { Kind = kind }).Settings;
        Assert.Equal((GpioDirection.Input, bias, isActiveLow, TimeSpan.FromMilliseconds(20)), (settings.Direction, settings.Bias, settings.IsActiveLow, settings.Debounce));
        settings = (Door with { Kind = kind, Bias = GpioBias.Disabled, ActiveLow = !isActiveLow }).Settings;
        Assert.Equal((GpioBias.Disabled, !isActiveLow), (settings.Bias, settings.IsActiveLow));
    }

    [Fact]
    public void The_state_is_known_before_the_sensor_is_available_and_follows_the_line()
    {
        _kernel["GPIO17"].IsHigh = true;
        var sensor = Sensor();
        Pass(sensor, 0);
        Assert.Equal("on available", Seen());
        Become(sensor, false);
        Become(sensor, true);
        Assert.Equal("off on", Seen());
        Pass(sensor, 60);
        Assert.Equal("", Seen());
        Assert.Equal((2, 0), (sensor.Edges, sensor.EdgesLost));
    }

    [Fact]
    public void What_no_change_told_of_is_seen_when_the_line_is_looked_after()
    {
        var sensor = Sensor();
        Pass(sensor, 0);
        _kernel["GPIO17"].IsHigh = true;
        Pass(sensor, GpioPort.CheckInterval.TotalSeconds);
        Assert.Equal("off available on", Seen());
    }

    [Fact]
    public void A_chip_that_goes_away_and_comes_back_is_used_again_with_its_present_state()
    {
        var sensor = Sensor();
        Pass(sensor, 0);
        _kernel.Unplug("/dev/gpiochip0");
        Pass(sensor, 3);
        Assert.Equal("off available unavailable", Seen());
        Assert.Null(sensor.IsActive);
        _kernel.Plug("/dev/gpiochip7", "chip", "GPIO17");
        _kernel["GPIO17"].IsHigh = true;
        Pass(sensor, 10);
        Assert.Equal("on available", Seen());
    }

    [Fact]
    public void A_button_is_understood_by_the_kernels_times_and_by_time_alone()
    {
        var line = _kernel["GPIO17"];
        line.IsHigh = true;
        var bell = Watch(new GpioButton(Bell, Port(Bell)));
        bell.Acted += action => _seen.Add(action.ToString());
        Pass(bell, 0);
        Become(bell, false);
        Pass(bell, 0.1);
        Become(bell, true);
        Assert.Equal("available Press Release", Seen());
        Pass(bell, 0.31);
        Assert.Equal("Single", Seen());
        // Read half a second late, both at once.
        line.Become(false, _now - TimeSpan.FromMilliseconds(1200));
        line.Become(true, _now - TimeSpan.FromMilliseconds(500));
        bell.Read(_now);
        Pass(bell, 1.7);
        Assert.Equal("Press Long Release", Seen());
        Become(bell, false);
        _kernel.Unplug("/dev/gpiochip0");
        Pass(bell, 5);
        Assert.Equal("Press Long unavailable", Seen());
    }
}
