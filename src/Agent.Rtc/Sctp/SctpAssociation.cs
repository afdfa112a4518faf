using System.Buffers.Binary;

namespace Agent.Rtc.Sctp;

/// <summary>RFC 9260 §4, as far as this side gets: it never begins a SHUTDOWN, because the end of DTLS is the end of its channels.</summary>
internal enum SctpState
{
    New,
    CookieWait,
    CookieEchoed,
    Established,
    ShutdownReceived,
    ShutdownAckSent,
    Closed,
}

/// <summary>
/// One SCTP association over DTLS (RFC 8261, RFC 8831): one path of fixed MTU, both sides beginning at once. Sans-IO: packets and time in,
/// <see cref="TryWritePacket"/> out; what is received goes to the handler within <see cref="HandlePacket"/>.
/// </summary>
internal sealed partial class SctpAssociation
{
    /// <summary>Streams each way. Browsers number their channels from 0 up; RFC 8831 §6.2 lets a side take fewer than 65535.</summary>
    public const int StreamCount = 1024;

    /// <summary>RFC 9260 §16: Association.Max.Retrans and, for the handshake, Max.Init.Retransmits.</summary>
    private const int MaximumRetransmissions = 10;
    private const int MaximumInitRetransmissions = 8;

    private readonly ISctpHandler _handler;
    private readonly ushort _localPort;
    private readonly ushort _remotePort;
    private readonly uint _localTag;
    private readonly uint _initialTsn;
    private readonly byte[] _cookieKey = new byte[SctpCookie.KeyLength];
    private SctpInit _peer;
    private SctpSender? _sender;
    private SctpReceiver? _receiver;
    private byte[]? _heartbeat;
    private int _heartbeatLength;
    private MonotonicTime _handshakeAt = MonotonicTime.Never; // T1-init, T1-cookie
    private MonotonicTime _shutdownAt = MonotonicTime.Never; // T2-shutdown
    private int _attempts;
    private SctpErrorCause? _abortDue;

    /// <param name="localPort">a=sctp-port of this side's SDP.</param>
    /// <param name="remotePort">a=sctp-port of the peer's.</param>
    /// <param name="handler">Is told what happens.</param>
    /// <param name="random">For the tag, the initial TSN and the cookie's key.</param>
    public SctpAssociation(ushort localPort, ushort remotePort, ISctpHandler handler, IRandomSource random)
    {
        (_localPort, _remotePort, _handler) = (localPort, remotePort, handler);
        Span<byte> numbers = stackalloc byte[2 * sizeof(uint)];
        random.Fill(numbers);
        random.Fill(_cookieKey);
        _localTag = Math.Max(BinaryPrimitives.ReadUInt32BigEndian(numbers), 1);
        _initialTsn = _nextRequest = BinaryPrimitives.ReadUInt32BigEndian(numbers[sizeof(uint)..]);
    }

    public SctpState State { get; private set; }

    /// <summary>Why it is over.</summary>
    public string? CloseReason { get; private set; }

    /// <summary>Bytes of messages that wait or are on their way.</summary>
    public int Buffered => _sender?.Buffered ?? 0;

    /// <summary>Packets that were no SCTP, or not of this association.</summary>
    public long PacketsDropped { get; private set; }

    /// <summary>The verification tag of packets to this side.</summary>
    public uint LocalTag => _localTag;

    /// <summary>What the receiving half keeps, as it counts it.</summary>
    public int ReceiverHeld => _receiver?.Held ?? 0;

    /// <summary>The sending half once established, for the statistics.</summary>
    public SctpSender? Sender => _sender;

    public MonotonicTime NextTimeout
    {
        get
        {
            var next = MonotonicTime.Min(_handshakeAt, MonotonicTime.Min(_shutdownAt, _resetAt));
            return _sender is null ? next : MonotonicTime.Min(next, MonotonicTime.Min(_sender.RetransmitAt, _receiver!.SackAt));
        }
    }

