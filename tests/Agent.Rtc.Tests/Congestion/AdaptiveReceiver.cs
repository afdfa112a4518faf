using System.Buffers.Binary;
using Agent.Rtc.Rtp;
using Agent.Rtc.Tests.Network;
using Agent.Rtc.Tests.Rtcp;

namespace Agent.Rtc.Tests.Congestion;

/// <summary>What a browser does as far as the sender notices: feedback every 100 ms, a report every second, NACK for what is missing.</summary>
internal sealed class AdaptiveReceiver(string local, string remote, MonotonicTime now) : SimulatedNode(AdaptiveStream.Parse(local))
{
    private static readonly TimeSpan s_feedbackInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_reportInterval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan s_nackInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>Until a packet is given up and an IDR asked for.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    /// <summary>Its clock has another zero than the sender's.</summary>
    private static readonly TimeSpan s_clockOffset = TimeSpan.FromMinutes(-7);

    private readonly TransportAddress _remote = AdaptiveStream.Parse(remote);
    private readonly Queue<byte[]> _outgoing = [];
    private readonly SortedDictionary<long, TimeSpan> _arrivals = [];
    private readonly SortedDictionary<long, bool> _waiting = [];
    private readonly Dictionary<long, (MonotonicTime Since, MonotonicTime Asked)> _missing = [];
    private MonotonicTime _feedbackAt = now + s_feedbackInterval;
    private MonotonicTime _reportAt = now + s_reportInterval;
    private long _highestTransport = -1;
    private long _reportedTransport = -1;
    private long _highest = -1;
    private long _next = -1;
    private long _expectedBefore;
    private long _receivedBefore;
    private long _received;
    private bool _needsKeyFrame;

    /// <summary>For the sum of all rates in its report, as REMB.</summary>
    public long? Estimate { get; set; }

    public bool SendsTransportFeedback { get; init; } = true;

    public bool AsksForKeyFrames { get; init; } = true;

    /// <summary>Nothing at all comes back.</summary>
    public bool IsSilent { get; set; }

    public long ReceivedBits { get; private set; }

    /// <summary>When each picture was complete, those in front of it too.</summary>
    public List<MonotonicTime> Pictures { get; } = [];

    public override MonotonicTime NextTimeout => MonotonicTime.Min(_feedbackAt, _reportAt);

    public override void HandleTimeout(MonotonicTime now)
    {
        if (now >= _feedbackAt)
        {
            _feedbackAt += s_feedbackInterval;
            SendNack(now);
            SendTransportFeedback();
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

        for (var gap = _highest + 1; _highest >= 0 && gap < sequence; gap++)
            _missing.TryAdd(gap, (now, MonotonicTime.Zero));

        _missing.Remove(sequence);
        _highest = Math.Max(_highest, sequence);
        if (sequence >= _next)
            _waiting[sequence] = header.Marker;

        TakePictures(now);
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

    private void TakePictures(MonotonicTime now)
    {
        // What is not to be had any more is passed over.
        while (_waiting.Count > 0)
        {
            if (_waiting.Remove(_next, out var isLast))
            {
                if (isLast)
                    Pictures.Add(now);

                _next++;
            }
            else if (!_missing.TryGetValue(_next, out var missing) || now - missing.Since > s_patience)
            {
                _missing.Remove(_next++);
                _needsKeyFrame = true;
            }
            else
            {
                return;
            }
        }
    }

    private void SendNack(MonotonicTime now)
    {
        if (_needsKeyFrame && AsksForKeyFrames)
            Send(RtcpTestPackets.Pli(AdaptiveStream.Ssrc));

        _needsKeyFrame = false;
        var due = _missing.Where(one => now - one.Value.Asked > s_nackInterval).Select(one => one.Key).Order().Take(200).ToArray();
        if (due.Length == 0)
            return;

        foreach (var sequence in due)
            _missing[sequence] = (_missing[sequence].Since, now);

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
