using Agent.Devices.Pwm;
using Agent.Interop.Libc;

namespace Agent.Devices.Tests.Pwm;

public sealed class PanTiltTests : IDisposable
{
    /// <summary>500 to 2500 µs for 180°: 11 µs and a ninth each degree.</summary>
    private static readonly ServoOptions Wide = new() { MinimumPulse = 500, MaximumPulse = 2500, Range = 180 };

    private static readonly PanTiltOptions Options = new() { Name = "porch", Pan = Wide, Tilt = Wide with { Channel = 1, MinimumAngle = -30, MaximumAngle = 45 } };

    private readonly FakePwmKernel _kernel = new FakePwmKernel().Plug("pwmchip0", "fe20c000.pwm");
    private readonly CollectingLoggers _log = new();
    private readonly List<PanTiltState> _states = [];
    private TimeSpan _now = TimeSpan.FromHours(1);

    public void Dispose() => _kernel.Dispose();

    private PanTilt Make(PanTiltOptions? options = null, PanTiltAngles last = default)
    {
        options ??= Options;
        var panTilt = new PanTilt(options, Output(options.Pan), Output(options.Tilt), last);
        panTilt.StateChanged += _states.Add;
        return panTilt;
    }

    private PwmOutput Output(ServoOptions servo) => new(new PwmChannel(_kernel, servo.Address, Servo.Period, false), _log);

    private void Pass(PanTilt panTilt, double seconds)
    {
        for (var end = _now + TimeSpan.FromSeconds(seconds); ;)
        {
            var wait = panTilt.Advance(_now);
            Assert.True(wait > TimeSpan.Zero);
            if (_now == end) return;
            _now = _now + wait < end ? _now + wait : end;
        }
    }

    private string Pan => _kernel.State(0);

    private string Tilt => _kernel.State(1);

    [Fact]
    public void Both_axes_go_smoothly_to_their_angles_within_their_limits_and_the_state_says_so()
    {
        var panTilt = Make();
        Pass(panTilt, 0);
        Assert.Equal("1500000/20000000 normal enabled", Pan);
        Assert.Null(panTilt.MoveTo(90, 80, _now));
        Assert.Equal(new PanTiltState(new(90, 45), true), panTilt.State);
        _kernel.Writes.Clear();
        Pass(panTilt, 1);
        Assert.Equal("2000000/20000000 normal enabled", Pan);
        Pass(panTilt, 2);
        Assert.Equal("2500000/20000000 normal enabled", Pan);
        Assert.Equal("2000000/20000000 normal enabled", Tilt);
        Assert.Equal([new(new(90, 45), true), new(new(90, 45), false)], _states);
        // 2 s for the pan, 1.25 s for the tilt, each at 50 Hz.
        Assert.InRange(_kernel.Writes.Count(write => write.StartsWith("duty_cycle=", StringComparison.Ordinal)), 155, 170);
        _kernel.Writes.Clear();
        Assert.Null(panTilt.MoveTo(90, 45, _now));
        Pass(panTilt, 60);
        Assert.Empty(_kernel.Writes);
        Assert.Equal(2, _states.Count);
    }

    [Theory]
    [InlineData(-90, false, 500_000)]
    [InlineData(-45, false, 950_000)]
    [InlineData(0, false, 1_400_000)]
    [InlineData(45, false, 1_900_000)]
    [InlineData(90, false, 2_400_000)]
    [InlineData(90, true, 500_000)]
    [InlineData(-45, true, 1_900_000)]
    public void An_angle_becomes_a_pulse_by_the_calibration(double angle, bool isInverted, long pulse) =>
        Assert.Equal(pulse, new ServoOptions { MinimumPulse = 500, CentrePulse = 1400, MaximumPulse = 2400, Range = 180, IsInverted = isInverted }.ToPulse(angle));

    [Fact]
    public void A_new_target_on_the_way_is_taken_without_a_jump_and_a_stop_is_gentle()
    {
        var panTilt = Make();
        Pass(panTilt, 0);
        panTilt.MoveTo(90, null, _now);
        Pass(panTilt, 1);
        panTilt.MoveTo(0, null, _now);
        Pass(panTilt, 0.5);
        // Half a second at 120°/s² from 60°/s on: it has stood still 15° further, and turns back from there.
        Assert.Equal((1_500_000 + (60 * 100_000 / 9)) / 1000, long.Parse(Pan.Split('/')[0], null) / 1000);
        panTilt.MoveTo(-90, null, _now);
        Pass(panTilt, 1);
        Assert.Null(panTilt.Halt(_now));
        Pass(panTilt, 5);
        Assert.False(panTilt.State.IsMoving);
        Assert.Equal(0, panTilt.State.Target.Pan, 6);
        Assert.Equal("1500000/20000000 normal enabled", Pan);
        Assert.Null(panTilt.Halt(_now));
    }