    /// <summary>Begins the handshake; the peer may do the same at the same time (RFC 9260 §5.2.1).</summary>
    public void Start(MonotonicTime now)
    {
        if (State != SctpState.New) return;
        State = SctpState.CookieWait;
        _isInitDue = true;
        _handshakeAt = now + RetransmissionTimeout.Initial;
    }

    /// <summary>Queues a message of at least one byte; false, if it cannot be sent now because too much waits or there is no association.</summary>
    public bool TrySend(ushort stream, uint ppid, ReadOnlySpan<byte> message, in SctpReliability reliability, MonotonicTime now) =>
        State == SctpState.Established && _sender!.TryQueue(stream, ppid, message, reliability, now);

    /// <summary>Handles one packet; malformed and foreign ones are dropped and counted.</summary>
    public void HandlePacket(ReadOnlySpan<byte> packet, MonotonicTime now)
    {
        if (State is SctpState.New or SctpState.Closed || !SctpPacket.TryParse(packet, out var parsed)
            || parsed.SourcePort != _remotePort || parsed.DestinationPort != _localPort)
        {
            PacketsDropped++;
            return;
        }

        var chunks = parsed.Chunks;
        var isFirst = true;
        while (State != SctpState.Closed && chunks.TryRead(out var chunk))
        {
            if (!HasRightTag(parsed.VerificationTag, chunk, isFirst))
            {
                PacketsDropped++;
                break;
            }

            // RFC 9260 §3.2: the highest bit of a type that is not known says whether the rest counts.
            if (!HandleChunk(chunk, now) && (byte)chunk.ChunkType < 0x80) break;
            isFirst = false;
        }

        _receiver?.EndPacket(now);
        TryAcknowledgeShutdown(now);
    }

    public void HandleTimeout(MonotonicTime now)
    {
        if (now >= _handshakeAt) HandleHandshakeTimeout(now);
        if (now >= _shutdownAt) HandleShutdownTimeout(now);
        if (now >= _resetAt) HandleResetTimeout(now);
        _receiver?.HandleTimeout(now);
        _sender?.HandleTimeout(now);
        if (_sender?.TimeoutsInARow > MaximumRetransmissions) Close("The peer has stopped acknowledging.");
    }

    /// <summary>Writes the next packet.</summary>
    /// <param name="buffer">At least <see cref="SctpFormat.MaximumPacketLength"/> bytes.</param>
    /// <param name="now">The present.</param>
    /// <param name="length">Of the packet.</param>
    public bool TryWritePacket(Span<byte> buffer, MonotonicTime now, out int length)
    {
        var writer = new SctpPacketWriter(buffer);
        var tag = _peer.Tag;
        if (_abortDue is { } cause)
        {
            _abortDue = null;
            SctpPacketWriter.WriteParameter(writer.Add(SctpChunkType.Abort, 0, SctpFormat.TlvHeaderLength), (ushort)cause, []);
        }
        else if (State != SctpState.Closed && !TryWriteHandshake(ref writer, now, ref tag) && _sender is not null)
        {
            WriteEstablished(ref writer, now);
        }

        length = writer.IsEmpty ? 0 : writer.Finish(_localPort, _remotePort, tag);
        return length > 0;
    }

    /// <summary>Ends it with an ABORT.</summary>
    public void Abort(SctpErrorCause cause, string reason)
    {
        if (State == SctpState.Closed) return;
        if (_peer.Tag != 0) _abortDue = cause;
        Close(reason);
    }

    private void WriteEstablished(ref SctpPacketWriter writer, MonotonicTime now)
    {
        if (_receiver!.IsSackDue || (_receiver.SackAt != MonotonicTime.Never && !_sender!.IsEmpty)) _receiver.TryWriteSack(ref writer);
        if (_heartbeatLength > 0 && writer.Room >= _heartbeatLength)
        {
            _heartbeat.AsSpan(0, _heartbeatLength).CopyTo(writer.Add(SctpChunkType.HeartbeatAck, 0, _heartbeatLength));
            _heartbeatLength = 0;
        }

        WriteReset(ref writer, now);
        if (_isShutdownAckDue)
        {
            _isShutdownAckDue = false;
            writer.Add(SctpChunkType.ShutdownAck, 0, 0);
        }

        _sender!.Write(ref writer, now);
    }

