using Agent.Rtc.Stun;

namespace Agent.Rtc.Turn;

/// <content>Requests and what their answers change.</content>
public sealed partial class TurnClient
{
    private readonly TurnLogin _login;
    private readonly List<Transaction> _transactions = [];
    private bool _wantsIPv6Only;
    private bool _hasDeletedEarlier;

    private Transaction Start(ushort method)
    {
        var transaction = new Transaction(method, StunTransactionId.Create(_random), StunRetransmission.Create(_isStream));
        _transactions.Add(transaction);
        return transaction;
    }

    private void RepeatTransactions(MonotonicTime now)
    {
        for (var i = _transactions.Count - 1; i >= 0 && State is TurnState.Allocating or TurnState.Allocated; i--)
        {
            var transaction = _transactions[i];
            if (transaction.IsDue || now < transaction.Retransmission.NextAt)
            {
                continue;
            }

            if (!transaction.Retransmission.IsLast)
            {
                transaction.IsDue = true;
                continue;
            }

            _transactions.RemoveAt(i);
            if (transaction.Method is TurnFormat.Allocate or TurnFormat.Refresh)
            {
                Fail("does not answer; a firewall, no way to it, or no TURN server");
            }
            else
            {
                Refuse(transaction, now);
            }
        }
    }

    private int Write(Transaction transaction, Span<byte> buffer)
    {
        ReadOnlySpan<byte> ipv6 = [StunFormat.FamilyIPv6, 0, 0, 0];
        var writer = new StunMessageWriter(buffer, transaction.Method, StunClass.Request, transaction.Id);
        switch (transaction.Method)
        {
            case TurnFormat.Allocate:
                // RFC 8656 §7.1. A server that does not know the additional family ignores it.
                writer.WriteAttribute(StunAttributeType.RequestedTransport, [TurnFormat.ProtocolUdp, 0, 0, 0]);
                writer.WriteAttribute(_wantsIPv6Only ? StunAttributeType.RequestedAddressFamily : StunAttributeType.AdditionalAddressFamily, ipv6);
                break;
            case TurnFormat.Refresh when transaction.Lifetime is { } lifetime:
                writer.WriteUInt32(StunAttributeType.Lifetime, (uint)lifetime.TotalSeconds);
                break;
            case TurnFormat.CreatePermission:
                writer.WriteXorAddress(StunAttributeType.XorPeerAddress, transaction.Permission!.Address);
                break;
            case TurnFormat.ChannelBind:
                writer.WriteUInt32(StunAttributeType.ChannelNumber, (uint)transaction.Peer!.Channel << 16);
                writer.WriteXorAddress(StunAttributeType.XorPeerAddress, transaction.Peer.Address);
                break;
        }

        if (_login.HasKey)
        {
            _login.Sign(ref writer);
        }

        writer.WriteFingerprint();
        return writer.Length;
    }

    private bool HandleResponse(in TurnMessage response, MonotonicTime now)
    {
        var id = response.TransactionId;
        var transaction = _transactions.Find(one => one.Id == id);
        if (transaction is null || transaction.Method != response.Method || !IsAuthentic(in response))
        {
            return false;
        }

        if (response.Class == StunClass.ErrorResponse && TryAgain(transaction, in response))
        {
            return true;
        }

        _transactions.Remove(transaction);
        if (response.Class == StunClass.SuccessResponse && !response.HasUnknownAttribute)
        {
            Succeed(transaction, in response, now);
        }
        else if (transaction.Method is TurnFormat.Allocate or TurnFormat.Refresh || response.ErrorCode == StunErrorCode.AllocationMismatch)
        {
            FailBy(transaction, in response);
        }
        else
        {
            Refuse(transaction, now);
        }

        return true;
    }

    /// <summary>
    /// RFC 8489 §9.2.5. Error responses without MESSAGE-INTEGRITY are believed, also where the RFC would have them ignored: whoever could
    /// forge one has read the request and could as well have swallowed it, and the reason of a failure is worth more to the user than "no answer".
    /// </summary>
    private bool IsAuthentic(in TurnMessage response) => response.HasMessageIntegrity
        ? _login.HasKey && response.VerifyMessageIntegrity(_login.Key)
        : response.Class == StunClass.ErrorResponse;

    /// <summary>True if the request goes out again with what the server has told.</summary>
    private bool TryAgain(Transaction transaction, in TurnMessage response)
    {
        var isFirstChallenge = response.ErrorCode == StunErrorCode.Unauthenticated && !_login.HasKey && !response.Realm.IsEmpty;
        var isStale = response.ErrorCode == StunErrorCode.StaleNonce && transaction.StaleNonces++ < TurnLimits.MaximumStaleNonces;
        var isOtherFamily = response.ErrorCode == StunErrorCode.AddressFamilyNotSupported && transaction.Method == TurnFormat.Allocate && !_wantsIPv6Only;
        if ((isFirstChallenge || isStale) && !response.Nonce.IsEmpty)
        {
            _login.Learn(response.Realm, response.Nonce);
        }
        else if (isOtherFamily)
        {
            _wantsIPv6Only = true;
        }
        else
        {
            return false;
        }

        // Another request by RFC 8489 §9.2.5, so it has another id.
        transaction.Renew(StunTransactionId.Create(_random), StunRetransmission.Create(_isStream));
        return true;
    }

