using System.Buffers.Binary;
using Agent.Rtc.Rtp;
using Agent.Rtc.Tests.Network;
using Agent.Rtc.Tests.Rtcp;

namespace Agent.Rtc.Tests.Congestion;

/// <summary>
/// What Chromium does as far as the sender notices: feedback every 50 ms, a report every second, a NACK for what is missing at once and
/// again and again, an IDR asked for after three seconds without a picture. Only what can be decoded is shown.
/// </summary>
internal sealed class AdaptiveReceiver(string local, string remote, MonotonicTime now) : SimulatedNode(AdaptiveStream.Parse(local))
{
    private static readonly TimeSpan s_feedbackInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_reportInterval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan s_nackCheckInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_nackInterval = TimeSpan.FromMilliseconds(100);
    private const int MaximumNacks = 10;

    /// <summary>Without a picture, until an IDR is asked for.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    /// <summary>Its clock has another zero than the sender's.</summary>
    private static readonly TimeSpan s_clockOffset = TimeSpan.FromMinutes(-7);

    private readonly TransportAddress _remote = AdaptiveStream.Parse(remote);
    private readonly Queue<byte[]> _outgoing = [];
    private readonly SortedDictionary<long, TimeSpan> _arrivals = [];
    private readonly SortedDictionary<long, PacketKind> _waiting = [];
    private readonly SortedDictionary<long, (MonotonicTime Asked, int Times)> _missing = [];
    private MonotonicTime _feedbackAt = now;
    private MonotonicTime _nackAt = now;
    private MonotonicTime _reportAt = now + s_reportInterval;
    private MonotonicTime _shownAt = now;
    private long _highestTransport = -1;
    private long _reportedTransport = -1;
    private long _highest = -1;
    private long _next = -1;
    private long _expectedBefore;
    private long _receivedBefore;
    private long _received;

    [Flags]
    private enum PacketKind
    {
        Within = 0,
        First = 1,
        Last = 2,
        KeyFrame = 4,
    }

    /// <summary>For the sum of all rates in its report, as REMB.</summary>
    public long? Estimate { get; set; }

    public bool SendsTransportFeedback { get; init; } = true;

    public bool AsksForKeyFrames { get; init; } = true;

    /// <summary>Nothing at all comes back.</summary>
    public bool IsSilent { get; set; }

    public long ReceivedBits { get; private set; }

    /// <summary>The highest sequence number received, extended.</summary>
    public long Highest => _highest;

    /// <summary>When each picture was there, and those that it needs.</summary>
    public List<MonotonicTime> Pictures { get; } = [];

    public override MonotonicTime NextTimeout => MonotonicTime.Min(_nackAt, MonotonicTime.Min(_feedbackAt, _reportAt));

    public override void HandleTimeout(MonotonicTime now)
    {
        if (now >= _feedbackAt)
        {
            _feedbackAt += s_feedbackInterval;
            SendTransportFeedback();
        }

        if (now >= _nackAt)
        {
            _nackAt += s_nackCheckInterval;
            SendNack(now);
            if (AsksForKeyFrames && now - _shownAt > s_patience)
            {
                _shownAt = now;
                Send(RtcpTestPackets.Pli(AdaptiveStream.Ssrc));
            }
        }

        if (now >= _reportAt)
        {
            _reportAt += s_reportInterval;
            SendReport();
        }
    }

    public override void HandleDatagram(Span<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now)
    {
        if (!RtpHeader.TryParse(datagram, out var header, out var length) || header.PayloadType is not (102 or 103))
            return;

        ReceivedBits += (datagram.Length + 44) * 8;
        if (RtpHeader.TryGetExtension(datagram, AdaptiveStream.TransportSequenceId, out var transport))
        {
            var extended = Extend(_highestTransport, BinaryPrimitives.ReadUInt16BigEndian(transport));
            _highestTransport = Math.Max(_highestTransport, extended);
            _arrivals[extended] = now.SinceZero + s_clockOffset;
        }

        var sequence = Extend(_highest, header.Ssrc == AdaptiveStream.RtxSsrc ? BinaryPrimitives.ReadUInt16BigEndian(datagram[length..]) : header.SequenceNumber);
        _received += header.Ssrc == AdaptiveStream.RtxSsrc ? 0 : 1;
        if (_next < 0)
            _next = sequence;

        var hasGap = _highest >= 0 && sequence > _highest + 1;
        for (var gap = _highest + 1; _highest >= 0 && gap < sequence; gap++)
            _missing.TryAdd(gap, default);

        _missing.Remove(sequence);
        _highest = Math.Max(_highest, sequence);
        if (sequence >= _next)
            _waiting[sequence] = GetKind(datagram[(header.Ssrc == AdaptiveStream.RtxSsrc ? length + 2 : length)..], header.Marker);

        TakePictures(now);
        if (hasGap)
            SendNack(now);
    }

