using System.Buffers.Binary;
using System.Text;
using Agent.Rtc.Congestion;
using Agent.Rtc.Rtcp;

namespace Agent.Rtc.Rtp;

/// <summary>What SDP settled for the video sent to one viewer.</summary>
/// <param name="Ssrc">Media SSRC.</param>
/// <param name="RtxSsrc">RTX SSRC (RFC 4588 SSRC multiplexing); used only if <paramref name="RtxPayloadType"/> is set.</param>
/// <param name="PayloadType">H.264 payload type.</param>
/// <param name="RtxPayloadType">RTX payload type, or <c>null</c> if the peer has none.</param>
/// <param name="Cname">RFC 7022 CNAME, at most 255 bytes.</param>
/// <param name="Mid">The mid, or <c>null</c>; one longer than 16 bytes is not sent.</param>
/// <param name="Extensions">The header extensions agreed.</param>
/// <param name="ReducedSizeRtcp">Whether a=rtcp-rsize was agreed (RFC 5506).</param>
public sealed record RtpVideoSenderOptions(
    uint Ssrc, uint RtxSsrc, byte PayloadType, byte? RtxPayloadType, string Cname, string? Mid, RtpExtensionIds Extensions, bool ReducedSizeRtcp)
{
    /// <summary>How long the receiver is asked to hold pictures back, if it understands that.</summary>
    public PlayoutDelay PlayoutDelay { get; init; }

    /// <summary>What the encoder makes at most, bit/s. Sending is paced and the link estimated; <c>null</c> does neither.</summary>
    public long? MaximumBitrate { get; init; }
}

/// <summary>Counters of one viewer's video, for the status and the metrics.</summary>
/// <param name="PacketsSent">RTP packets, retransmissions among them.</param>
/// <param name="BytesSent">Their bytes with RTP headers, before protection.</param>
/// <param name="FramesSent">Frames sent to their last packet.</param>
/// <param name="FramesDropped">Frames dropped: before the first IDR, on overflow and until the next IDR, after <see cref="RtpVideoSender.Close"/>.</param>
/// <param name="KeyFramesSent">IDR frames among those sent.</param>
/// <param name="PacketsRetransmitted">Retransmissions.</param>
/// <param name="NacksReceived">Generic NACK messages.</param>
/// <param name="PlisReceived">Picture loss indications.</param>
/// <param name="FirsReceived">Full intra requests, repetitions left out.</param>
/// <param name="FractionLost">0 to 1, of the receiver's last report.</param>
/// <param name="CumulativeLost">Packets, of the receiver's last report.</param>
/// <param name="Jitter">Of the receiver's last report.</param>
/// <param name="RoundTripTime">From the receiver's last report.</param>
/// <param name="MalformedRtcp">RTCP packets, or parts of a compound one, that could not be read.</param>
public readonly record struct RtpVideoSenderStatistics(
    long PacketsSent, long BytesSent, long FramesSent, long FramesDropped, long KeyFramesSent, long PacketsRetransmitted, long NacksReceived,
    long PlisReceived, long FirsReceived, double FractionLost, long CumulativeLost, TimeSpan? Jitter, TimeSpan? RoundTripTime, long MalformedRtcp)
{
    /// <summary>Packets asked for again beyond what the retransmission queue holds, or beyond the bytes of the video itself.</summary>
    public long RetransmissionsDropped { get; init; }

    /// <summary>The link as it is estimated; <c>null</c> if it is not.</summary>
    public CongestionStatus? Congestion { get; init; }

    /// <summary>For how long the viewer is asked to hold pictures back at least: as configured, or more while its link loses packets.</summary>
    public TimeSpan PlayoutDelayMinimum { get; init; }

    /// <summary>
    /// How long a packet takes from the encoder to the viewer's decoder, as far as this side knows: half a round trip, what waits to be
    /// sent, and for how long the receiver holds back, be it for jitter or because it is asked to; <c>null</c> before the first report.
    /// </summary>
    public TimeSpan? Latency => RoundTripTime / 2 + (Congestion?.QueueDelay ?? TimeSpan.Zero) + (Jitter > PlayoutDelayMinimum ? Jitter : PlayoutDelayMinimum);
}

