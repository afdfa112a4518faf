using Agent.Rtc.Dtls;
using Agent.Rtc.Sctp;
using Agent.Rtc.Sdp;

namespace Agent.Rtc.DataChannels;

/// <summary>
/// The data channels of one peer (RFC 8831) and how they are opened (DCEP, RFC 8832), on an SCTP association. Sans-IO, as the session that
/// it belongs to.
/// </summary>
public sealed class DataChannelTransport : ISctpHandler
{
    /// <summary>This side's a=sctp-port (RFC 8841 §5): one association for each DTLS association, so that the number is of no meaning.</summary>
    public const ushort LocalPort = 5000;

    /// <summary>This side's a=max-message-size.</summary>
    public const int MaximumMessageLength = SctpReassembly.MaximumMessageLength;

    /// <summary>Channels at once; the page has two. More are closed as they are opened.</summary>
    public const int MaximumChannels = 16;

    /// <summary>
    /// What a channel of the peer lives at least, unless the peer ends it. Chromium listens to one that its page has made a while after it has
    /// asked for it (on a busy machine, tenths of a second), and loses what has come by then if the channel has ended, too.
    /// </summary>
    internal static readonly TimeSpan MinimumLife = TimeSpan.FromSeconds(2);

    /// <summary>RFC 8831 §8: payload protocol identifiers; empty messages are one zero byte, for SCTP has none.</summary>
    private const uint DcepPpid = 50;
    private const uint TextPpid = 51;
    private const uint BinaryPpid = 53;
    private const uint EmptyTextPpid = 56;
    private const uint EmptyBinaryPpid = 57;

    private readonly SctpAssociation _association;
    private readonly IDataChannelHandler _handler;
    private readonly Dictionary<ushort, DataChannel> _channels = [];
    private readonly ushort _firstId;
    private readonly int _longestMessage;
    private MonotonicTime _now;
    private MonotonicTime _closeAt = MonotonicTime.Never;
    private long _received;
    private long _sent;
    private long _refused;
    private long _dropped;

    /// <param name="peer">What the peer's SDP says.</param>
    /// <param name="role">This side's DTLS role; the client's channels have even numbers (RFC 8832 §6).</param>
    /// <param name="handler">Uses the channels.</param>
    /// <param name="random">Source of randomness.</param>
    public DataChannelTransport(DataChannelTerms peer, DtlsRole role, IDataChannelHandler handler, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(peer);
        _association = new SctpAssociation(LocalPort, peer.SctpPort, this, random);
        _longestMessage = peer.MaximumMessageLength;
        _handler = handler;
        _firstId = (ushort)(role == DtlsRole.Client ? 0 : 1);
    }

    public MonotonicTime NextTimeout => MonotonicTime.Min(_association.NextTimeout, _closeAt);

    /// <summary>Bytes of messages that wait or are on their way.</summary>
    public int BufferedBytes => _association.Buffered;

    internal SctpAssociation Association => _association;

    /// <summary>DTLS is up.</summary>
    public void Start(MonotonicTime now) => _association.Start(now);

    /// <summary>Handles the content of one DTLS record (RFC 8261 §4).</summary>
    public void HandlePacket(ReadOnlySpan<byte> packet, MonotonicTime now)
    {
        _now = now;
        _association.HandlePacket(packet, now);
    }

    public void HandleTimeout(MonotonicTime now)
    {
        _now = now;
        if (now >= _closeAt) EndThoseDue();
        _association.HandleTimeout(now);
    }

    /// <summary>Writes the content of the next DTLS record into a buffer of at least 1200 bytes.</summary>
    public bool TryWritePacket(Span<byte> buffer, MonotonicTime now, out int length)
    {
        _now = now;
        return _association.TryWritePacket(buffer, now, out length);
    }

    /// <summary>Asks the peer for a channel; before there is an association it is asked for later. Null if there are too many.</summary>
    public DataChannel? Open(string label, string protocol, SctpReliability reliability, MonotonicTime now)
    {
        _now = now;
        if (_association.State == SctpState.Closed || _channels.Count >= MaximumChannels) return null;
        var id = _firstId;
        while (_channels.ContainsKey(id)) id += 2;
        var channel = new DataChannel(id, label, protocol, reliability, isRemote: false);
        if (_association.State == SctpState.Established && !TrySendOpen(channel)) return null;
        _channels.Add(id, channel);
        return channel;
    }

    /// <summary>Sends a message; false if the channel is not open, the message too long for the peer, or too much is waiting.</summary>
    public bool TrySend(DataChannel channel, ReadOnlySpan<byte> message, bool isText, MonotonicTime now)
    {
        // RFC 8832 §6: until the peer has confirmed, messages must not overtake the opening.
        var reliability = channel.Reliability;
        if (channel.State == DataChannelState.Opening) reliability = reliability with { IsUnordered = false };
        var ppid = (isText, message.IsEmpty) switch
        {
            (true, true) => EmptyTextPpid,
            (true, false) => TextPpid,
            (false, true) => EmptyBinaryPpid,
            _ => BinaryPpid,
        };
        var isTaken = channel.State is DataChannelState.Open or DataChannelState.Opening && message.Length <= _longestMessage
            && _association.TrySend(channel.Id, ppid, message.IsEmpty ? [0] : message, reliability, now);
        if (isTaken) _sent++;
        else _refused++;
        return isTaken;
    }