    public override bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, out Transmit transmit)
    {
        transmit = default;
        if (!_outgoing.TryDequeue(out var packet))
            return false;

        packet.CopyTo(buffer);
        transmit = new Transmit(packet.Length, Addresses[0], _remote);
        return !IsSilent;
    }

    private static long Extend(long highest, ushort number) => highest < 0 ? number : highest + (short)(number - (ushort)highest);

    /// <summary>From the NAL unit's header (RFC 6184 §5.4, §5.8); these pictures have one.</summary>
    private static PacketKind GetKind(ReadOnlySpan<byte> payload, bool marker)
    {
        const int TypeMask = 0x1F;
        const int FuA = 28;
        const int StartBit = 0x80;
        const int Idr = 5;
        var isFragment = (payload[0] & TypeMask) == FuA;
        var type = (isFragment ? payload[1] : payload[0]) & TypeMask;
        return (marker ? PacketKind.Last : 0) | (!isFragment || (payload[1] & StartBit) != 0 ? PacketKind.First : 0) | (type == Idr ? PacketKind.KeyFrame : 0);
    }

    private void TakePictures(MonotonicTime now)
    {
        while (TryComplete(_next, out var last) || TrySkipToKeyFrame(out last))
        {
            Pictures.Add(now);
            _shownAt = now;
            _next = last + 1;
            foreach (var passed in _waiting.Keys.TakeWhile(sequence => sequence < _next).ToArray())
                _waiting.Remove(passed);

            foreach (var passed in _missing.Keys.TakeWhile(sequence => sequence < _next).ToArray())
                _missing.Remove(passed);
        }
    }

    private bool TryComplete(long first, out long last)
    {
        for (last = first; _waiting.TryGetValue(last, out var kind); last++)
        {
            if (kind.HasFlag(PacketKind.Last))
                return true;
        }

        return false;
    }

    private bool TrySkipToKeyFrame(out long last)
    {
        foreach (var (sequence, kind) in _waiting)
        {
            if (kind.HasFlag(PacketKind.First | PacketKind.KeyFrame) && TryComplete(sequence, out last))
                return true;
        }

        last = 0;
        return false;
    }

    private void SendNack(MonotonicTime now)
    {
        var due = _missing.Where(one => one.Value.Times < MaximumNacks && now - one.Value.Asked >= s_nackInterval).Select(one => one.Key).ToArray();
        if (due.Length == 0)
            return;

        foreach (var sequence in due)
            _missing[sequence] = (now, _missing[sequence].Times + 1);

        Send(RtcpTestPackets.Nack(AdaptiveStream.Ssrc, due.Select(sequence => (ushort)sequence)));
    }

    private void SendTransportFeedback()
    {
        if (_arrivals.Count == 0 || !SendsTransportFeedback)
            return;

        var first = _reportedTransport < 0 ? _arrivals.First().Key : _reportedTransport + 1;
        var arrivals = new TimeSpan?[_highestTransport - first + 1];
        foreach (var (sequence, arrival) in _arrivals.Where(one => one.Key >= first))
            arrivals[sequence - first] = arrival;

        _arrivals.Clear();
        _reportedTransport = _highestTransport;
        if (arrivals.Any(arrival => arrival is not null))
            Send(TransportFeedbackPackets.Make(AdaptiveStream.Ssrc, (ushort)first, arrivals));
    }

    private void SendReport()
    {
        var expected = _highest + 1 - _expectedBefore;
        var lost = Math.Clamp(expected - (_received - _receivedBefore), 0, Math.Max(expected, 1));
        (_expectedBefore, _receivedBefore) = (_highest + 1, _received);
        Send(RtcpTestPackets.Report(AdaptiveStream.Ssrc, (byte)Math.Min(255, 256 * lost / Math.Max(expected, 1)), 0, 90, 0, 0));
        if (Estimate is { } estimate)
            Send(RtcpTestPackets.Remb(AdaptiveStream.Ssrc, estimate));
    }

    private void Send(byte[] packet) => _outgoing.Enqueue(packet);
}
