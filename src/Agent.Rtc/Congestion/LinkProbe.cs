namespace Agent.Rtc.Congestion;

/// <summary>
/// Measures whether the link carries more: a few packets at a higher rate, and how fast they arrive. One probe at a time. The packets are
/// video, and where there is none at the moment packets sent before, once more.
/// </summary>
internal sealed class LinkProbe
{
    private const int BitsPerByte = 8;

    /// <summary>A probe is at least so many packets and so long, of which most must arrive.</summary>
    private const int MinimumPackets = 5;
    private static readonly TimeSpan s_length = TimeSpan.FromMilliseconds(15);
    private const double MinimumReceived = 0.8;

    /// <summary>What cannot be sent in this time, or is not heard of, is no probe.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    /// <summary>Packets that arrive so much faster than they were sent were held back on the way.</summary>
    private const double PlausibleGain = 2;

    /// <summary>A probe that shows so much of its rate is followed by the next one.</summary>
    public const double Success = 0.7;

    /// <summary>Packets that arrive this much slower have met the link's end: its rate is known, and a little below it is the result.</summary>
    private const double SlowedDown = 0.9;
    private const double Utilization = 0.95;

    private byte _cluster;
    private int _packets;
    private long _bytes;
    private int _lastSize;
    private MonotonicTime _startedAt;
    private MonotonicTime _firstSent;
    private MonotonicTime _lastSent;
    private int _received;
    private long _receivedBytes;
    private int _firstReceivedSize;
    private TimeSpan _firstArrival;
    private TimeSpan _lastArrival;

    /// <summary>The rate of the probe being sent; 0 while there is none.</summary>
    public long SendingRate { get; private set; }

    /// <summary>A probe is being sent or heard of.</summary>
    public bool IsPending { get; private set; }

    /// <summary>The rate of the last one.</summary>
    public long Rate { get; private set; }

    /// <summary>The last one told nothing of the link: it got lost, or was held up here or on the way.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>The last one arrived slower than it was sent.</summary>
    public bool HasMetEnd { get; private set; }

    /// <summary>Probes begun.</summary>
    public int Count { get; private set; }

    /// <summary>What the next packet is to be marked with; 0 for none.</summary>
    public byte Cluster => SendingRate > 0 ? _cluster : (byte)0;

    public void Start(long bitsPerSecond, MonotonicTime now)
    {
        _cluster = (byte)(_cluster == byte.MaxValue ? 1 : _cluster + 1);
        (SendingRate, Rate, IsPending, _startedAt) = (bitsPerSecond, bitsPerSecond, true, now);
        (_packets, _bytes, _received, _receivedBytes, HasFailed) = (0, 0, 0, 0, false);
        Count++;
    }

    /// <summary>A packet was sent under <see cref="Cluster"/>.</summary>
    public void NoteSent(int bytes, MonotonicTime now)
    {
        if (_packets++ == 0)
            _firstSent = now;

        (_lastSent, _lastSize) = (now, bytes);
        _bytes += bytes;
        if (_packets >= MinimumPackets && _bytes * BitsPerByte >= SendingRate * s_length.TotalSeconds)
            SendingRate = 0;
    }

    /// <summary>A packet has arrived.</summary>
    public void NoteReceived(byte cluster, int bytes, TimeSpan arrival)
    {
        if (cluster == 0 || cluster != _cluster || !IsPending)
            return;

        if (_received++ == 0)
            (_firstArrival, _lastArrival, _firstReceivedSize) = (arrival, arrival, bytes);

        _lastArrival = arrival > _lastArrival ? arrival : _lastArrival;
        _receivedBytes += bytes;
    }

    /// <summary>Gives up what takes too long.</summary>
    public void HandleTimeout(MonotonicTime now)
    {
        if (!IsPending || now - _startedAt <= s_patience)
            return;

        Cancel();
        HasFailed = true;
    }

    public void Cancel() => (SendingRate, IsPending) = (0, false);

    /// <summary>True once a probe has a result, after feedback.</summary>
    /// <param name="bitsPerSecond">What the link has shown to carry.</param>
    public bool TryTakeResult(out long bitsPerSecond)
    {
        bitsPerSecond = 0;
        if (!IsPending || SendingRate > 0 || _received < _packets * MinimumReceived)
            return false;

        IsPending = false;
        // One size at each end is left out: what stands between the first and the last instant are the intervals.
        var sendTime = (_lastSent - _firstSent).TotalSeconds;
        var receiveTime = (_lastArrival - _firstArrival).TotalSeconds;
        var sent = (_bytes - _lastSize) * BitsPerByte / sendTime;
        var received = (_receivedBytes - _firstReceivedSize) * BitsPerByte / receiveTime;
        HasFailed = sendTime <= 0 || receiveTime <= 0 || received > sent * PlausibleGain;
        if (HasFailed)
            return false;

        HasMetEnd = received < SlowedDown * sent;
        bitsPerSecond = (long)(HasMetEnd ? Utilization * received : Math.Min(sent, received));
        HasFailed = !HasMetEnd && bitsPerSecond < Success * Rate;
        return true;
    }
}
