using Agent.Devices.Gpio;
using Agent.Devices.Peripherals;

namespace Agent.Devices.Tests.Gpio;

public sealed class GpioOutputTests : IDisposable
{
    private static readonly GpioOptions Pump = new() { Name = "pump", Kind = GpioKind.Relay, Line = "GPIO17" };

    private static readonly GpioOptions Filter = new() { Name = "filter", Kind = GpioKind.IrCut, Line = "GPIO17", OutLine = "GPIO18", Pulse = 200 };

    private readonly FakeGpioKernel _kernel = new FakeGpioKernel().Plug("/dev/gpiochip0", "chip", "GPIO17", "GPIO18");
    private readonly CollectingLoggers _log = new();

    public void Dispose() => _log.Dispose();

    private TimeSpan _now = TimeSpan.FromHours(1);

    private FakeLine Line => _kernel["GPIO17"];

    private GpioOutput Output(GpioOptions? options = null, bool? remembered = null, Interlock? interlock = null) => new(options ?? Pump, remembered, interlock, _kernel, _log);

    private void Pass(Peripheral device, double seconds)
    {
        for (var end = _now + TimeSpan.FromSeconds(seconds); ;)
        {
            var wait = device.Advance(_now);
            if (_now == end) return;
            _now = _now + wait < end ? _now + wait : end;
        }
    }

    [Theory]
    [InlineData(OutputAtStart.Restore, true, false, true)]
    [InlineData(OutputAtStart.Restore, false, true, false)]
    [InlineData(OutputAtStart.Restore, null, true, true)]
    [InlineData(OutputAtStart.Restore, null, false, false)]
    [InlineData(OutputAtStart.On, false, false, true)]
    [InlineData(OutputAtStart.Off, true, true, false)]
    public void An_output_is_taken_over_without_a_glitch(OutputAtStart start, bool? remembered, bool isHigh, bool expected)
    {
        (Line.IsOutput, Line.IsHigh) = (true, isHigh);
        var pump = Output(Pump with { Start = start }, remembered);
        Pass(pump, 0);
        Assert.Equal((expected, true), (pump.IsOn, pump.IsAvailable));
        // One level, once: it was never anything else in between.
        Assert.Equal([expected], Line.Driven);
    }

    [Fact]
    public void The_level_that_nobody_drives_is_no_state_to_take_over()
    {
        (Line.IsOutput, Line.IsHigh) = (false, true);
        var pump = Output();
        Pass(pump, 0);
        Assert.False(pump.IsOn);
    }

    [Fact]
    public void Low_is_on_for_an_output_that_is_active_low()
    {
        (Line.IsOutput, Line.IsHigh) = (true, false);
        var pump = Output(Pump with { ActiveLow = true });
        Pass(pump, 0);
        Assert.True(pump.IsOn);
        Assert.Null(pump.Set(false, _now));
        Assert.Equal([false, true], Line.Driven);
    }

    [Theory]
    [InlineData(OutputAtStop.Off, false)]
    [InlineData(OutputAtStop.On, true)]
    [InlineData(OutputAtStop.Keep, true)]
    public void An_output_is_left_as_configured(OutputAtStop atStop, bool expected)
    {
        var pump = Output(Pump with { AtStop = atStop });
        Pass(pump, 0);
        pump.Set(true, _now);
        pump.Stop(_now);
        Assert.Equal((expected, false), (Line.IsHigh, Line.IsRequested));
    }

    [Fact]
    public void The_same_again_changes_nothing_and_does_not_prolong_the_maximum()
    {
        var states = new List<bool>();
        var pump = Output(Pump with { MaximumOn = 10 });
        pump.StateChanged += states.Add;
        Pass(pump, 0);
        Assert.Null(pump.Set(true, _now));
        Pass(pump, 9);
        Assert.Null(pump.Set(true, _now));
        Pass(pump, 0.99);
        Assert.True(Line.IsHigh);
        Pass(pump, 0.01);
        Assert.Equal((false, false), (Line.IsHigh, pump.IsOn));
        Assert.Equal([true, false], states);
        Assert.Contains("pump has been on for 10 s, its maximumOn, and is switched off", _log.Lines);
        Assert.Null(pump.Set(true, _now));
        Assert.True(Line.IsHigh);
    }

    [Fact]
    public void The_maximum_holds_for_what_was_on_at_the_start_and_while_the_chip_is_away()
    {
        var pump = Output(Pump with { MaximumOn = 10 }, remembered: true);
        Pass(pump, 5);
        _kernel.Unplug("/dev/gpiochip0");
        Pass(pump, 20);
        Assert.Equal((false, false), (pump.IsOn, pump.IsAvailable));
        Assert.Equal("GPIO line \"GPIO17\" is not there, nor any GPIO chip", pump.Set(true, _now));
        _kernel.Plug("/dev/gpiochip0", "chip", "GPIO17");
        Pass(pump, 10);
        Assert.Equal([false], Line.Driven);
        Assert.True(pump.IsAvailable);
    }

    [Fact]
    public void A_chip_that_comes_back_gets_what_it_had()
    {
        var pump = Output();
        Pass(pump, 0);
        pump.Set(true, _now);
        _kernel.Unplug("/dev/gpiochip0");
        Pass(pump, 5);
        Assert.False(pump.IsAvailable);
        _kernel.Plug("/dev/gpiochip0", "chip", "GPIO17");
        Pass(pump, 10);
        Assert.Equal((true, true), (pump.IsAvailable, Line.IsHigh));
        Assert.Equal([true], Line.Driven);
    }