    /// <summary>RFC 9260 §8.5: each packet proves by its tag that it belongs here.</summary>
    private bool HasRightTag(uint tag, in SctpTlv chunk, bool isFirst) => chunk.ChunkType switch
    {
        SctpChunkType.Init => tag == 0 && isFirst,
        SctpChunkType.Abort or SctpChunkType.ShutdownComplete when (chunk.Flags & SctpFormat.ReflectedTag) != 0 => tag == _peer.Tag && tag != 0,
        _ => tag == _localTag,
    };

    /// <returns>False for a type that is not known, and for what is malformed.</returns>
    private bool HandleChunk(in SctpTlv chunk, MonotonicTime now)
    {
        switch (chunk.ChunkType)
        {
            case SctpChunkType.Init:
                return HandleInit(chunk.Value);
            case SctpChunkType.InitAck:
                return HandleInitAck(chunk.Value, now);
            case SctpChunkType.CookieEcho:
                return HandleCookieEcho(chunk.Value, now);
            case SctpChunkType.CookieAck:
                HandleCookieAck();
                return true;
            case SctpChunkType.Abort:
                Close($"The peer ended the association (ABORT{DescribeCause(chunk.Value)}).");
                return true;
            case SctpChunkType.Error:
                return true;
        }

        return _sender is not null && chunk.ChunkType switch
        {
            SctpChunkType.Data => HandleData(chunk),
            SctpChunkType.Sack => HandleSack(chunk.Value, now),
            SctpChunkType.Heartbeat => HandleHeartbeat(chunk.Value),
            SctpChunkType.HeartbeatAck => true,
            SctpChunkType.ForwardTsn => HandleForwardTsn(chunk.Value),
            SctpChunkType.ReConfig => HandleReConfig(chunk.Value, now),
            SctpChunkType.Shutdown => HandleShutdown(now),
            SctpChunkType.ShutdownComplete => HandleShutdownComplete(),
            _ => false,
        };
    }

    private bool HandleData(in SctpTlv chunk)
    {
        if (!SctpData.TryRead(chunk, out var data)) return false;
        if (data.Payload.IsEmpty)
        {
            Abort(SctpErrorCause.NoUserData, "The peer sent a DATA chunk without data.");
        }
        else if (_receiver!.HandleData(data) is { } problem)
        {
            Abort(SctpErrorCause.OutOfResource, $"The association was ended: {problem}.");
        }

        return true;
    }

    private bool HandleSack(ReadOnlySpan<byte> value, MonotonicTime now)
    {
        if (!SctpSack.TryRead(value, out var sack)) return false;
        _sender!.HandleSack(sack, now);
        BeginReset(now);
        return true;
    }

    private bool HandleForwardTsn(ReadOnlySpan<byte> value)
    {
        if (!SctpForwardTsn.TryRead(value, out var forward)) return false;
        _receiver!.HandleForwardTsn(forward);
        return true;
    }

    /// <summary>RFC 9260 §8.3: the newest is answered with what it carries.</summary>
    private bool HandleHeartbeat(ReadOnlySpan<byte> value)
    {
        if (value.Length > SctpFormat.MaximumPacketLength - SctpFormat.CommonHeaderLength - SctpFormat.TlvHeaderLength) return false;
        _heartbeat ??= new byte[SctpFormat.MaximumPacketLength];
        value.CopyTo(_heartbeat);
        _heartbeatLength = value.Length;
        return true;
    }

    private void Close(string reason)
    {
        if (State == SctpState.Closed) return;
        State = SctpState.Closed;
        CloseReason = reason;
        (_handshakeAt, _shutdownAt, _resetAt) = (MonotonicTime.Never, MonotonicTime.Never, MonotonicTime.Never);
        _receiver?.Clear();
        _sender?.Clear();
        (_receiver, _sender) = (null, null);
        _handler.OnClosed(reason);
    }

    private static string DescribeCause(ReadOnlySpan<byte> value) => new SctpTlvReader(value).TryRead(out var cause) ? $", cause {cause.Type}" : "";
}
