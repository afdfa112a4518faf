namespace Agent.Rtc.Ice;

/// <summary>
/// Candidates, pairs and the order in which pairs are checked (RFC 8445 §6.1.2, §6.1.4; RFC 8838 §12 for candidates that trickle in).
/// Holds one generation; an ICE restart empties the remote side.
/// </summary>
internal sealed class CheckList
{
    private readonly List<IceCandidate> _local = [];
    private readonly List<IceCandidate> _reflexive = [];
    private readonly List<IceCandidate> _remote = [];
    private readonly List<CandidatePair> _pairs = [];
    private readonly List<CandidatePair> _triggered = [];

    /// <summary>Highest priority first.</summary>
    public List<CandidatePair> Pairs => _pairs;

    /// <summary>Candidates and pairs that the caps kept out.</summary>
    public long Refused { get; private set; }

    public void AddLocal(IceCandidate candidate, IceSessionKeys keys, IceRole role, CandidatePair? selected)
    {
        foreach (var known in _local)
        {
            // RFC 8445 §6.1.2.4: a reflexive candidate stands for its base, which is checked already.
            if (IceAddress.SameEndpoint(known.Base, candidate.Base))
            {
                AddReflexive(candidate);
                return;
            }
        }

        if (_local.Count >= IceLimits.MaximumLocalCandidates)
        {
            Refused++;
            return;
        }

        _local.Add(candidate);
        _pairs.RemoveAll(pair => pair.State == CandidatePairState.Failed && IceAddress.SameEndpoint(pair.Base, candidate.Base)); // of before it was gone
        foreach (var remote in _remote)
        {
            if (!remote.Address.IsTcp)
            {
                AddPair(candidate, remote, keys, role, selected);
            }
        }
    }

    /// <summary>
    /// Adds a peer-reflexive candidate whose check came to <paramref name="local"/>. One that has connected by TCP can be reached over that
    /// connection only, so it makes one pair; RFC 6544 §6.2 makes none of the passive candidates here and what the peer has signalled.
    /// </summary>
    public void AddPeerReflexive(IceCandidate local, IceCandidate candidate, IceSessionKeys keys, IceRole role, CandidatePair? selected)
    {
        if (!candidate.Address.IsTcp)
        {
            AddRemote(candidate, keys, role, selected);
        }
        else if (TryTakeRemote(candidate, selected))
        {
            AddPair(local, candidate, keys, role, selected);
        }
    }

    public void AddRemote(IceCandidate candidate, IceSessionKeys keys, IceRole role, CandidatePair? selected)
    {
        for (var i = 0; i < _remote.Count; i++)
        {
            var known = _remote[i];
            if (IceAddress.SameEndpoint(known.Address, candidate.Address))
            {
                if (known.Type == IceCandidateType.PeerReflexive && candidate.Type != IceCandidateType.PeerReflexive)
                {
                    ReplaceRemote(i, candidate, role);
                }

                return;
            }
        }

        if (TryTakeRemote(candidate, selected))
        {
            foreach (var local in _local)
            {
                AddPair(local, candidate, keys, role, selected);
            }
        }
    }

    /// <summary>The local candidate whose base a datagram came in on; an unknown <paramref name="address"/> takes the first of the family.</summary>
    public IceCandidate? FindLocal(TransportAddress address, TransportAddress remote)
    {
        foreach (var candidate in _local)
        {
            var matches = address.IsNone || address.IsUnspecified
                ? IceAddress.CanPair(candidate.Base, remote)
                : IceAddress.SameEndpoint(candidate.Base, address);
            if (matches)
            {
                return candidate;
            }
        }

        return null;
    }

    /// <summary>What the address that a peer saw is (RFC 8445 §7.2.5.3.1): a known reflexive candidate, or a peer-reflexive one.</summary>
    public IceCandidateType FindMappedType(TransportAddress mapped) =>
        _reflexive.Exists(known => IceAddress.SameEndpoint(known.Address, mapped)) ? IceCandidateType.ServerReflexive : IceCandidateType.PeerReflexive;

