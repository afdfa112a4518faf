using Agent.Rtc.Rtcp;
using Agent.Rtc.Rtp;
using Agent.Rtc.Srtp;

namespace Agent.Rtc.Congestion;

/// <summary>What is known of one viewer's link, and what waits for it.</summary>
/// <param name="EstimateBps">What the link carries, bit/s with all headers.</param>
/// <param name="AcknowledgedBps">What arrives, bit/s; <c>null</c> without transport-wide feedback.</param>
/// <param name="Usage">What the delay says.</param>
/// <param name="Loss">0 to 1, of the last interval.</param>
/// <param name="Probes">Probes sent.</param>
/// <param name="QueuedBytes">Waiting to be sent.</param>
/// <param name="QueueDelay">How long that takes at the pace of sending.</param>
public readonly record struct CongestionStatus(
    long EstimateBps, long? AcknowledgedBps, BandwidthUsage Usage, double Loss, int Probes, int QueuedBytes, TimeSpan QueueDelay);

/// <summary>Decides when one viewer's next packet may leave: paced by the estimate of the link, or at the rate of a probe.</summary>
internal sealed class CongestionControl(bool hasTransportFeedback, long maximum, MonotonicTime now)
{
    /// <summary>Beyond the packet itself: SRTP's tag, UDP (RFC 768) and IPv4 (RFC 791) headers.</summary>
    private const int PacketOverhead = SrtpContext.MaximumOverhead + 8 + 20;
    private const int BitsPerByte = 8;

    /// <summary>Pictures differ in size while the link does not: faster than the estimate, so that one leaves before the next comes.</summary>
    private const double PacingFactor = 2.5;

    /// <summary>
    /// After a collapse the queue on the path is full, and drops what comes faster than it drains: until it is short again, but no longer
    /// than the second of these, nothing is sent faster than the link carries, and the video leaves a part of it.
    /// </summary>
    private static readonly TimeSpan s_leastDrainTime = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_longestDrainTime = TimeSpan.FromSeconds(4);
    private const double DrainShare = 0.75;

    /// <summary>The longest that an IDR picture may take, however slow the link: whoever waits for it sees nothing.</summary>
    private static readonly TimeSpan s_keyFrameTime = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan s_retransmissionTime = TimeSpan.FromMilliseconds(500);

    /// <summary>Beside the video the link carries headers, retransmissions and probes.</summary>
    private const double Headroom = 1.25;

    /// <summary>What the headers of packets of 1200 bytes leave, with some margin.</summary>
    private const double VideoShare = 0.9;

    /// <summary>What the video keeps however much is sent again.</summary>
    private const double LeastShare = 0.4;

    private static readonly TimeSpan s_repairInterval = TimeSpan.FromMilliseconds(500);

    private readonly Pacer _pacer = new();
    private long _repairBytes;
    private double _repairRate;
    private MonotonicTime _repairSince = now;
    private MonotonicTime? _collapsedAt;

    public LinkEstimate Link { get; } = new(hasTransportFeedback, (long)(maximum * Headroom), now);

    /// <summary>What the encoder may make, bit/s: the link's rate without headers and what is sent again.</summary>
    public long VideoBitrate =>
        (long)(VideoShare * (_collapsedAt is null ? 1 : DrainShare) * Math.Max(Link.BitsPerSecond - _repairRate, LeastShare * Link.BitsPerSecond));

    /// <summary>More video than this there is not, bit/s.</summary>
    public void SetMaximum(long bitsPerSecond, MonotonicTime present) => Link.SetMaximum((long)(bitsPerSecond * Headroom), present);

    /// <summary>A probe is to be filled up with packets sent before.</summary>
    public bool WantsPadding => Link.ProbeRate > 0;

    public bool MaySend(MonotonicTime present) => _pacer.MaySend(Burst, present);

    /// <summary>When the next packet may be sent, if there is one.</summary>
    public MonotonicTime NextSend => _pacer.GetNext(Burst);

    /// <summary>
    /// Bytes of retransmissions that may be saved up: they go first, and on a link that has become narrow those of all that it lost would
    /// hold up the video for seconds.
    /// </summary>
    public int RetransmissionCredit => (int)Math.Min(Link.BitsPerSecond * s_retransmissionTime.TotalSeconds / BitsPerByte, RetransmissionQueue.MaximumCredit);

    /// <summary>A packet was sent.</summary>
    /// <param name="length">Bytes of RTP packet.</param>
    /// <param name="keyFrameBytes">Bytes of the IDR picture that is being sent; 0 if it is none.</param>
    /// <param name="isRepair">It is sent again.</param>
    /// <param name="present">The present.</param>
    public void NoteSent(int length, int keyFrameBytes, bool isRepair, MonotonicTime present)
    {
        _repairBytes += isRepair && Link.ProbeRate == 0 ? length + PacketOverhead : 0;
        if (present - _repairSince >= s_repairInterval)
        {
            var rate = _repairBytes * BitsPerByte / (present - _repairSince).TotalSeconds;
            (_repairRate, _repairBytes, _repairSince) = ((_repairRate + rate) / 2, 0, present);
        }

        var wasProbing = Link.ProbeRate > 0;
        Link.NoteSent(length + PacketOverhead, present);
        if (!wasProbing && Link.ProbeRate > 0)
            _pacer.Restart(present);

        _pacer.NoteSent(length + PacketOverhead, GetRate(keyFrameBytes), isRateExact: Link.ProbeRate > 0, present);
    }

    /// <summary>True if it says that the link carries less than half of what it did.</summary>
    public bool HandleTransportFeedback(ref RtcpTransportFeedback feedback, MonotonicTime present)
    {
        Link.HandleFeedback(ref feedback, present);
        var since = present - _collapsedAt;
        if (since > s_longestDrainTime || (since > s_leastDrainTime && !Link.IsQueued))
            _collapsedAt = null;

        if (!Link.TakeCollapse())
            return false;

        _collapsedAt = present;
        return true;
    }

    public CongestionStatus GetStatus(int queuedBytes) => new(
        Link.BitsPerSecond, Link.Acknowledged, Link.Usage, Link.Loss, Link.Probes, queuedBytes,
        TimeSpan.FromSeconds((double)queuedBytes * BitsPerByte / GetRate(0)));

    /// <summary>A probe is sent packet by packet: what its burst says is not what the link carries.</summary>
    private TimeSpan Burst => Link.ProbeRate > 0 ? TimeSpan.Zero : Pacer.Burst;

    private long GetRate(int keyFrameBytes) => Link.ProbeRate > 0
        ? Link.ProbeRate
        : (long)Math.Max((_collapsedAt is null ? PacingFactor : 1) * Link.BitsPerSecond, keyFrameBytes * BitsPerByte / s_keyFrameTime.TotalSeconds);
}
