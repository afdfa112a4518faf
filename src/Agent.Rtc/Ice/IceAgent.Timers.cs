using Agent.Rtc.Stun;

namespace Agent.Rtc.Ice;

/// <content>What the clock drives: pacing, retransmission, nomination, consent, failure.</content>
public sealed partial class IceAgent
{
    private bool NeedsPair => _selected is null || _selected.Keys != _keys || _selected.State == CandidatePairState.Failed;

    private void Advance(MonotonicTime now)
    {
        if (State == IceConnectionState.Failed)
        {
            NextTimeout = MonotonicTime.Never;
            return;
        }

        if (_keys.HasRemote && _startedAt is null)
        {
            _startedAt = now;
            State = State == IceConnectionState.New ? IceConnectionState.Checking : State;
        }

        Retransmit(now);
        _waitingForBetter = false;
        if (Role == IceRole.Controlling && NeedsPair)
        {
            Nominate(now);
        }

        if (_keys.HasRemote && now >= FindNextCheck() && _checkList.Peek(triggeredOnly: !NeedsPair) is { } next)
        {
            SendCheck(next, now);
        }

        KeepConsent(now);
        JudgeFailure(now);
        NextTimeout = FindNextTimeout();
    }

    private void Retransmit(MonotonicTime now)
    {
        foreach (var pair in _checkList.Pairs)
        {
            if (pair.RetransmitAt > now)
            {
                continue;
            }

            if (pair.IsExpired(now))
            {
                pair.Fail(pair.FailureReason
                    ?? "No answer to any check: a firewall or a missing route between the two addresses.");
                continue;
            }

            pair.NoteRetransmission(now);
            EnqueueCheck(pair, pair.Current);
        }
    }

    private void SendCheck(CandidatePair pair, MonotonicTime now)
    {
        var rto = IceLimits.Pacing * _checkList.CountPending();
        _checkList.Take(pair);
        var nominate = pair.NominateWithNextCheck && Role == IceRole.Controlling;
        pair.NominateWithNextCheck = false;
        pair.State = pair.State == CandidatePairState.Succeeded ? pair.State : CandidatePairState.InProgress;
        pair.StartCheck(
            new CheckTransaction(StunTransactionId.Create(_random), now, Role, nominate, Retransmitted: false),
            rto > IceLimits.MinimumRto ? rto : IceLimits.MinimumRto);
        EnqueueCheck(pair, pair.Current);
        _lastCheckAt = now;
    }

    private void EnqueueCheck(CandidatePair pair, in CheckTransaction check) => _queue.Enqueue(new OutgoingMessage
    {
        Class = StunClass.Request,
        Id = check.Id,
        Local = pair.Base,
        Remote = pair.RemoteAddress,
        Key = pair.Keys.RemotePassword,
        Username = pair.Keys.OutgoingUsername,
        Priority = IcePriority.AsPeerReflexive(pair.Local.Priority, pair.Base.Protocol),
        Role = check.Role,
        TieBreaker = _tieBreaker,
        UseCandidate = check.UseCandidate,
    });

    /// <summary>Regular nomination (RFC 8445 §8.1.1): the best valid pair, once nothing better is pending or patience is over.</summary>
    private void Nominate(MonotonicTime now)
    {
        var betterIsPending = false;
        foreach (var pair in _checkList.Pairs)
        {
            if (pair.NominateWithNextCheck || pair.IsNominating)
            {
                return;
            }

            if (pair.State != CandidatePairState.Succeeded)
            {
                betterIsPending |= pair.State != CandidatePairState.Failed;
                continue;
            }

            if (betterIsPending && now < _firstValidAt + IceLimits.NominationPatience)
            {
                _waitingForBetter = true;
                return;
            }

            pair.NominateWithNextCheck = true;
            _checkList.Trigger(pair, first: true);
            return;
        }
    }

    private void KeepConsent(MonotonicTime now)
    {
        if (_selected is null)
        {
            return;
        }

        if (now >= _consent.ExpiresAt)
        {
            _checkList.Fail(_selected, _selected.State == CandidatePairState.Failed ? _selected.FailureReason! : $"No consent for {IceLimits.ConsentLifetime.TotalSeconds} s (RFC 7675): the peer is gone or the path is broken.");
            FailureReason = _selected.FailureReason;
            var restarting = _selected.Keys != _keys;
            _selected = null;
            _valid = null;
            _previousKeys = null;
            _consent.Stop();
            State = restarting ? IceConnectionState.Checking : IceConnectionState.Failed;
            return;
        }

        if (now >= _consent.NextCheckAt)
        {
            var id = _consent.CreateCheck(now);
            EnqueueCheck(_selected, new CheckTransaction(id, now, Role, Role == IceRole.Controlling, Retransmitted: false));
        }
    }

    private MonotonicTime FindNextCheck() =>
        _lastCheckAt + (NeedsPair && _checkList.HasTriggered ? IceLimits.TriggeredPacing : IceLimits.Pacing);

    private void JudgeFailure(MonotonicTime now)
    {
        if (State != IceConnectionState.Checking || _selected is not null)
        {
            return;
        }

        if (now >= FindFailureDeadline())
        {
            State = IceConnectionState.Failed;
            FailureReason = (_checkList.Pairs.Count == 0
                ? "No candidate pair: the peer signalled no candidate that a local address can reach, and none of its checks arrived."
                : "No candidate pair succeeded; see the reason of each pair.")
                + (_remoteMayConnect && !_checkList.Pairs.Exists(static pair => pair.Base.IsTcp) ? " No TCP connection of the peer arrived either." : "");
        }
    }

    private MonotonicTime FindFailureDeadline()
    {
        var hopeless = _remoteEndOfCandidates && _checkList.Pairs.TrueForAll(static pair => pair.State == CandidatePairState.Failed);
        return _startedAt is { } startedAt
            ? startedAt + (hopeless ? IceLimits.MinimumCheckingTime : IceLimits.MaximumCheckingTime)
            : MonotonicTime.Never;
    }

    private MonotonicTime FindNextTimeout()
    {
        if (State == IceConnectionState.Failed)
        {
            return MonotonicTime.Never;
        }

        var next = MonotonicTime.Min(_consent.NextCheckAt, _consent.ExpiresAt);
        foreach (var pair in _checkList.Pairs)
        {
            next = MonotonicTime.Min(next, pair.RetransmitAt);
        }

        if (_keys.HasRemote && _checkList.Peek(triggeredOnly: !NeedsPair) is not null)
        {
            next = MonotonicTime.Min(next, FindNextCheck());
        }

        if (_selected is null)
        {
            next = MonotonicTime.Min(next, FindFailureDeadline());
        }

        if (_waitingForBetter)
        {
            next = MonotonicTime.Min(next, _firstValidAt.GetValueOrDefault() + IceLimits.NominationPatience);
        }

        return next;
    }

    private void Select(CandidatePair pair, MonotonicTime now)
    {
        pair.Nominated = true;
        pair.LastNominatedAt = now;
        if (pair == _selected || !Supersedes(pair, now))
        {
            return;
        }

        _selected = pair;
        _valid = null;
        _previousKeys = null;
        State = IceConnectionState.Connected;
        FailureReason = null;
        _checkList.StopChecks(pair);
        _consent.Start(now);
    }

    private bool Supersedes(CandidatePair pair, MonotonicTime now) =>
        _selected is null
        || _selected.Keys != pair.Keys
        || _selected.State == CandidatePairState.Failed
        || pair.Priority > _selected.Priority
        || HasFallenSilent(_selected, now)
        || now - _selected.LastNominatedAt >= IceLimits.AggressiveNominationWindow;
}
