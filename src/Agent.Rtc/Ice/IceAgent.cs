using System.Buffers.Binary;

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
/// loop owns it. After each input, drain <see cref="TryDequeueTransmit"/> and read <see cref="NextTimeout"/>.
/// </summary>
public sealed partial class IceAgent
{
    private readonly IRandomSource _random;
    private readonly ulong _tieBreaker;
    private readonly CheckList _checkList = new();
    private readonly ConsentFreshness _consent;
    private readonly StunSendQueue _queue = new();
    private IceSessionKeys _keys;

    // The generation before a restart, while its selected pair is still in use.
    private IceSessionKeys? _previousKeys;
    private CandidatePair? _selected;

    /// <summary>During a restart: the first pair of the new generation that works, until one is nominated.</summary>
    private CandidatePair? _valid;
    private MonotonicTime? _startedAt;
    private MonotonicTime _lastCheckAt = MonotonicTime.Zero - IceLimits.Pacing;
    private MonotonicTime? _firstValidAt;
    private bool _remoteEndOfCandidates;

    // It signalled an active TCP candidate (RFC 6544); whether it connects is up to it.
    private bool _remoteMayConnect;

    // A controlling agent has a valid pair and hopes for a better one.
    private bool _waitingForBetter;

    /// <param name="role">The role that signalling assigns; a role conflict may change it.</param>
    /// <param name="local">This side's credentials.</param>
    /// <param name="random">Source of the tiebreaker, transaction ids and jitter.</param>
    public IceAgent(IceRole role, IceCredentials local, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(local);
        ArgumentNullException.ThrowIfNull(random);
        Role = role;
        LocalCredentials = local;
        _keys = new IceSessionKeys(local);
        _random = random;
        _consent = new ConsentFreshness(random);
        Span<byte> tieBreaker = stackalloc byte[sizeof(ulong)];
        random.Fill(tieBreaker);
        _tieBreaker = BinaryPrimitives.ReadUInt64BigEndian(tieBreaker);
    }

    /// <summary>The present role.</summary>
    public IceRole Role { get; private set; }

    public IceCredentials LocalCredentials { get; private set; }

    public IceConnectionState State { get; private set; }

    /// <summary>Why <see cref="State"/> is Failed, in words for the status.</summary>
    public string? FailureReason { get; private set; }

    /// <summary>The pair that data is sent on, or <c>null</c> while there is none.</summary>
    public CandidatePairStatus? SelectedPair => Path?.ToStatus();

    /// <summary>Round-trip time of the selected pair's last check, if any.</summary>
    public TimeSpan? RoundTripTime => Path?.RoundTripTime;

    /// <summary>Datagrams that were malformed, not authenticated, or answered nothing that was asked.</summary>
    public long DatagramsDropped { get; private set; }

    /// <summary>Messages dropped because the send queue was full.</summary>
    public long TransmitsDropped => _queue.Dropped;

    /// <summary>Candidates and pairs that the caps on a session kept out.</summary>
    public long CandidatesRefused => _checkList.Refused;

    /// <summary>When to call <see cref="HandleTimeout"/>; an instant in the past means at once.</summary>
    public MonotonicTime NextTimeout { get; private set; } = MonotonicTime.Never;

    /// <summary>Local base and remote address of the selected pair, for the media path: no allocation. False while there is none.</summary>
    public bool TryGetSelectedPath(out TransportAddress local, out TransportAddress remote)
    {
        local = Path?.Base ?? default;
        remote = Path?.RemoteAddress ?? default;
        return Path is not null;
    }

    /// <summary>All pairs, best first; the selected pair of before a restart is among them while in use.</summary>
    public IReadOnlyList<CandidatePairStatus> GetPairs()
    {
        var pairs = _checkList.Pairs.ConvertAll(static pair => pair.ToStatus());
        if (_selected is not null && !_checkList.Pairs.Contains(_selected))
        {
            pairs.Add(_selected.ToStatus());
        }

        return pairs;
    }

    /// <summary>Sets the peer's credentials; checks of the peer that came before were answered and are returned now.</summary>
    public void SetRemoteCredentials(IceCredentials remote)
    {
        ArgumentNullException.ThrowIfNull(remote);
        _keys.SetRemote(remote);
        NextTimeout = MonotonicTime.Zero;
    }

