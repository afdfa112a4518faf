using Agent.Rtc.Stun;

namespace Agent.Rtc.Ice;

/// <content>What comes from the network: checks of the peer, and answers to this side's checks.</content>
public sealed partial class IceAgent
{
    // The foundation of candidates that the peer's checks reveal; it only needs to differ from signalled ones (RFC 8445 §7.3.1.3).
    private const string PeerReflexiveFoundation = "prflx";

    /// <summary>Handles a datagram that RFC 7983 classes as STUN. Malformed or unauthenticated input is dropped and counted.</summary>
    /// <param name="datagram">The UDP payload.</param>
    /// <param name="local">The address it came in on; <c>default</c> or unspecified if unknown.</param>
    /// <param name="remote">Its source.</param>
    /// <param name="now">The present.</param>
    /// <returns>True if it was a valid STUN message of this session.</returns>
    public bool HandleDatagram(ReadOnlySpan<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now)
    {
        var handled = false;
        if (State is not (IceConnectionState.Closed or IceConnectionState.Failed)
            && StunMessage.TryParse(datagram, out var message) && message.Method == StunFormat.BindingMethod)
        {
            handled = message.Class switch
            {
                StunClass.Request => HandleRequest(in message, local, remote, now),
                // A keepalive (RFC 8445 §11); it is not authenticated and changes nothing.
                StunClass.Indication => message.UnknownAttributes.IsEmpty,
                _ => HandleResponse(in message, local, remote, now),
            };

            // What proves nothing must cost little: the walk over all pairs is for messages that were authenticated.
            if (handled)
            {
                Advance(now);
            }
        }

        DatagramsDropped += handled ? 0 : 1;
        return handled;
    }

    private bool HandleRequest(in StunMessage request, TransportAddress local, TransportAddress remote, MonotonicTime now)
    {
        var reply = new OutgoingMessage { Class = StunClass.ErrorResponse, Id = request.TransactionId, Local = local, Remote = remote };
        if (!request.HasMessageIntegrity || request.Username.IsEmpty)
        {
            reply.ErrorCode = StunErrorCode.BadRequest; // RFC 8489 §9.1.3.
            _queue.Enqueue(in reply);
            return false;
        }

        var keys = _keys.Matches(request.Username) ? _keys : _previousKeys;
        if (keys is null || !keys.Matches(request.Username) || !request.VerifyMessageIntegrity(keys.LocalPassword))
        {
            reply.ErrorCode = StunErrorCode.Unauthenticated; // RFC 8489 §9.1.3.
            _queue.Enqueue(in reply);
            return false;
        }

        reply.Key = keys.LocalPassword;
        if (!request.UnknownAttributes.IsEmpty)
        {
            reply.ErrorCode = StunErrorCode.UnknownAttribute; // RFC 8489 §6.3.1.1.
            reply.UnknownCount = request.UnknownAttributes.Length;
            request.UnknownAttributes.CopyTo(reply.Unknown);
            _queue.Enqueue(in reply);
            return false;
        }

        if (keys == _keys && !ResolveRoleConflict(in request))
        {
            reply.ErrorCode = StunErrorCode.RoleConflict;
            _queue.Enqueue(in reply);
            return true;
        }

        reply.Class = StunClass.SuccessResponse;
        _queue.Enqueue(in reply);
        // A check of the generation before a restart keeps the peer's consent; it starts nothing.
        if (keys == _keys && FindOrAddPair(in request, local, remote) is { } pair)
        {
            pair.LastHeardAt = now;
            HandleCheckOf(pair, request.UseCandidate && Role == IceRole.Controlled, now);
        }

        return true;
    }

    /// <summary>RFC 8445 §7.3.1.1. False if the peer must switch.</summary>
    private bool ResolveRoleConflict(in StunMessage request)
    {
        if (Role == IceRole.Controlling && request.IceControlling is { } controlling)
        {
            if (_tieBreaker >= controlling)
            {
                return false;
            }

            SwitchRole();
        }
        else if (Role == IceRole.Controlled && request.IceControlled is { } controlled)
        {
            if (_tieBreaker < controlled)
            {
                return false;
            }

            SwitchRole();
        }

        return true;
    }

    private void SwitchRole()
    {
        Role = Role == IceRole.Controlling ? IceRole.Controlled : IceRole.Controlling;
        _checkList.UpdatePriorities(Role);
        foreach (var pair in _checkList.Pairs)
        {
            pair.NominateOnSuccess = false;
            pair.NominateWithNextCheck = false;
        }
    }

    /// <summary>The pair a check came over; a new remote address is a peer-reflexive candidate (RFC 8445 §7.3.1.3).</summary>
    private CandidatePair? FindOrAddPair(in StunMessage request, TransportAddress local, TransportAddress remote)
    {
        var candidate = _checkList.FindLocal(local, remote);
        if (candidate is null && !local.IsNone && !local.IsUnspecified)
        {
            // An interface that came up after gathering; the peer reached it, so it is as good as a signalled one.
            _checkList.AddLocal(IceCandidate.CreateHost(local, localPreference: 0), _keys, Role, _selected);
            candidate = _checkList.FindLocal(local, remote);
        }

        if (candidate is null)
        {
            return null;
        }

        if (_checkList.FindPair(candidate.Base, remote) is { } known)
        {
            return known;
        }

        var priority = request.Priority ?? IcePriority.Compute(IceCandidateType.PeerReflexive, localPreference: 0, remote.Protocol);
        _checkList.AddPeerReflexive(
            candidate, new IceCandidate(IceCandidateType.PeerReflexive, remote, remote, priority, PeerReflexiveFoundation), _keys, Role, _selected);
        return _checkList.FindPair(candidate.Base, remote);
    }

