namespace Agent.Rtc.Ice;

/// <content>What is known of paths beside checks: media of the peer, a TCP connection that was closed, an address that the host has no more.</content>
public sealed partial class IceAgent
{
    private const string ConnectionClosed = "The TCP connection was closed.";
    private const string AddressGone = "This device no longer has the local address.";

    /// <summary>
    /// Media of the peer has come in and was authenticated. A peer sends on the pair that it uses: where that falls silent and media comes over
    /// another pair that the peer has nominated, its network has changed, and it would nominate that pair again only seconds later.
    /// </summary>
    public void HandleMedia(TransportAddress local, TransportAddress remote, MonotonicTime now)
    {
        if (_selected is null)
        {
            return;
        }

        if (IceAddress.SameEndpoint(remote, _selected.RemoteAddress))
        {
            _selected.LastMediaAt = now;
        }
        else if (HasFallenSilent(_selected, now) && _checkList.FindLocal(local, remote) is { } candidate
            && _checkList.FindPair(candidate.Base, remote) is { Nominated: true, State: CandidatePairState.Succeeded } pair)
        {
            Select(pair, now);
            Advance(now);
        }
    }

    private static bool HasFallenSilent(CandidatePair pair, MonotonicTime now) =>
        pair.LastMediaAt != default && now - pair.LastMediaAt >= IceLimits.MediaSilence && now - pair.LastHeardAt >= IceLimits.MediaSilence;

    /// <summary>A TCP connection has ended: its pair fails at once, and another pair is looked for if it was the one in use.</summary>
    public void HandleConnectionClosed(TransportAddress local, TransportAddress remote, MonotonicTime now)
    {
        FailPairs(pair => IceAddress.SameEndpoint(pair.RemoteAddress, remote) && IceAddress.SameEndpoint(pair.Base, local), ConnectionClosed, now);
    }

    /// <summary>A local address is gone: the pairs from it fail at once, and another is looked for if one of them was in use.</summary>
    /// <param name="localBase">The candidate's base, of either protocol or family.</param>
    /// <param name="now">The present.</param>
    public void RemoveLocalCandidate(TransportAddress localBase, MonotonicTime now)
    {
        _checkList.RemoveLocal(localBase);
        FailPairs(pair => IceAddress.SameEndpoint(pair.Base, localBase), AddressGone, now);
    }

    private void FailPairs(Predicate<CandidatePair> isGone, string reason, MonotonicTime now)
    {
        if (State is IceConnectionState.Closed or IceConnectionState.Failed)
        {
            return;
        }

        foreach (var pair in _checkList.Pairs)
        {
            if (isGone(pair) && pair.State != CandidatePairState.Failed)
            {
                _checkList.Fail(pair, reason);
            }
        }

        if (_valid is { State: CandidatePairState.Failed })
        {
            _valid = null;
        }

        if (_selected is not null && isGone(_selected))
        {
            // The pair of before a restart is not in the list any more.
            _checkList.Fail(_selected, reason);
            _consent.StopChecks();
            _checkList.CheckAgain();
        }

        Advance(now);
    }
}