/// <summary>
/// The RTP and RTCP side of one viewer's video: queued frames out as RTP packets on demand, history for NACK, RTX, sender reports,
/// feedback in. Packets are written without protection; the session protects them. Sans-IO, not thread-safe.
/// </summary>
public sealed partial class RtpVideoSender
{
    /// <summary>Most bytes that a packet has beyond its payload: header, extensions, original sequence number.</summary>
    public const int MaximumOverhead = RtpHeaderWriter.MaximumLength + OriginalSequenceLength;

    /// <summary>RFC 4588 §4: the original sequence number in front of the payload.</summary>
    private const int OriginalSequenceLength = sizeof(ushort);

    /// <summary>
    /// Sequence numbers start in the lower half (RFC 3711 §3.3.1): a receiver that loses the first packets would else take a
    /// wraparound among them for none.
    /// </summary>
    private const ushort FirstSequenceMask = 0x7FFF;

    /// <summary>Video clock (RFC 6184 §8.1).</summary>
    private const int ClockRate = 90_000;

    /// <summary>How often an IDR is asked for while frames are dropped for want of one; a request may get lost in a rate limit.</summary>
    private static readonly TimeSpan s_keyFrameRequestInterval = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A viewer whose link cannot carry the stream overflows again and again, and an IDR for it costs all others: it gets one ever less
    /// often, until it has kept up for a while.
    /// </summary>
    private static readonly TimeSpan s_longestOverflowDelay = TimeSpan.FromSeconds(16);
    private static readonly TimeSpan s_overflowMemory = TimeSpan.FromSeconds(30);

    private readonly RtpVideoSenderOptions _options;
    private readonly RtpHeaderWriter _headers;
    private readonly byte[] _cname;
    private readonly uint _timestampOffset;
    private readonly RtpSendBuffer _buffer;
    private readonly RetransmissionQueue _retransmissions = new();
    private readonly SenderReports _reports;
    private readonly CongestionControl? _congestion;
    private readonly RepairDelay? _repairDelay;
    private ushort _nextRtxSequence;
    private ushort _nextTransportSequence;
    private bool _awaitingKeyFrame = true;
    private bool _keyFrameRequested;
    private MonotonicTime? _keyFrameRequestedAt;
    private MonotonicTime _overflowedAt;
    private TimeSpan _overflowDelay;
    private (uint Timestamp, MonotonicTime CapturedAt)? _lastFrame;
    private (uint SenderSsrc, byte SequenceNumber)? _lastFir;
    private uint _reportedPackets;
    private uint _reportedOctets;
    private bool _closed;
    private bool _byeDue;
    private long _packetsSent;
    private long _bytesSent;
    private long _framesSent;
    private long _framesDropped;
    private long _keyFramesSent;
    private long _packetsRetransmitted;
    private long _nacksReceived;
    private long _plisReceived;
    private long _firsReceived;
    private long _malformedRtcp;

    /// <exception cref="ArgumentException">The CNAME is longer than an SDES item.</exception>
    public RtpVideoSender(RtpVideoSenderOptions options, IRandomSource random, MonotonicTime now)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(random);
        _options = options;
        _cname = Encoding.UTF8.GetBytes(options.Cname);
        if (_cname.Length > RtcpWriter.MaximumItemLength)
            throw new ArgumentException($"The CNAME has {_cname.Length} bytes; an SDES item holds {RtcpWriter.MaximumItemLength}.", nameof(options));

