namespace Agent.Rtc;

/// <summary>
/// An instant on the machine's monotonic clock (Linux CLOCK_MONOTONIC), in units of 100 ns.
/// Protocol code receives it as an argument and never reads a clock itself.
/// </summary>
/// <param name="Ticks">100 ns units since the clock's zero.</param>
public readonly record struct MonotonicTime(long Ticks) : IComparable<MonotonicTime>
{
    /// <summary>The clock's zero.</summary>
    public static MonotonicTime Zero => default;

    /// <summary>Later than every real instant; the value of "no timeout pending".</summary>
    public static MonotonicTime Never => new(long.MaxValue);

    /// <summary>The instant as a duration since the clock's zero.</summary>
    public TimeSpan SinceZero => new(Ticks);

    /// <summary>Builds an instant from a duration since the clock's zero.</summary>
    public static MonotonicTime From(TimeSpan sinceZero) => new(sinceZero.Ticks);

    public static MonotonicTime operator +(MonotonicTime time, TimeSpan duration) => new(time.Ticks + duration.Ticks);

    public static MonotonicTime operator -(MonotonicTime time, TimeSpan duration) => new(time.Ticks - duration.Ticks);

    public static TimeSpan operator -(MonotonicTime left, MonotonicTime right) => new(left.Ticks - right.Ticks);

    public static bool operator <(MonotonicTime left, MonotonicTime right) => left.Ticks < right.Ticks;

    public static bool operator >(MonotonicTime left, MonotonicTime right) => left.Ticks > right.Ticks;

    public static bool operator <=(MonotonicTime left, MonotonicTime right) => left.Ticks <= right.Ticks;

    public static bool operator >=(MonotonicTime left, MonotonicTime right) => left.Ticks >= right.Ticks;

    /// <summary>The earlier of two instants.</summary>
    public static MonotonicTime Min(MonotonicTime left, MonotonicTime right) => left <= right ? left : right;

    public static MonotonicTime Max(MonotonicTime left, MonotonicTime right) => left >= right ? left : right;

    /// <inheritdoc/>
    public int CompareTo(MonotonicTime other) => Ticks.CompareTo(other.Ticks);
}
