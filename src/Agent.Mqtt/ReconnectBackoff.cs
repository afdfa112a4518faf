namespace Agent.Mqtt;

/// <summary>Waiting times between connection attempts: doubling, capped, each drawn from the upper half of its range so that a
/// fleet does not come back to a restarted broker in step.</summary>
public sealed class ReconnectBackoff(Random random)
{
    public static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private TimeSpan _next = First;

    /// <summary>How long to wait before the next attempt.</summary>
    public TimeSpan Next()
    {
        var delay = _next * (0.5 + (random.NextDouble() / 2));
        _next = TimeSpan.FromTicks(Math.Min(_next.Ticks * 2, Longest.Ticks));
        return delay;
    }

    /// <summary>After a connection that held.</summary>
    public void Reset() => _next = First;
}