    /// <summary>Triggered checks and nomination by the peer (RFC 8445 §7.3.1.4, §7.3.1.5).</summary>
    private void HandleCheckOf(CandidatePair pair, bool nominates, MonotonicTime now)
    {
        if (pair.State == CandidatePairState.Succeeded)
        {
            if (nominates)
            {
                Select(pair, now);
            }

            return;
        }

        pair.NominateOnSuccess |= nominates;
        if (pair.State == CandidatePairState.InProgress && !pair.HasFreeTransaction)
        {
            return; // Enough checks are on their way; the last goes on being retransmitted.
        }

        pair.CancelRetransmission();
        pair.State = CandidatePairState.Waiting;
        _checkList.Trigger(pair);
    }

    private bool HandleResponse(in StunMessage response, TransportAddress local, TransportAddress remote, MonotonicTime now)
    {
        if (_selected is not null && _consent.IsOutstanding(response.TransactionId, out var sentAt))
        {
            return HandleConsentResponse(in response, sentAt, remote, now);
        }

        foreach (var pair in _checkList.Pairs)
        {
            if (pair.TryFindTransaction(response.TransactionId, out var check))
            {
                return HandleCheckResponse(pair, in check, in response, local, remote, now);
            }
        }

        return false;
    }

    private bool HandleConsentResponse(in StunMessage response, MonotonicTime sentAt, TransportAddress remote, MonotonicTime now)
    {
        if (_selected is null || !response.VerifyMessageIntegrity(_selected.Keys.RemotePassword)
            || !IceAddress.SameEndpoint(remote, _selected.RemoteAddress))
        {
            return false;
        }

        if (response.Class == StunClass.SuccessResponse)
        {
            _selected.RoundTripTime = now - sentAt;
            _selected.LastHeardAt = now;
            _consent.Renew(now);
        }

        return true;
    }

    private bool HandleCheckResponse(
        CandidatePair pair, in CheckTransaction check, in StunMessage response, TransportAddress local, TransportAddress remote, MonotonicTime now)
    {
        if (!response.VerifyMessageIntegrity(pair.Keys.RemotePassword))
        {
            // RFC 8489 §9.1.4: as if never received. An error that cannot be trusted may still explain a failure later.
            pair.FailureReason = response.ErrorCode != 0
                ? $"The peer answers {response.ErrorCode} (RFC 8489 §14.8): it does not know these credentials."
                : "The peer's answers are not signed with its password.";
            return false;
        }

        pair.LastHeardAt = now;
        if (check.IsSettled)
        {
            return true;
        }

        if (response.Class == StunClass.ErrorResponse)
        {
            HandleCheckError(pair, in check, response.ErrorCode);
            return true;
        }

        // RFC 8445 §7.2.5.2.1: the answer must come from where the check went, to where it came from.
        var symmetric = IceAddress.SameEndpoint(remote, pair.RemoteAddress)
            && (local.IsNone || local.IsUnspecified || IceAddress.SameEndpoint(local, pair.Base));
        if (!symmetric || response.XorMappedAddress.IsNone || !response.UnknownAttributes.IsEmpty)
        {
            pair.Fail(symmetric ? "The peer's answer lacks what RFC 8445 §7.3.1.2 requires." : $"The peer answered from {remote} to {local}.");
            return true;
        }

        pair.SetMappedAddress(response.XorMappedAddress, _checkList.FindMappedType(response.XorMappedAddress));
        pair.RoundTripTime = check.Retransmitted ? pair.RoundTripTime : now - check.SentAt; // Karn: a retransmitted check measures nothing.
        pair.FailureReason = null;
        pair.State = CandidatePairState.Succeeded;
        pair.CompleteTransactions(check.UseCandidate);
        _checkList.Unfreeze(pair);
        _firstValidAt ??= now;
        if (_selected is not null && NeedsPair)
        {
            _valid ??= pair;
        }

        if (pair.NominateOnSuccess || (check.UseCandidate && Role == IceRole.Controlling))
        {
            pair.NominateOnSuccess = false;
            Select(pair, now);
        }

        return true;
    }

    private void HandleCheckError(CandidatePair pair, in CheckTransaction check, int errorCode)
    {
        if (errorCode != StunErrorCode.RoleConflict)
        {
            pair.Fail($"The peer answered {errorCode} (RFC 8489 §14.8).");
            return;
        }

        // RFC 8445 §7.2.5.1: switch, unless that has happened since, and check again.
        if (check.Role == Role)
        {
            SwitchRole();
        }

        pair.CancelRetransmission();
        pair.CompleteTransactions(answeredNomination: true);
        pair.State = CandidatePairState.Waiting;
        _checkList.Trigger(pair);
    }
}