    private void Succeed(Transaction transaction, in TurnMessage response, MonotonicTime now)
    {
        switch (transaction.Method)
        {
            case TurnFormat.Allocate when response.Lifetime is not { } lifetime || lifetime <= TimeSpan.Zero
                || (response.RelayedIPv4.IsNone && response.RelayedIPv6.IsNone):
                Fail("answers without a relayed address or lifetime (RFC 8656 §7.3)");
                break;
            case TurnFormat.Allocate:
                (RelayedIPv4, RelayedIPv6, MappedAddress) = (response.RelayedIPv4, response.RelayedIPv6, response.MappedAddress);
                State = TurnState.Allocated;
                Live(response.Lifetime.Value, now);
                break;
            case TurnFormat.Refresh when State == TurnState.Allocating:
                Start(TurnFormat.Allocate); // the earlier allocation is gone
                break;
            case TurnFormat.Refresh:
                Live(response.Lifetime ?? TurnLimits.RefreshInterval * 2, now);
                break;
            case TurnFormat.CreatePermission:
                transaction.Permission!.IsPending = false;
                transaction.Permission.GrantedUntil = now + TurnLimits.PermissionLifetime;
                Release(transaction.Permission);
                break;
            case TurnFormat.ChannelBind:
                transaction.Peer!.IsBinding = false;
                transaction.Peer.BoundUntil = now + TurnLimits.ChannelLifetime;
                transaction.Peer.Permission.GrantedUntil = now + TurnLimits.PermissionLifetime; // RFC 8656 §12.2
                break;
        }
    }

    private void Live(TimeSpan lifetime, MonotonicTime now)
    {
        _expiresAt = now + lifetime;
        _refreshAt = now + (lifetime / 2 < TurnLimits.RefreshInterval ? lifetime / 2 : TurnLimits.RefreshInterval);
    }

    private void FailBy(Transaction transaction, in TurnMessage response)
    {
        if (State == TurnState.Allocating && response.ErrorCode == StunErrorCode.AllocationMismatch && !_hasDeletedEarlier)
        {
            // An allocation of this port from before the agent was killed: its user may delete it (RFC 8656 §7.4 lets the client do as it likes).
            _hasDeletedEarlier = true;
            Start(TurnFormat.Refresh).Lifetime = TimeSpan.Zero;
            return;
        }

        AlternateServer = response.ErrorCode == StunErrorCode.TryAlternate && transaction.Method == TurnFormat.Allocate ? response.AlternateServer : default;
        Fail(AlternateServer.IsNone
            ? response.Class == StunClass.ErrorResponse ? TurnErrors.Describe(response.ErrorCode) : "answers with an attribute that must be known and is not (RFC 8489 §6.3.3)"
            : $"sends to {AlternateServer}");
    }

    /// <summary>A permission or a channel was refused, or the request was not answered; the allocation goes on.</summary>
    private void Refuse(Transaction transaction, MonotonicTime now)
    {
        if (transaction.Permission is { } permission)
        {
            PermissionsRefused++;
            permission.IsPending = false;
            permission.RefusedUntil = now + TurnLimits.RefusalTime;
            foreach (var peer in _peers.Values)
            {
                if (peer.Permission == permission && peer.Held is not null)
                {
                    peer.Held = null;
                    DatagramsDropped++;
                }
            }
        }
        else if (transaction.Peer is { } peer)
        {
            peer.IsBinding = false;
            peer.NoBindingUntil = now + TurnLimits.RefusalTime;
        }
    }

    private void Release(TurnPermission permission)
    {
        foreach (var peer in _peers.Values)
        {
            if (peer.Permission == permission && peer.Held is not null)
            {
                _released.Enqueue(peer);
            }
        }
    }

    /// <summary>A request that may still be answered.</summary>
    private sealed class Transaction(ushort method, StunTransactionId id, StunRetransmission retransmission)
    {
        public StunRetransmission Retransmission = retransmission;

        public ushort Method { get; } = method;

        public StunTransactionId Id { get; private set; } = id;

        /// <summary>To be sent, for the first time or again.</summary>
        public bool IsDue { get; set; } = true;

        public int StaleNonces { get; set; }

        /// <summary>Refresh only; null leaves it to the server.</summary>
        public TimeSpan? Lifetime { get; set; }

        /// <summary>CreatePermission only.</summary>
        public TurnPermission? Permission { get; set; }

        /// <summary>ChannelBind only.</summary>
        public TurnPeer? Peer { get; set; }

        public void Renew(StunTransactionId id, StunRetransmission retransmission)
        {
            Id = id;
            Retransmission = retransmission;
            IsDue = true;
        }
    }
}
