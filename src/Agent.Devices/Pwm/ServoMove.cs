namespace Agent.Devices.Pwm;

/// <summary>
/// The way from one angle to another, in the least time that speed and acceleration allow: it speeds up, goes on evenly, and slows down to
/// stand still exactly there. Where it begins it may be moving already, either way.
/// </summary>
internal readonly record struct ServoMove
{
    /// <summary>Degrees at the end.</summary>
    public double Target { get; private init; }

    private double From { get; init; }

    /// <summary>1 or -1: which way it goes. Speeds below are along that way, so that the initial one may be negative.</summary>
    private int Sign { get; init; }

    private double Initial { get; init; }

    private double Peak { get; init; }

    private double Acceleration { get; init; }

    private TimeSpan Start { get; init; }

    /// <summary>Seconds up to the peak, at it, and from it to rest.</summary>
    private (double Up, double Even, double Down) Times { get; init; }

    private double Duration => Times.Up + Times.Even + Times.Down;

    /// <summary>Stands there.</summary>
    public static ServoMove Still(double angle) => new() { Target = angle };

    /// <param name="from">Where it is, degrees.</param>
    /// <param name="velocity">How it moves there, degrees a second, at most <paramref name="speed"/> either way.</param>
    /// <param name="target">Where it goes. One that is too near to stop there is passed and come back to.</param>
    /// <param name="speed">Degrees a second at most.</param>
    /// <param name="acceleration">Degrees a second squared, speeding up and slowing down.</param>
    /// <param name="now">The time.</param>
    public static ServoMove Plan(double from, double velocity, double target, double speed, double acceleration, TimeSpan now)
    {
        var sign = target < StandingStill(from, velocity, acceleration) ? -1 : 1;
        var (distance, initial) = (sign * (target - from), sign * velocity);
        // v² = v0² + 2as, up to the peak and down from it.
        var peak = Math.Min(speed, Math.Sqrt(Math.Max(0, ((2 * acceleration * distance) + (initial * initial)) / 2)));
        var ramps = ((2 * peak * peak) - (initial * initial)) / (2 * acceleration);
        return new()
        {
            Target = target, From = from, Sign = sign, Initial = initial, Peak = peak, Acceleration = acceleration, Start = now,
            // Rounding must not make any of them negative.
            Times = (Math.Max(0, (peak - initial) / acceleration), peak > 0 ? Math.Max(0, (distance - ramps) / peak) : 0, peak / acceleration),
        };
    }

    /// <summary>Slows down from now on, and stands still as soon as it can.</summary>
    public ServoMove Stop(TimeSpan now)
    {
        var (angle, velocity) = At(now);
        return Plan(angle, velocity, StandingStill(angle, velocity, Acceleration), Math.Abs(velocity), Acceleration, now);
    }

    public bool IsOver(TimeSpan now) => (now - Start).TotalSeconds >= Duration;

    /// <summary>Degrees, and degrees a second.</summary>
    public (double Angle, double Velocity) At(TimeSpan now)
    {
        if (IsOver(now)) return (Target, 0);
        var time = Math.Max(0, (now - Start).TotalSeconds);
        if (time < Times.Up) return (From + (Sign * ((Initial * time) + (Acceleration * time * time / 2))), Sign * (Initial + (Acceleration * time)));
        // From the end, so that it is met exactly.
        var left = Duration - time;
        return left < Times.Down
            ? (Target - (Sign * Acceleration * left * left / 2), Sign * Acceleration * left)
            : (Target - (Sign * Peak * (left - (Times.Down / 2))), Sign * Peak);
    }

    /// <summary>Where it would come to rest, slowing down at once.</summary>
    private static double StandingStill(double angle, double velocity, double acceleration) => angle + (velocity * Math.Abs(velocity) / (2 * acceleration));
}
