namespace Agent.Rtc.Stun;

/// <summary>
/// Asks one STUN server how the outside sees a UDP socket (RFC 8489 §2, RFC 8445 §5.1.1.2), again and again so that a NAT's mapping stays
/// as it is. A server that does not answer is asked ever more seldom. Sans-IO; one owner.
/// </summary>
public sealed class StunBindingClient
{
    /// <summary>How often a mapping is used to keep it: RFC 4787 §4.3 wants NATs to keep one for 2 minutes, many home routers do for 30 s.</summary>
    internal static readonly TimeSpan KeepaliveInterval = TimeSpan.FromSeconds(25);

    private readonly IRandomSource _random;
    private readonly RetryDelay _retry;
    private StunTransactionId _id;
    private StunRetransmission _retransmission;
    private bool _isDue;

    /// <param name="server">The server.</param>
    /// <param name="random">Source of transaction ids.</param>
    /// <param name="now">The present; the first request is due at once.</param>
    public StunBindingClient(TransportAddress server, IRandomSource random, MonotonicTime now)
    {
        Server = server;
        _random = random;
        _retry = new RetryDelay(random);
        NextTimeout = now;
    }

    public TransportAddress Server { get; }

    /// <summary>What the server sees; <c>default</c> until it has answered, and while it does not.</summary>
    public TransportAddress MappedAddress { get; private set; }

    /// <summary>The local address that the answer came to.</summary>
    public TransportAddress LocalAddress { get; private set; }

    /// <summary>Why there is no mapped address, in words that follow "the server …".</summary>
    public string? Failure { get; private set; }

    /// <summary>How often it has failed.</summary>
    public int Failures { get; private set; }

    public MonotonicTime NextTimeout { get; private set; }

    /// <summary>Runs whatever is due.</summary>
    public void HandleTimeout(MonotonicTime now)
    {
        if (now < NextTimeout)
        {
            return;
        }

        if (_id.IsNone)
        {
            _id = StunTransactionId.Create(_random);
            _retransmission = StunRetransmission.Create(isReliable: false);
        }
        else if (_retransmission.IsLast)
        {
            Fail("does not answer; a firewall, no way to it, or no STUN server", now);
            return;
        }

        _retransmission.NoteTransmission(now);
        NextTimeout = _retransmission.NextAt;
        _isDue = true;
    }

    /// <summary>The way to the server may be another one: it is asked at once, whatever came of earlier requests.</summary>
    /// <param name="isMappingLost">The local address of the mapping is gone.</param>
    /// <param name="now">The present.</param>
    public void AskAgain(bool isMappingLost, MonotonicTime now)
    {
        if (isMappingLost)
        {
            (MappedAddress, LocalAddress) = (default, default);
        }

        _retry.Reset();
        _id = default;
        _isDue = false;
        NextTimeout = now;
    }

    /// <summary>Takes a datagram of the server.</summary>
    /// <returns>False if it answers nothing that was asked.</returns>
    public bool HandleDatagram(ReadOnlySpan<byte> datagram, TransportAddress local, MonotonicTime now)
    {
        if (_id.IsNone || !StunMessage.TryParse(datagram, out var message) || message.Method != StunFormat.BindingMethod
            || message.Class is not (StunClass.SuccessResponse or StunClass.ErrorResponse) || message.TransactionId != _id)
        {
            return false;
        }

        if (message.Class == StunClass.ErrorResponse || message.XorMappedAddress.IsNone)
        {
            Fail(
                message.Class == StunClass.ErrorResponse ? $"answers {message.ErrorCode} (RFC 8489 §14.8)" : "answers without XOR-MAPPED-ADDRESS (RFC 8489 §14.2)",
                now);
            return true;
        }

        (MappedAddress, LocalAddress, Failure) = (message.XorMappedAddress, local, null);
        _retry.Reset();
        _id = default;
        _isDue = false;
        NextTimeout = now + KeepaliveInterval;
        return true;
    }

    /// <summary>Writes the next request into <paramref name="buffer"/>; false if there is none.</summary>
    public bool TryDequeueTransmit(Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (!_isDue)
        {
            return false;
        }

        _isDue = false;
        var writer = new StunMessageWriter(buffer, StunClass.Request, _id);
        writer.WriteFingerprint();
        transmit = new Transmit(writer.Length, default, Server);
        return true;
    }

    private void Fail(string reason, MonotonicTime now)
    {
        (MappedAddress, LocalAddress, Failure) = (default, default, reason);
        Failures++;
        _id = default;
        _isDue = false;
        NextTimeout = now + _retry.Next();
    }
}
