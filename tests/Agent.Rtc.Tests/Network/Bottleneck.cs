namespace Agent.Rtc.Tests.Network;

/// <summary>A link of limited rate with a queue in front of it that drops what does not fit.</summary>
/// <param name="bitsPerSecond">Of datagrams with their headers.</param>
/// <param name="queue">What the queue holds, as the time that it takes to drain.</param>
internal sealed class Bottleneck(long bitsPerSecond, TimeSpan queue)
{
    /// <summary>SRTP's tag, UDP and IPv4 headers, which the datagrams of these tests lack.</summary>
    private const int HeaderBytes = 16 + 8 + 20;

    private long _bitsPerSecond = bitsPerSecond;
    private double _backlogBits;
    private MonotonicTime _at;

    /// <summary>A policer: what fits passes at once, and the queue is only counted.</summary>
    public bool IsPolicer { get; init; }

    public long Dropped { get; private set; }

    /// <summary>Bits that have passed.</summary>
    public long PassedBits { get; private set; }

    public long BitsPerSecond => _bitsPerSecond;

    public TimeSpan QueueDelay => TimeSpan.FromSeconds(_backlogBits / _bitsPerSecond);

    public void SetRate(long value, MonotonicTime now)
    {
        Drain(now);
        _bitsPerSecond = value;
    }

    /// <summary>False for one that the full queue drops.</summary>
    public bool TryPass(int length, MonotonicTime now, out MonotonicTime departure)
    {
        Drain(now);
        var bits = (length + HeaderBytes) * 8;
        departure = IsPolicer ? now : now + TimeSpan.FromSeconds((_backlogBits + bits) / _bitsPerSecond);
        if (_backlogBits + bits > queue.TotalSeconds * _bitsPerSecond)
        {
            Dropped++;
            return false;
        }

        _backlogBits += bits;
        PassedBits += bits;
        return true;
    }

    private void Drain(MonotonicTime now)
    {
        _backlogBits = Math.Max(0, _backlogBits - (now - _at).TotalSeconds * _bitsPerSecond);
        _at = now;
    }
}