    [Theory]
    [InlineData(PanTiltAtStart.Restore, "1600000/20000000 normal enabled", 9)]
    [InlineData(PanTiltAtStart.Home, "2000000/20000000 normal enabled", 45)]
    [InlineData(PanTiltAtStart.Keep, "0/20000000 normal disabled", 9)]
    public void The_start_is_as_configured(PanTiltAtStart start, string expected, double shown)
    {
        var panTilt = Make(Options with { Start = start, Home = new(45, 0) }, new(9, 0));
        Pass(panTilt, 5);
        Assert.Equal(expected, Pan);
        Assert.Equal(shown, panTilt.State.Target.Pan);
        panTilt.MoveTo(18, null, _now);
        Pass(panTilt, 5);
        Assert.Equal("1700000/20000000 normal enabled", Pan);
    }

    [Fact]
    public void Servos_let_go_after_standing_still_and_are_taken_up_where_they_are()
    {
        var panTilt = Make(Options with { ReleaseAfter = 700 });
        Pass(panTilt, 0);
        panTilt.MoveTo(9, null, _now);
        Pass(panTilt, 1);
        Assert.Equal("1600000/20000000 normal enabled", Pan);
        Assert.Equal("1500000/20000000 normal disabled", Tilt);
        Pass(panTilt, 0.5);
        Assert.Equal("1600000/20000000 normal disabled", Pan);
        _kernel.Writes.Clear();
        Pass(panTilt, 60);
        Assert.Empty(_kernel.Writes);
        panTilt.MoveTo(null, -30, _now);
        Assert.Equal("1500000/20000000 normal enabled", Tilt);
        Assert.Equal(new PanTiltState(new(9, -30), true), panTilt.State);
    }

    [Theory]
    [InlineData(ServosAtStop.Release, null)]
    [InlineData(ServosAtStop.Hold, "2000000/20000000 normal enabled")]
    public void The_stop_on_the_way_lets_go_or_holds_and_knows_where_it_is(ServosAtStop atStop, string? expected)
    {
        var panTilt = Make(Options with { AtStop = atStop });
        Pass(panTilt, 0);
        panTilt.MoveTo(90, null, _now);
        Pass(panTilt, 1);
        panTilt.Stop(_now);
        Assert.Equal(expected, _kernel.IsExported("pwmchip0", 0) ? Pan : null);
        Assert.Equal(45, _states[^1].Target.Pan, 6);
        Assert.False(_states[^1].IsMoving);
    }

    [Fact]
    public void A_chip_that_goes_away_on_the_way_is_said_and_the_way_goes_on_when_it_is_back()
    {
        var panTilt = Make();
        var availability = new List<bool>();
        panTilt.AvailabilityChanged += availability.Add;
        Pass(panTilt, 0);
        panTilt.MoveTo(90, null, _now);
        Pass(panTilt, 1);
        _kernel.Unplug("pwmchip0");
        Pass(panTilt, 30);
        Assert.Equal([true, false], availability);
        Assert.Contains("is not there", panTilt.MoveTo(0, 0, _now), StringComparison.Ordinal);
        Assert.Contains("is not there", panTilt.Halt(_now), StringComparison.Ordinal);
        _kernel.Plug("pwmchip0", "fe20c000.pwm");
        while (!panTilt.IsAvailable) _now += panTilt.Advance(_now);
        var pulse = long.Parse(Pan.Split('/')[0], null);
        Assert.InRange(pulse, 2_000_000, 2_020_000);
        Pass(panTilt, 5);
        Assert.Equal("2500000/20000000 normal enabled", Pan);
        Assert.Equal([true, false, true], availability);
    }

    [Fact]
    public void A_command_that_is_refused_is_not_done_later()
    {
        var panTilt = Make(Options with { ReleaseAfter = 100 });
        Pass(panTilt, 1);
        _kernel.Refusals["enable"] = Errno.EIO;
        Assert.Contains("(errno 5)", panTilt.MoveTo(20, null, _now), StringComparison.Ordinal);
        Assert.False(panTilt.IsAvailable);
        _kernel.Refusals.Clear();
        Pass(panTilt, 10);
        Assert.True(panTilt.IsAvailable);
        Assert.Equal(new PanTiltState(new(0, 0), false), panTilt.State);
        Assert.Equal("1500000/20000000 normal disabled", Pan);
    }
}
