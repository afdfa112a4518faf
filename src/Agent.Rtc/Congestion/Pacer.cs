namespace Agent.Rtc.Congestion;

/// <summary>
/// Spreads packets over time. Its only state is the instant by which all that was sent has left at its rate; sending may run ahead of that
/// by a burst, so that an ordinary picture leaves at once and the loop does not wake for each packet.
/// </summary>
internal sealed class Pacer
{
    /// <summary>How far sending may run ahead: three quarters of an ordinary picture's bytes at 30 per second and 2.5 times the rate.</summary>
    public static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(10);

    /// <summary>A loop that wakes late sends what it has missed, up to so much: a probe's rate is to be what it says.</summary>
    private static readonly TimeSpan s_catchUp = TimeSpan.FromMilliseconds(20);

    private MonotonicTime _freeAt;

    /// <summary>When to ask again after <see cref="MaySend"/> was false.</summary>
    /// <param name="burst">As asked for.</param>
    public MonotonicTime GetNext(TimeSpan burst) => _freeAt - burst / 2;

    public bool MaySend(TimeSpan burst, MonotonicTime now) => _freeAt - now <= burst;

    /// <summary>Neither what was sent ahead counts from now on nor what was missed.</summary>
    public void Restart(MonotonicTime now) => _freeAt = now;

    /// <summary>A packet was sent.</summary>
    /// <param name="bytes">Its length.</param>
    /// <param name="bitsPerSecond">The pace.</param>
    /// <param name="isRateExact">What was missed is made up for.</param>
    /// <param name="now">The present.</param>
    public void NoteSent(int bytes, long bitsPerSecond, bool isRateExact, MonotonicTime now)
    {
        var start = _freeAt > now || (isRateExact && now - _freeAt < s_catchUp) ? _freeAt : now;
        _freeAt = start + new TimeSpan((bytes * 8 * TimeSpan.TicksPerSecond + bitsPerSecond - 1) / bitsPerSecond);
    }
}
