namespace Agent.Rtc.Ice;

/// <summary>RFC 8445 §6.1.1 role.</summary>
public enum IceRole
{
    Controlling,
    Controlled,
}

/// <summary>Progress of the one component of the session.</summary>
public enum IceConnectionState
{
    New,
    Checking,
    Connected,
    /// <summary>Consent to send has lapsed (RFC 7675) or no pair succeeded.</summary>
    Failed,
    Closed,
}

/// <summary>A pair as shown in the status: addresses, state, why it failed.</summary>
public sealed record CandidatePairStatus(
    IceCandidateType LocalType, TransportAddress Local, IceCandidateType RemoteType, TransportAddress Remote,
    string State, bool Nominated, TimeSpan? RoundTripTime, string? FailureReason);

/// <summary>
/// A full ICE agent for one component (RFC 8445), sans-IO: bytes and time in, bytes and state out. Not thread-safe; the media
/// loop owns it.
/// </summary>
public sealed class IceAgent
{
    public IceAgent(IceRole role, IceCredentials local, IRandomSource random)
    {
        Role = role;
        LocalCredentials = local;
        _ = random;
    }

    public IceRole Role { get; }

    public IceCredentials LocalCredentials { get; }

    public IceConnectionState State => throw new NotImplementedException();

    /// <summary>The pair that data is sent on, or <c>null</c> while there is none.</summary>
    public CandidatePairStatus? SelectedPair => throw new NotImplementedException();

    /// <summary>Local base and remote address of the selected pair, for the media path: no allocation. False while there is none.</summary>
    public bool TryGetSelectedPath(out TransportAddress local, out TransportAddress remote) => throw new NotImplementedException();

    /// <summary>Round-trip time of the selected pair's last check, if any.</summary>
    public TimeSpan? RoundTripTime => throw new NotImplementedException();

    public IReadOnlyList<CandidatePairStatus> GetPairs() => throw new NotImplementedException();

    public void SetRemoteCredentials(IceCredentials remote) => throw new NotImplementedException();

    public void AddLocalCandidate(IceCandidate candidate, MonotonicTime now) => throw new NotImplementedException();

    public void AddRemoteCandidate(IceCandidate candidate, MonotonicTime now) => throw new NotImplementedException();

    public void SetRemoteEndOfCandidates() => throw new NotImplementedException();

    /// <summary>ICE restart (RFC 8445 §9): new credentials on both sides; the selected path stays in use until a new one is nominated.</summary>
    public void Restart(IceCredentials local, IceCredentials remote, MonotonicTime now) => throw new NotImplementedException();

    /// <summary>Handles a datagram that RFC 7983 classes as STUN. Malformed or unauthenticated input is dropped and counted.</summary>
    /// <returns>True if it was a valid STUN message of this session.</returns>
    public bool HandleDatagram(ReadOnlySpan<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now) => throw new NotImplementedException();

    public MonotonicTime NextTimeout => throw new NotImplementedException();

    public void HandleTimeout(MonotonicTime now) => throw new NotImplementedException();

    public bool TryDequeueTransmit(Span<byte> buffer, out Transmit transmit) => throw new NotImplementedException();

    public void Close() => throw new NotImplementedException();
}