    /// <summary>Adds a local candidate; a reflexive one whose base is known already changes nothing (RFC 8445 §6.1.2.4).</summary>
    public void AddLocalCandidate(IceCandidate candidate, MonotonicTime now)
    {
        ArgumentNullException.ThrowIfNull(candidate);
        if (State != IceConnectionState.Closed)
        {
            var known = _checkList.Pairs.Count;
            _checkList.AddLocal(candidate, _keys, Role, _selected);
            if (!NeedsPair && _checkList.Pairs.Count > known)
            {
                // A peer that does not know of the address learns of it by a check, before it may need it.
                _checkList.TriggerFrom(candidate.Base);
            }

            Advance(now);
        }
    }

    /// <summary>
    /// Adds a candidate that the peer signalled; duplicates, what the caps refuse and what is no host's address are left out: checks to a
    /// multicast address would go to everybody. An active TCP candidate takes no part: it is the peer who connects, from another port, and
    /// its check then brings the pair (RFC 6544 §6.2, §7.1).
    /// </summary>
    public void AddRemoteCandidate(IceCandidate candidate, MonotonicTime now)
    {
        ArgumentNullException.ThrowIfNull(candidate);
        if (candidate.Address.IsTcp)
        {
            _remoteMayConnect = true;
        }
        else if (State != IceConnectionState.Closed && candidate.Address.Port != 0 && candidate.Address.IsUnicast)
        {
            _checkList.AddRemote(candidate, _keys, Role, _selected);
            Advance(now);
        }
    }

    /// <summary>The peer has no further candidates: failure may be told before the longest time is over.</summary>
    public void SetRemoteEndOfCandidates()
    {
        _remoteEndOfCandidates = true;
        NextTimeout = State == IceConnectionState.Checking ? MonotonicTime.Zero : NextTimeout;
    }

    /// <summary>
    /// ICE restart (RFC 8445 §9): new credentials on both sides. The selected path stays in use until a pair of the new generation works: a
    /// peer restarts because its path is gone, and a browser may take a second more to nominate the pair that it has found.
    /// </summary>
    public void Restart(IceCredentials local, IceCredentials remote, MonotonicTime now)
    {
        ArgumentNullException.ThrowIfNull(local);
        ArgumentNullException.ThrowIfNull(remote);
        if (State == IceConnectionState.Closed)
        {
            return;
        }

        // A second restart before the first came to an end keeps the generation whose path is in use.
        _previousKeys = _selected?.Keys;
        _keys = new IceSessionKeys(local);
        _keys.SetRemote(remote);
        LocalCredentials = local;
        _checkList.ClearRemote();
        _remoteEndOfCandidates = false;
        _remoteMayConnect = false;
        _valid = null;
        _firstValidAt = null;
        _startedAt = null;
        FailureReason = null;
        State = _selected is null ? IceConnectionState.Checking : State;
        Advance(now);
    }

    /// <summary>Data may be sent on a pair before it is nominated (RFC 8445 §12.1), and the check that made it valid is consent (RFC 7675 §5.1).</summary>
    private CandidatePair? Path => _valid ?? (_selected is { State: CandidatePairState.Failed } ? null : _selected);

    /// <summary>Runs whatever is due.</summary>
    public void HandleTimeout(MonotonicTime now)
    {
        if (State != IceConnectionState.Closed)
        {
            Advance(now);
        }
    }

    /// <summary>Writes the next STUN message to send into <paramref name="buffer"/> (at least 1500 bytes); false if there is none.</summary>
    public bool TryDequeueTransmit(Span<byte> buffer, out Transmit transmit) => _queue.TryDequeue(buffer, out transmit);

    /// <summary>Stops everything; nothing is sent or answered from now on.</summary>
    public void Close()
    {
        State = IceConnectionState.Closed;
        _selected = null;
        _valid = null;
        _previousKeys = null;
        _consent.Stop();
        _checkList.ClearRemote();
        _queue.Clear();
        NextTimeout = MonotonicTime.Never;
    }
}