    public CandidatePair? FindPair(TransportAddress localBase, TransportAddress remote)
    {
        foreach (var pair in _pairs)
        {
            if (IceAddress.SameEndpoint(pair.RemoteAddress, remote) && IceAddress.SameEndpoint(pair.Base, localBase))
            {
                return pair;
            }
        }

        return null;
    }

    /// <summary>A local address is gone; its pairs stay, for the status, until the address comes back.</summary>
    public void RemoveLocal(TransportAddress localBase)
    {
        _local.RemoveAll(candidate => IceAddress.SameEndpoint(candidate.Base, localBase));
        _reflexive.RemoveAll(candidate => IceAddress.SameEndpoint(candidate.Base, localBase));
    }

    /// <summary>A pair cannot work any more.</summary>
    public void Fail(CandidatePair pair, string reason)
    {
        pair.Fail(reason);
        _triggered.Remove(pair);
    }

    /// <summary>The pair in use is lost: what was found to work once, or was no longer looked at, is checked now.</summary>
    public void CheckAgain()
    {
        foreach (var pair in _pairs)
        {
            if (pair.State is CandidatePairState.Succeeded or CandidatePairState.Frozen)
            {
                pair.State = CandidatePairState.Waiting;
            }
        }
    }

    /// <summary>Queues a triggered check (RFC 8445 §7.3.1.4), before all others if it nominates.</summary>
    public void Trigger(CandidatePair pair, bool first = false)
    {
        if (_triggered.Contains(pair))
        {
            return;
        }

        _triggered.Insert(first ? 0 : _triggered.Count, pair);
    }

    /// <summary>Queues checks of the pairs from a new local address.</summary>
    public void TriggerFrom(TransportAddress localBase)
    {
        foreach (var pair in _pairs)
        {
            if (pair.State is CandidatePairState.Waiting or CandidatePairState.Frozen && pair.Base == localBase)
            {
                Trigger(pair);
            }
        }
    }

    /// <summary>A triggered check waits (RFC 8445 §7.3.1.4).</summary>
    public bool HasTriggered => _triggered.Count > 0;

    /// <summary>The next pair to check (RFC 8445 §6.1.4.2), not yet taken from its queue, or <c>null</c>.</summary>
    /// <param name="triggeredOnly">A pair is in use; only triggered checks go on.</param>
    public CandidatePair? Peek(bool triggeredOnly)
    {
        if (_triggered.Count > 0)
        {
            return _triggered[0];
        }

        if (triggeredOnly)
        {
            return null;
        }

        foreach (var pair in _pairs)
        {
            if (pair.State == CandidatePairState.Waiting)
            {
                return pair;
            }
        }

        foreach (var pair in _pairs)
        {
            if (pair.State == CandidatePairState.Frozen && !IsFoundationBusy(pair))
            {
                return pair;
            }
        }

        return null;
    }

    /// <summary>Takes a pair that <see cref="Peek"/> returned out of the triggered queue.</summary>
    public void Take(CandidatePair pair) => _triggered.Remove(pair);

    /// <summary>Pairs that wait for or await an answer: the N of RFC 8445 §14.3.</summary>
    public int CountPending()
    {
        var count = 0;
        foreach (var pair in _pairs)
        {
            count += pair.State is CandidatePairState.Waiting or CandidatePairState.InProgress ? 1 : 0;
        }

        return count;
    }

    /// <summary>RFC 8445 §7.2.5.3.3: a success unfreezes the pairs of its foundation.</summary>
    public void Unfreeze(CandidatePair succeeded)
    {
        foreach (var pair in _pairs)
        {
            if (pair.State == CandidatePairState.Frozen && pair.HasFoundationOf(succeeded))
            {
                pair.State = CandidatePairState.Waiting;
            }
        }
    }

    /// <summary>RFC 8445 §8.1.2: with a pair in use the others are no longer checked, unless the peer nominated them too.</summary>
    public void StopChecks(CandidatePair selected)
    {
        _triggered.RemoveAll(static pair => !pair.NominateOnSuccess);
        foreach (var pair in _pairs)
        {
            if (pair != selected && !pair.NominateOnSuccess && pair.State is CandidatePairState.InProgress or CandidatePairState.Waiting)
            {
                pair.CancelRetransmission();
                pair.State = CandidatePairState.Frozen;
            }
        }
    }