    /// <summary>Closes a channel once what was sent on it has left (RFC 8831 §6.7), and it has lived for <see cref="MinimumLife"/>.</summary>
    public void Close(DataChannel channel, MonotonicTime now)
    {
        if (channel.State is DataChannelState.Closing or DataChannelState.Closed) return;
        channel.State = DataChannelState.Closing;
        EndWhenDue(channel, now);
    }

    /// <summary>Ends everything, as the end of DTLS does.</summary>
    public void Close(string reason) => _association.Abort(SctpErrorCause.UserInitiatedAbort, reason);

    /// <summary>As the status shows it; allocates.</summary>
    public DataChannelStatus GetStatus() => new(
        _association.State.ToString(), _association.CloseReason, [.. _channels.Values.Where(one => one.State == DataChannelState.Open).Select(one => one.Label)],
        _received, _sent, _refused, _association.Sender?.MessagesAbandoned ?? 0, _association.Sender?.Retransmissions ?? 0, _dropped, BufferedBytes);

    void ISctpHandler.OnEstablished()
    {
        foreach (var channel in _channels.Values)
        {
            if (channel.State == DataChannelState.Opening) TrySendOpen(channel);
        }
    }

    void ISctpHandler.OnMessage(ushort stream, uint ppid, ReadOnlySpan<byte> message)
    {
        var channel = _channels.GetValueOrDefault(stream);
        if (ppid == DcepPpid)
        {
            HandleDcep(stream, channel, message);
        }
        else if (channel is not { State: DataChannelState.Open or DataChannelState.Opening } || ppid is not (TextPpid or BinaryPpid or EmptyTextPpid or EmptyBinaryPpid))
        {
            _dropped++;
        }
        else
        {
            _received++;
            _handler.OnMessage(channel, ppid is TextPpid or BinaryPpid ? message : [], ppid is TextPpid or EmptyTextPpid);
        }
    }

    void ISctpHandler.OnIncomingReset(ushort stream)
    {
        if (!_channels.TryGetValue(stream, out var channel)) return;
        channel.IsIncomingReset = true;
        channel.State = DataChannelState.Closing;
        if (!channel.IsOutgoingReset) _association.ResetStream(stream, _now);
        RemoveIfDone(channel);
    }

    void ISctpHandler.OnOutgoingReset(ushort stream)
    {
        if (!_channels.TryGetValue(stream, out var channel)) return;
        channel.IsOutgoingReset = true;
        RemoveIfDone(channel);
    }

    void ISctpHandler.OnClosed(string reason)
    {
        foreach (var channel in _channels.Values.ToArray()) Remove(channel);
    }

    private void HandleDcep(ushort stream, DataChannel? channel, ReadOnlySpan<byte> message)
    {
        if (message is [DcepOpen.AckType, ..])
        {
            if (channel is not { State: DataChannelState.Opening }) return;
            channel.State = DataChannelState.Open;
            _handler.OnOpened(channel);
            return;
        }

        // RFC 8832 §6: numbers of the wrong side are not the peer's to give out.
        if (channel is not null || !DcepOpen.TryParse(message, out var open) || stream % 2 == _firstId % 2 || _channels.Count >= MaximumChannels)
        {
            _dropped++;
            if (channel is null) _association.ResetStream(stream, _now);
            return;
        }

        channel = new DataChannel(stream, open.Label, open.Protocol, open.Reliability, isRemote: true) { MayEndAt = _now + MinimumLife };
        _channels.Add(stream, channel);
        _association.TrySend(stream, DcepPpid, [DcepOpen.AckType], default, _now);
        _handler.OnOpened(channel);
    }

    private bool TrySendOpen(DataChannel channel) =>
        _association.TrySend(channel.Id, DcepPpid, new DcepOpen(channel.Label, channel.Protocol, channel.Reliability).Write(), default, _now);

    private void EndThoseDue()
    {
        _closeAt = MonotonicTime.Never;
        foreach (var channel in _channels.Values.ToArray())
        {
            if (channel is { State: DataChannelState.Closing, IsOutgoingReset: false }) EndWhenDue(channel, _now);
        }
    }

    private void EndWhenDue(DataChannel channel, MonotonicTime now)
    {
        if (now < channel.MayEndAt) _closeAt = MonotonicTime.Min(_closeAt, channel.MayEndAt);
        else _association.ResetStream(channel.Id, now);
    }

    private void RemoveIfDone(DataChannel channel)
    {
        if (channel is { IsIncomingReset: true, IsOutgoingReset: true }) Remove(channel);
    }

    private void Remove(DataChannel channel)
    {
        channel.State = DataChannelState.Closed;
        _channels.Remove(channel.Id);
        _handler.OnClosed(channel);
    }
}
