namespace Agent.Rtc.Congestion;

/// <summary>
/// How long packets wait on the path: their one-way delay beyond the least of the last half to whole minute. The slope of the delay does
/// not show a queue that stays full; this does.
/// </summary>
internal sealed class QueueingDelay
{
    private const double Weight = 0.1;
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(30);

    private double? _smoothed;
    private double _least = double.PositiveInfinity;
    private double _leastBefore = double.PositiveInfinity;
    private MonotonicTime _since;

    /// <summary>Of the last packets.</summary>
    public TimeSpan Present =>
        _smoothed is { } smoothed ? TimeSpan.FromMilliseconds(Math.Max(0, smoothed - Math.Min(_least, _leastBefore))) : TimeSpan.Zero;

    public void Add(MonotonicTime sentAt, TimeSpan arrival)
    {
        // The two clocks have different zeros; only differences count.
        var delay = (arrival - sentAt.SinceZero).TotalMilliseconds;
        if (sentAt - _since > s_window)
            (_since, _leastBefore, _least) = (sentAt, _least, delay);

        _smoothed = _smoothed is { } smoothed ? smoothed + Weight * (delay - smoothed) : delay;
        _least = Math.Min(_least, delay);
    }

    /// <summary>The path is another one.</summary>
    public void Reset() => (_smoothed, _least, _leastBefore, _since) = (null, double.PositiveInfinity, double.PositiveInfinity, default);
}