    [Fact]
    public void Interlocked_outputs_are_never_on_together()
    {
        var interlock = new Interlock();
        var up = Output(Pump with { Name = "up", Interlock = "blind" }, remembered: true, interlock);
        var down = Output(Pump with { Name = "down", Interlock = "blind", Line = "GPIO18" }, remembered: true, interlock);
        Pass(up, 0);
        Pass(down, 0);
        Assert.Equal((true, false), (up.IsOn, down.IsOn));
        Assert.Equal("up is on, and both must not be: switch that off first", down.Set(true, _now));
        Assert.False(_kernel["GPIO18"].IsHigh);
        Assert.Null(up.Set(false, _now));
        Assert.Null(down.Set(true, _now));
        Assert.Equal("down is on, and both must not be: switch that off first", up.Set(true, _now));
    }

    [Fact]
    public void A_present_level_is_not_taken_over_against_the_interlock()
    {
        var interlock = new Interlock();
        var up = Output(Pump with { Name = "up" }, remembered: true, interlock);
        _kernel["GPIO18"].IsOutput = _kernel["GPIO18"].IsHigh = true;
        var down = Output(Pump with { Name = "down", Line = "GPIO18" }, remembered: null, interlock);
        Pass(up, 0);
        Pass(down, 0);
        Assert.Equal((true, false, false), (up.IsOn, down.IsOn, _kernel["GPIO18"].IsHigh));
    }

    [Fact]
    public void A_pulse_ends_by_itself_and_another_press_prolongs_it()
    {
        var opener = new GpioPulse(Pump with { Kind = GpioKind.Pulse, Pulse = 1000 }, _kernel, _log);
        Assert.NotNull(opener.Press(_now));
        Pass(opener, 0);
        Assert.Equal([false], Line.Driven);
        Assert.Null(opener.Press(_now));
        Pass(opener, 0.6);
        Assert.Null(opener.Press(_now));
        Pass(opener, 0.999);
        Assert.True(Line.IsHigh);
        Pass(opener, 0.001);
        Assert.False(Line.IsHigh);
        opener.Press(_now);
        opener.Stop(_now);
        Assert.False(Line.IsHigh);
    }

    [Fact]
    public void A_filter_on_a_bridge_is_moved_by_pulses_that_never_overlap()
    {
        var (moveIn, moveOut) = (Line, _kernel["GPIO18"]);
        moveIn.BeforeDrive = isHigh => Assert.False(isHigh && moveOut.IsHigh);
        moveOut.BeforeDrive = isHigh => Assert.False(isHigh && moveIn.IsHigh);
        var filter = new IrCutBridge(Filter, isIn: true, _kernel, _log);
        Pass(filter, 0);
        Assert.Equal((true, false), (moveIn.IsHigh, moveOut.IsHigh));
        Pass(filter, 0.1);
        // In mid pulse the other way.
        Assert.Null(filter.Set(false, _now));
        Assert.Equal((false, true), (moveIn.IsHigh, moveOut.IsHigh));
        Pass(filter, 0.199);
        Assert.True(moveOut.IsHigh);
        Pass(filter, 0.001);
        Assert.Equal((false, false), (moveIn.IsHigh, moveOut.IsHigh));
        Pass(filter, 60);
        Assert.Equal((false, false, false), (moveIn.IsHigh, moveOut.IsHigh, filter.IsIn));
        filter.Set(true, _now);
        filter.Stop(_now);
        Assert.Equal((false, false), (moveIn.IsHigh, moveOut.IsHigh));
    }

    [Fact]
    public void A_bridge_without_one_of_its_lines_lets_go_of_the_other_and_moves_the_filter_when_both_are_back()
    {
        var filter = new IrCutBridge(Filter with { OutLine = "B0" }, isIn: true, _kernel, _log);
        Pass(filter, 1);
        Assert.Equal((false, false), (filter.IsAvailable, Line.IsHigh));
        Assert.NotNull(filter.Set(false, _now));
        _kernel.Plug("/dev/gpiochip1", "chip", "B0");
        Line.Driven.Clear();
        Pass(filter, 10);
        Assert.True(filter.IsAvailable);
        Assert.Equal([true, false], Line.Driven.SkipWhile(isHigh => !isHigh));
        Assert.DoesNotContain(true, _kernel["B0"].Driven);
    }

    [Fact]
    public async Task Commands_are_carried_out_by_the_thread_and_refused_when_too_many_wait()
    {
        var pump = Output();
        using var thread = new PeripheralThread([pump], "gpio", TimeProvider.System, _log);
        using var busy = new ManualResetEventSlim();
        using var begun = new ManualResetEventSlim();
        thread.Start();
        var held = thread.DoAsync(pump, _ =>
        {
            begun.Set();
            busy.Wait();
            return null;
        });
        begun.Wait();
        var waiting = Enumerable.Range(0, PeripheralThread.QueueCapacity).Select(_ => thread.DoAsync(pump, now => pump.Set(true, now))).ToArray();
        Assert.Equal("64 commands are waiting already; try again later", await thread.DoAsync(pump, now => pump.Set(false, now)));
        Assert.Equal(1, thread.Refused);
        busy.Set();
        Assert.Null(await held);
        Assert.All(await Task.WhenAll(waiting), Assert.Null);
        Assert.True(Line.IsHigh);
        thread.Dispose();
        Assert.Equal((false, false), (Line.IsHigh, Line.IsRequested));
        Assert.Equal("the agent is stopping", await thread.DoAsync(pump, now => pump.Set(true, now)));
    }
}
