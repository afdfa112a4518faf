using Agent.Rtc.Stun;

namespace Agent.Rtc.Turn;

/// <summary>How far a <see cref="TurnClient"/> is.</summary>
public enum TurnState
{
    Allocating,
    Allocated,
    /// <summary>Over; <see cref="TurnClient.Failure"/> says why. Make a new client to try again.</summary>
    Failed,
    Closed,
}

/// <summary>
/// One allocation on a TURN server (RFC 8656) with long-term credentials (RFC 8489 §9.2), for any number of peers. Sans-IO: messages and time
/// in, messages out; it does not know whether datagrams, TCP or TLS carry them, but for what <c>isStream</c> changes. One owner.
/// </summary>
/// <remarks>
/// A peer gets a permission when it is wanted or the first datagram goes to it, and a channel when that is no longer a STUN check: data flows then, and a
/// channel's 4 bytes in place of an indication's 36 pay. What is not used for a while is no longer renewed.
/// </remarks>
public sealed partial class TurnClient
{
    private static readonly TimeSpan MaintenanceInterval = TimeSpan.FromSeconds(10);

    private readonly bool _isStream;
    private readonly IRandomSource _random;
    private readonly Dictionary<TransportAddress, TurnPermission> _permissions = [];
    private readonly Dictionary<TransportAddress, TurnPeer> _peers = [];
    private readonly List<TurnPeer?> _channels = [];
    private readonly Queue<TurnPeer> _released = [];
    private MonotonicTime _expiresAt = MonotonicTime.Never;
    private MonotonicTime _refreshAt = MonotonicTime.Never;
    private MonotonicTime _maintainAt = MonotonicTime.Never;
    private TurnPeer? _lastPeer;

    /// <param name="isStream">TCP or TLS: requests are not repeated, ChannelData is padded.</param>
    /// <param name="userName">RFC 8489 §14.3: at most 508 bytes of UTF-8.</param>
    /// <param name="password">Its password.</param>
    /// <param name="random">Source of transaction ids.</param>
    public TurnClient(bool isStream, string userName, string password, IRandomSource random)
    {
        _isStream = isStream;
        _random = random;
        _login = new TurnLogin(userName, password);
        Start(TurnFormat.Allocate);
    }

    public TurnState State { get; private set; } = TurnState.Allocating;

    /// <summary>Why there is no allocation, in words that follow "the server …".</summary>
    public string? Failure { get; private set; }

    /// <summary>The server to go to instead (RFC 8489 §10), if <see cref="Failure"/> is that it sends elsewhere.</summary>
    public TransportAddress AlternateServer { get; private set; }

    /// <summary>The relayed transport addresses, or <c>default</c>.</summary>
    public TransportAddress RelayedIPv4 { get; private set; }

    /// <summary>See <see cref="RelayedIPv4"/>.</summary>
    public TransportAddress RelayedIPv6 { get; private set; }

    /// <summary>Where the server sees this client.</summary>
    public TransportAddress MappedAddress { get; private set; }

    /// <summary>Peers that a permission was refused for, counted each time.</summary>
    public long PermissionsRefused { get; private set; }

    /// <summary>Datagrams to peers that were dropped: no permission, too many peers, too long.</summary>
    public long DatagramsDropped { get; private set; }

    /// <summary>When to call <see cref="HandleTimeout"/>; an instant in the past means at once.</summary>
    public MonotonicTime NextTimeout
    {
        get
        {
            if (State is TurnState.Failed or TurnState.Closed)
            {
                return MonotonicTime.Never;
            }

            var next = MonotonicTime.Min(MonotonicTime.Min(_refreshAt, _expiresAt), _maintainAt);
            foreach (var transaction in _transactions)
            {
                next = MonotonicTime.Min(next, transaction.IsDue ? MonotonicTime.Never : transaction.Retransmission.NextAt);
            }

            return next;
        }
    }

    /// <summary>Runs whatever is due.</summary>
    public void HandleTimeout(MonotonicTime now)
    {
        if (State is TurnState.Failed or TurnState.Closed)
        {
            return;
        }

        if (now >= _expiresAt)
        {
            Fail("let the allocation expire: no Refresh was answered");
            return;
        }

        if (now >= _refreshAt)
        {
            _refreshAt = MonotonicTime.Never;
            Start(TurnFormat.Refresh);
        }

        if (now >= _maintainAt)
        {
            Maintain(now);
        }

        RepeatTransactions(now);
    }

