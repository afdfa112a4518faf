namespace Agent.Home;

/// <summary>
/// A token bucket. Over MQTT one is for all clients, since client names cost nothing: it guards offers, which cost a session each, the log
/// and the error topic, which a flood of nonsense would fill, and the entities' commands. On data channels each viewer has its own. One
/// thread at a time.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="burst">How many may come at once.</param>
/// <param name="perSecond">How many a second may come for ever.</param>
public sealed class RateLimit(TimeProvider time, int burst = RateLimit.Burst, int perSecond = RateLimit.PerSecond)
{
    /// <summary>A wall of tablets that wakes at once is served at once.</summary>
    public const int Burst = 16;

    public const int PerSecond = 4;

    private double _tokens = burst;
    private long _filled = time.GetTimestamp();

    /// <summary>False if there were too many.</summary>
    public bool TryTake()
    {
        var now = time.GetTimestamp();
        _tokens = Math.Min(burst, _tokens + (time.GetElapsedTime(_filled, now).TotalSeconds * perSecond));
        _filled = now;
        if (_tokens < 1)
        {
            return false;
        }

        _tokens--;
        return true;
    }
}