    public void UpdatePriorities(IceRole role)
    {
        foreach (var pair in _pairs)
        {
            pair.UpdatePriority(role);
        }

        Sort();
    }

    /// <summary>Forgets the peer's candidates and every pair (RFC 8445 §9).</summary>
    public void ClearRemote()
    {
        _remote.Clear();
        _pairs.Clear();
        _triggered.Clear();
    }

    private void AddReflexive(IceCandidate candidate)
    {
        if (candidate.Type == IceCandidateType.ServerReflexive && _reflexive.Count < IceLimits.MaximumLocalCandidates)
        {
            _reflexive.Add(candidate);
        }
    }

    private bool TryTakeRemote(IceCandidate candidate, CandidatePair? selected)
    {
        if (_remote.Count >= IceLimits.MaximumRemoteCandidates && !TryEvictRemote(selected))
        {
            Refused++;
            return false;
        }

        _remote.Add(candidate);
        return true;
    }

    private void AddPair(IceCandidate local, IceCandidate remote, IceSessionKeys keys, IceRole role, CandidatePair? selected)
    {
        if (!IceAddress.CanPair(local.Base, remote.Address))
        {
            return;
        }

        var pair = new CandidatePair(local, remote, keys, role);
        if (_pairs.Count >= IceLimits.MaximumPairs)
        {
            Refused++;
            var lowest = _pairs.FindLast(p => p != selected && p.State != CandidatePairState.Succeeded && p.Priority < pair.Priority);
            if (lowest is null)
            {
                return;
            }

            _pairs.Remove(lowest);
            _triggered.Remove(lowest);
        }

        // RFC 8838 §12: one pair of each foundation goes first, and all of a foundation that has proved itself.
        pair.State = IsFoundationBusy(pair) ? CandidatePairState.Frozen : CandidatePairState.Waiting;
        _pairs.Add(pair);
        Sort();
    }

    private bool IsFoundationBusy(CandidatePair pair)
    {
        var busy = false;
        foreach (var other in _pairs)
        {
            if (other != pair && other.HasFoundationOf(pair))
            {
                if (other.State == CandidatePairState.Succeeded)
                {
                    return false;
                }

                busy |= other.State is CandidatePairState.Waiting or CandidatePairState.InProgress;
            }
        }

        return busy;
    }

    private void ReplaceRemote(int index, IceCandidate candidate, IceRole role)
    {
        var known = _remote[index];
        _remote[index] = candidate;
        foreach (var pair in _pairs)
        {
            if (ReferenceEquals(pair.Remote, known))
            {
                pair.ReplaceRemote(candidate, role);
            }
        }

        Sort();
    }

    /// <summary>Makes room by dropping the peer-reflexive candidate that was silent longest; over a long session a peer may rebind often.</summary>
    private bool TryEvictRemote(CandidatePair? selected)
    {
        IceCandidate? oldest = null;
        var oldestHeard = MonotonicTime.Never;
        foreach (var candidate in _remote)
        {
            if (candidate.Type != IceCandidateType.PeerReflexive || ReferenceEquals(candidate, selected?.Remote))
            {
                continue;
            }

            var heard = MonotonicTime.Zero;
            foreach (var pair in _pairs)
            {
                heard = ReferenceEquals(pair.Remote, candidate) && pair.LastHeardAt > heard ? pair.LastHeardAt : heard;
            }

            if (heard < oldestHeard)
            {
                (oldest, oldestHeard) = (candidate, heard);
            }
        }

        if (oldest is null)
        {
            return false;
        }

        _remote.Remove(oldest);
        _pairs.RemoveAll(pair => ReferenceEquals(pair.Remote, oldest));
        _triggered.RemoveAll(pair => ReferenceEquals(pair.Remote, oldest));
        return true;
    }

    private void Sort() => _pairs.Sort(static (left, right) => right.Priority.CompareTo(left.Priority));
}