        var extensions = options.RtxPayloadType is null ? options.Extensions.Unchanging : options.Extensions;
        _headers = new RtpHeaderWriter(extensions, options.Mid, options.PlayoutDelay);
        Span<byte> bytes = stackalloc byte[8];
        random.Fill(bytes);
        _timestampOffset = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        _buffer = new RtpSendBuffer(BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]) & FirstSequenceMask);
        _nextRtxSequence = (ushort)(BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]) & FirstSequenceMask);
        _reports = new SenderReports(random, now);
        if (options.MaximumBitrate is { } maximum)
            _congestion = new CongestionControl(_headers.HasTransportSequence, maximum, now);

        // Without RTX what is sent again is the very same packet, so that its headers must not change.
        if (options.MaximumBitrate is not null && options.RtxPayloadType is not null && extensions.PlayoutDelay != 0)
            _repairDelay = new RepairDelay(options.PlayoutDelay);
    }

    /// <summary>The peer said BYE.</summary>
    public bool RemoteSaidBye { get; private set; }

    /// <summary>The link as it is estimated; <c>null</c> if it is not.</summary>
    public CongestionStatus? Congestion => _congestion?.GetStatus(_buffer.QueuedBytes);

    /// <summary>What the encoder may make for this viewer, bit/s; <c>null</c> if the link is not estimated.</summary>
    public long? VideoBitrate => _congestion?.VideoBitrate;

    /// <summary>When a report or a paced packet is due; in the past while a BYE is.</summary>
    public MonotonicTime NextTimeout =>
        _congestion is { } congestion && (_buffer.HasQueued || _retransmissions.HasQueued || congestion.WantsPadding)
            ? MonotonicTime.Min(NextReport, MonotonicTime.Max(_heldUntil, congestion.NextSend))
            : NextReport;

    private MonotonicTime NextReport => _byeDue ? MonotonicTime.Zero : _closed ? MonotonicTime.Never : _reports.NextAt;

    /// <summary>True once after the peer (PLI, FIR) or the queue (overflow, first frame) needs an IDR; reading clears it.</summary>
    public bool TakeKeyFrameRequest()
    {
        var requested = _keyFrameRequested;
        _keyFrameRequested = false;
        return requested;
    }

    /// <summary>
    /// Queues a frame (takes its own reference). Before the first IDR, and after the queue has overflowed, frames are dropped and
    /// counted until the next IDR.
    /// </summary>
    public void WriteFrame(PacketizedFrame frame, MonotonicTime now)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (frame.PacketCount == 0)
            return;

        if (_closed)
        {
            _framesDropped++;
            return;
        }

        if (_buffer.IsFull(frame.TotalBytes, now))
        {
            _framesDropped += _buffer.DropQueued();
            if (!_awaitingKeyFrame)
                NoteOverflow(now);

            _awaitingKeyFrame = true;
        }

        if (_awaitingKeyFrame && !frame.IsKeyFrame)
        {
            _framesDropped++;
            if (now - _overflowedAt >= _overflowDelay && (_keyFrameRequestedAt is not { } at || now - at >= s_keyFrameRequestInterval))
            {
                _keyFrameRequested = true;
                _keyFrameRequestedAt = now;
            }

            return;
        }

        if (frame.IsKeyFrame && _isMending)
            Replace();

        _awaitingKeyFrame = false;
        _keyFrameRequestedAt = null;
        _buffer.Enqueue(frame, now);
    }

    /// <summary>The next frame is an IDR of another encoding: drops and counts what waits, and sends nothing again of what was before.</summary>
    public void StartOver() => Replace();

    private void NoteOverflow(MonotonicTime now)
    {
        var isRepeated = _overflowedAt != default && now - _overflowedAt < s_overflowMemory;
        var longer = _overflowDelay > TimeSpan.Zero ? 2 * _overflowDelay : s_keyFrameRequestInterval;
        _overflowDelay = !isRepeated ? TimeSpan.Zero : longer < s_longestOverflowDelay ? longer : s_longestOverflowDelay;
        _overflowedAt = now;
    }

    /// <summary>Writes the next RTP packet (retransmissions first, then queued frames, then what a probe needs); false when nothing is due.</summary>
    /// <param name="buffer">At least the largest payload and <see cref="MaximumOverhead"/>, and room for its protection.</param>
    /// <param name="now">The present.</param>
    /// <param name="wallClock">The present as capture times tell it.</param>
    /// <param name="length">Bytes of RTP packet.</param>
    public bool TryWriteRtp(Span<byte> buffer, MonotonicTime now, DateTimeOffset wallClock, out int length)
    {
        length = 0;
        _buffer.Trim(now, HistoryDuration);
        if (now < _heldUntil || _congestion is { } congestion && !congestion.MaySend(now))
            return false;

        while (_retransmissions.TryTake(out var sequence))
        {
            // The frame may have left the history since the NACK.
            if (!_buffer.TryFind(sequence, out var lost))
                continue;

            if (!_retransmissions.TrySpend(lost.Frame.GetPayload(lost.PacketIndex).Length))
            {
                // A receiver waits for what it has asked for, Chromium three seconds, until it asks for an IDR.
                TryMend(now);
                continue;
            }

            length = _options.RtxPayloadType is { } rtx ? WriteRtx(buffer, lost, rtx, now, wallClock) : WriteMedia(buffer, lost, now, wallClock);
            _packetsRetransmitted++;
            return true;
        }

        if (!_buffer.TryTake(now, out var item))
            return TryWritePadding(buffer, now, wallClock, out length);

        length = WriteMedia(buffer, item, now, wallClock);
        _retransmissions.Earn(length, _congestion?.RetransmissionCredit ?? RetransmissionQueue.MaximumCredit);
        _lastFrame = (item.Frame.RtpTimestamp, item.Frame.CapturedAt);
        if (item.IsLast)
        {
            _framesSent++;
            _keyFramesSent += item.Frame.IsKeyFrame ? 1 : 0;
        }

        return true;
    }

    /// <summary>Writes the next RTCP compound packet when one is due (SR + SDES; BYE after <see cref="Close"/>).</summary>
    /// <remarks>
    /// While nothing was sent the report is an empty RR (RFC 3550 §6.4). The RTX stream gets no report of its own: receivers have no
    /// use for its clock, which is the video's.
    /// </remarks>
    public bool TryWriteRtcp(Span<byte> buffer, MonotonicTime now, DateTimeOffset wallClock, out int length)
    {
        length = 0;
        if (now < NextReport)
            return false;

        var writer = new RtcpWriter(buffer);
        if (_lastFrame is { } frame)
        {
            // The media clock at this very instant: captured frames are dated back by their way through the encoder.
            var sinceCapture = (now - frame.CapturedAt).Ticks * ClockRate / TimeSpan.TicksPerSecond;
            var info = new RtcpSenderInfo(
                NtpTime.From(wallClock), frame.Timestamp + _timestampOffset + (uint)sinceCapture, _reportedPackets, _reportedOctets);
            writer.WriteSenderReport(_options.Ssrc, info);
            _reports.Remember(info.NtpTimestamp, now);
        }
        else
        {
            writer.WriteEmptyReceiverReport(_options.Ssrc);
        }

        writer.WriteCname(_options.Ssrc, _cname);
        if (_byeDue)
            writer.WriteBye(_options.RtxPayloadType is null ? [_options.Ssrc] : [_options.Ssrc, _options.RtxSsrc]);

        _byeDue = false;
        _reports.Advance(now);
        length = writer.Length;
        return true;
    }

    /// <summary>Releases frames that are too old to be asked for again.</summary>
    public void HandleTimeout(MonotonicTime now)
    {
        _buffer.Trim(now, HistoryDuration);
        _congestion?.Link.HandleTimeout(now);
    }

    /// <summary>What the encoder makes at most from now on, bit/s; without effect if the link is not estimated.</summary>
    public void SetMaximumBitrate(long bitsPerSecond, MonotonicTime now) => _congestion?.SetMaximum(bitsPerSecond, now);

    /// <summary>Packets take another path from now on.</summary>
    public void HandleNewPath(MonotonicTime now) => _congestion?.Link.Restart(now);

    public RtpVideoSenderStatistics GetStatistics() => new(
        _packetsSent, _bytesSent, _framesSent, _framesDropped, _keyFramesSent, _packetsRetransmitted, _nacksReceived, _plisReceived, _firsReceived,
        _reports.FractionLost, _reports.CumulativeLost, _reports.Jitter, _reports.RoundTripTime, _malformedRtcp)
    {
        RetransmissionsDropped = _retransmissions.Dropped,
        PlayoutDelayMinimum = (_repairDelay?.Value ?? _options.PlayoutDelay).Minimum,
        Congestion = Congestion,
    };

    /// <summary>Releases every frame held and makes a BYE due.</summary>
    public void Close()
    {
        if (_closed)
            return;

        _buffer.Clear();
        _retransmissions.Clear();
        _closed = true;
        _byeDue = true;
    }

    /// <summary>The last packet once more, under an RTX number of its own, where a probe needs bytes and there is nothing new.</summary>
    private bool TryWritePadding(Span<byte> buffer, MonotonicTime now, DateTimeOffset wallClock, out int length)
    {
        length = 0;
        if (_congestion is not { WantsPadding: true } || _options.RtxPayloadType is not { } rtx || !_buffer.TryFind(_buffer.NextSequence - 1, out var last))
            return false;

        length = WriteRtx(buffer, last, rtx, now, wallClock);
        return true;
    }

    /// <summary>
    /// Writes a packet of the video stream. A plain retransmission comes out byte for byte as the first time, on which
    /// <see cref="Srtp.SrtpContext.ProtectRtp"/> relies.
    /// </summary>
    private int WriteMedia(Span<byte> buffer, RtpSendItem item, MonotonicTime now, DateTimeOffset wallClock)
    {
        var payload = item.Frame.GetPayload(item.PacketIndex);
        var header = new RtpHeader(
            item.IsLast, _options.PayloadType, (ushort)item.Sequence, item.RtpTimestamp + _timestampOffset, _options.Ssrc);
        var headerLength = WriteHeader(buffer, header, item, now, wallClock);
        payload.CopyTo(buffer[headerLength..]);
        _reportedPackets++;
        _reportedOctets += (uint)payload.Length;
        return CountSent(headerLength + payload.Length, item, isRepair: item.Sequence < _buffer.NextSequence - 1, now);
    }

    /// <summary>Writes a retransmission as RFC 4588 §4 has it: own SSRC, sequence numbers and payload type, the same timestamp.</summary>
    private int WriteRtx(Span<byte> buffer, RtpSendItem item, byte payloadType, MonotonicTime now, DateTimeOffset wallClock)
    {
        var payload = item.Frame.GetPayload(item.PacketIndex);
        var header = new RtpHeader(
            item.IsLast, payloadType, _nextRtxSequence++, item.RtpTimestamp + _timestampOffset, _options.RtxSsrc);
        var headerLength = WriteHeader(buffer, header, item, now, wallClock);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[headerLength..], (ushort)item.Sequence);
        payload.CopyTo(buffer[(headerLength + OriginalSequenceLength)..]);
        return CountSent(headerLength + OriginalSequenceLength + payload.Length, item, isRepair: true, now);
    }

    private int WriteHeader(Span<byte> buffer, RtpHeader header, RtpSendItem item, MonotonicTime now, DateTimeOffset wallClock)
    {
        var capturedAt = item.PacketIndex == 0 ? NtpTime.From(wallClock - (now - item.Frame.CapturedAt)) : 0;
        return _headers.Write(buffer, header, _nextTransportSequence++, now, capturedAt);
    }

    private int CountSent(int length, RtpSendItem item, bool isRepair, MonotonicTime now)
    {
        _congestion?.NoteSent(length, item.Frame.IsKeyFrame ? item.Frame.TotalBytes : 0, isRepair, now);
        _packetsSent++;
        _bytesSent += length;
        return length;
    }
}