    /// <summary>Handles a datagram of the server, or a message cut out of its stream.</summary>
    /// <param name="message">The whole message.</param>
    /// <param name="now">The present.</param>
    /// <param name="relayed">A peer's datagram inside it, if its length is not 0.</param>
    /// <returns>False if it is malformed or nobody has asked for it.</returns>
    public bool HandleMessage(ReadOnlySpan<byte> message, MonotonicTime now, out RelayedDatagram relayed)
    {
        relayed = default;
        if (State is TurnState.Failed or TurnState.Closed)
        {
            return false;
        }

        if (ChannelData.TryParse(message, out var channel, out var length))
        {
            var index = channel - TurnFormat.FirstChannel;
            if (index >= _channels.Count || _channels[index] is not { } peer)
            {
                return false;
            }

            relayed = new RelayedDatagram(ChannelData.HeaderLength, length, peer.Address, RelayedFor(peer.Address));
            return true;
        }

        if (!TurnMessage.TryParse(message, out var parsed))
        {
            return false;
        }

        if (parsed is { Class: StunClass.Indication, Method: TurnFormat.Data })
        {
            if (parsed.PeerAddress.IsNone || parsed.DataOffset == 0 || parsed.HasUnknownAttribute || RelayedFor(parsed.PeerAddress).IsNone)
            {
                return false;
            }

            relayed = new RelayedDatagram(parsed.DataOffset, parsed.DataLength, parsed.PeerAddress, RelayedFor(parsed.PeerAddress));
            return true;
        }

        return parsed.Class is StunClass.SuccessResponse or StunClass.ErrorResponse && HandleResponse(in parsed, now);
    }

    /// <summary>Makes the server's message out of a datagram for a peer, in place: no allocation once the peer is known.</summary>
    /// <param name="buffer">Begins with the datagram; has room for <see cref="TurnFormat.LongestWrapping"/> bytes more.</param>
    /// <param name="length">Bytes of the datagram.</param>
    /// <param name="address">The peer.</param>
    /// <param name="now">The present.</param>
    /// <returns>Bytes to send to the server; 0 if there is nothing to send now: it waits for the permission, or is dropped and counted.</returns>
    public int Wrap(Span<byte> buffer, int length, TransportAddress address, MonotonicTime now)
    {
        if (State != TurnState.Allocated || length + TurnFormat.LongestWrapping > buffer.Length || !TryGetPeer(address, now, out var peer))
        {
            DatagramsDropped++;
            return 0;
        }

        peer.LastUsedAt = peer.Permission.LastUsedAt = now;
        if (now >= peer.Permission.GrantedUntil)
        {
            AwaitPermission(peer, buffer[..length], now);
            return 0;
        }

        if (now < peer.BoundUntil)
        {
            return ChannelData.Wrap(buffer, length, peer.Channel, _isStream);
        }

        if (!peer.IsBinding && now >= peer.NoBindingUntil && DatagramClassifier.Classify(buffer[..length]) != DatagramKind.Stun)
        {
            Bind(peer, now);
        }

        Span<byte> data = stackalloc byte[length];
        buffer[..length].CopyTo(data);
        return WriteSendIndication(buffer, data, peer.Address);
    }

    /// <summary>Writes the next message to the server into <paramref name="buffer"/> (at least 1500 bytes); false if there is none.</summary>
    public bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, out int length)
    {
        foreach (var transaction in _transactions)
        {
            if (transaction.IsDue)
            {
                transaction.IsDue = false;
                transaction.Retransmission.NoteTransmission(now);
                length = Write(transaction, buffer);
                return true;
            }
        }

        while (_released.TryDequeue(out var peer))
        {
            if (peer.Held is { } held)
            {
                peer.Held = null;
                length = WriteSendIndication(buffer, held, peer.Address);
                return true;
            }
        }

        length = 0;
        return false;
    }

    /// <summary>
    /// The way to the server may be another one: requests by UDP that wait for an answer go out anew, and the server is asked at once whether it
    /// still knows the allocation, which belongs to the address that the server sees (RFC 8656 §3.2).
    /// </summary>
    public void AskAgain()
    {
        if (State is not (TurnState.Allocating or TurnState.Allocated))
        {
            return;
        }

        foreach (var transaction in _transactions)
        {
            if (!_isStream)
            {
                transaction.Renew(StunTransactionId.Create(_random), StunRetransmission.Create(_isStream));
            }
        }

        if (State == TurnState.Allocated && !_transactions.Exists(static one => one.Method == TurnFormat.Refresh))
        {
            _refreshAt = MonotonicTime.Never;
            Start(TurnFormat.Refresh);
        }
    }

    /// <summary>The connection that carried the messages is over.</summary>
    public void Abandon(string reason)
    {
        if (State is TurnState.Allocating or TurnState.Allocated)
        {
            Fail(reason);
        }
    }

    /// <summary>Gives the allocation back (RFC 8656 §8: a lifetime of 0); drain once more. There is no waiting for an answer.</summary>
    public void Close()
    {
        if (State == TurnState.Closed)
        {
            return;
        }

        _transactions.Clear();
        _released.Clear();
        if (State == TurnState.Allocated)
        {
            Start(TurnFormat.Refresh).Lifetime = TimeSpan.Zero;
        }

        State = TurnState.Closed;
    }

    private static int WriteSendIndication(Span<byte> buffer, ReadOnlySpan<byte> data, TransportAddress peer)
    {
        // RFC 8656 §11.1; nobody answers an indication, so its id may be any: the bytes that happen to be there serve.
        var writer = new StunMessageWriter(buffer, TurnFormat.Send, StunClass.Indication, StunTransactionId.Read(buffer[StunFormat.TransactionIdOffset..]));
        writer.WriteXorAddress(StunAttributeType.XorPeerAddress, peer);
        writer.WriteAttribute(StunAttributeType.Data, data);
        return writer.Length;
    }

    private void Fail(string reason)
    {
        State = TurnState.Failed;
        Failure = reason;
        _transactions.Clear();
        _released.Clear();
    }
}
