namespace Agent.Rtc.Stun;

/// <summary>How long to leave a server alone that failed: twice as long each time, spread so that many agents do not come back together.</summary>
public sealed class RetryDelay(IRandomSource random)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    private TimeSpan _next = Shortest;

    /// <summary>Half to all of the delay that is due; the next one is twice as long.</summary>
    public TimeSpan Next()
    {
        byte draw = 0;
        random.Fill(new Span<byte>(ref draw));
        var delay = _next * (1 + ((double)draw / byte.MaxValue)) / 2;
        _next = _next * 2 < Longest ? _next * 2 : Longest;
        return delay;
    }

    /// <summary>The server works.</summary>
    public void Reset() => _next = Shortest;
}
