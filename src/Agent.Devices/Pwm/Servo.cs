namespace Agent.Devices.Pwm;

/// <summary>One servo: an angle as the length of a pulse, 50 times a second.</summary>
public sealed record ServoOptions
{
    public string Chip { get; init; } = "0";

    public int Channel { get; init; }

    /// <summary>Microseconds of the pulse at half of <see cref="Range"/> below the centre.</summary>
    public int MinimumPulse { get; init; } = 1000;

    /// <summary>Microseconds of the pulse at 0°.</summary>
    public int CentrePulse { get; init; } = 1500;

    /// <summary>Microseconds of the pulse at half of <see cref="Range"/> above the centre.</summary>
    public int MaximumPulse { get; init; } = 2000;

    /// <summary>Degrees that the servo turns from the one pulse to the other.</summary>
    public int Range { get; init; } = 90;

    /// <summary>Whether positive angles have the shorter pulses.</summary>
    public bool IsInverted { get; init; }

    /// <summary>Degrees that it must not go below; <c>null</c> is half of <see cref="Range"/> below 0.</summary>
    public double? MinimumAngle { get; init; }

    /// <summary>Degrees that it must not go above; <c>null</c> is half of <see cref="Range"/> above 0.</summary>
    public double? MaximumAngle { get; init; }

    /// <summary>Degrees a second.</summary>
    public int Speed { get; init; } = 60;

    /// <summary>Degrees a second squared.</summary>
    public int Acceleration { get; init; } = 120;

    public PwmAddress Address => new(Chip, Channel);

    /// <summary>Degrees, <see cref="MinimumAngle"/> in effect.</summary>
    public double Lowest => MinimumAngle ?? -Range / 2.0;

    /// <summary>Degrees, <see cref="MaximumAngle"/> in effect.</summary>
    public double Highest => MaximumAngle ?? Range / 2.0;

    /// <summary>Nanoseconds of the pulse for an angle.</summary>
    internal long ToPulse(double angle)
    {
        const int NanosecondsPerMicrosecond = 1000;
        var share = (IsInverted ? -angle : angle) / (Range / 2.0);
        var reach = share < 0 ? CentrePulse - MinimumPulse : MaximumPulse - CentrePulse;
        return (long)Math.Round((CentrePulse + (share * reach)) * NanosecondsPerMicrosecond);
    }
}

/// <summary>One servo on its channel. It is where it was told to be last: no servo of this kind says where it is.</summary>
/// <param name="options">What it is.</param>
/// <param name="output">Its channel, with a period of <see cref="Period"/>.</param>
/// <param name="angle">Where it is likely to be.</param>
internal sealed class Servo(ServoOptions options, PwmOutput output, double angle)
{
    /// <summary>Nanoseconds from pulse to pulse: the 50 Hz that every servo takes.</summary>
    public const long Period = PwmChannel.NanosecondsPerSecond / 50;

    private ServoMove _move = ServoMove.Still(angle);
    private double _angle = angle;
    private TimeSpan _restsSince;

    /// <summary>Whether it is held, or moved, by pulses.</summary>
    private bool _isHeld;

    public double Target => _move.Target;

    public PwmOutput Output => output;

    public bool IsMoving(TimeSpan now) => _isHeld && !_move.IsOver(now);

    /// <summary>Sets out for an angle, which is kept within the limits.</summary>
    public void MoveTo(double target, TimeSpan now)
    {
        target = Math.Clamp(target, options.Lowest, options.Highest);
        if (target == Target && _isHeld) return;
        var (from, velocity) = _move.At(now);
        _move = ServoMove.Plan(from, velocity, target, options.Speed, options.Acceleration, now);
        (_isHeld, _restsSince) = (true, now);
    }

    public void Halt(TimeSpan now)
    {
        if (IsMoving(now)) _move = _move.Stop(now);
    }

    /// <summary>Gives the pulse that is due, or none once it has stood still for long enough.</summary>
    /// <param name="now">The time.</param>
    /// <param name="releaseAfter">After how long that is; zero is never.</param>
    /// <returns>Whether its channel can be used.</returns>
    public bool Apply(TimeSpan now, TimeSpan releaseAfter)
    {
        var wasOpen = output.IsOpen;
        if (!output.Check(now)) return false;
        // Without pulses it stayed where it was; it goes on from there.
        if (!wasOpen) _move = ServoMove.Plan(_angle, 0, Target, options.Speed, options.Acceleration, now);
        return output.Try(now, channel => Apply(channel, now, releaseAfter));
    }

    /// <summary>How long it can be left alone.</summary>
    public TimeSpan RestsFor(TimeSpan now, TimeSpan releaseAfter)
    {
        if (!output.IsOpen) return output.RetryIn(now);
        if (IsMoving(now)) return PwmOutput.UpdateInterval;
        var release = _restsSince + releaseAfter - now;
        return _isHeld && releaseAfter > TimeSpan.Zero && release < PwmOutput.CheckInterval ? release : PwmOutput.CheckInterval;
    }

    /// <summary>Ends: it lets go, or is held where it is by a channel that goes on without the agent.</summary>
    public void Stop(TimeSpan now, bool isToHold)
    {
        _move = ServoMove.Still(_angle);
        if (!isToHold) Release(now);
        output.Close(now);
    }

    private void Apply(PwmChannel channel, TimeSpan now, TimeSpan releaseAfter)
    {
        if (!_isHeld) return;
        _angle = _move.At(now).Angle;
        if (!_move.IsOver(now)) _restsSince = now;
        if (releaseAfter > TimeSpan.Zero && now - _restsSince >= releaseAfter)
        {
            channel.Disable();
            _isHeld = false;
        }
        else
        {
            channel.Set(options.ToPulse(_angle));
        }
    }

    private void Release(TimeSpan now)
    {
        if (output.IsOpen) output.Try(now, static channel => channel.Disable());
        _isHeld = false;
    }
}
