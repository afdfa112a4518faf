using System.Runtime.CompilerServices;
using Agent.Rtc.Stun;

namespace Agent.Rtc.Ice;

/// <summary>RFC 8445 §6.1.2.6.</summary>
internal enum CandidatePairState
{
    Frozen,
    Waiting,
    InProgress,
    Succeeded,
    Failed,
}

/// <summary>One check that may still be answered.</summary>
internal record struct CheckTransaction(StunTransactionId Id, MonotonicTime SentAt, IceRole Role, bool UseCandidate, bool Retransmitted)
{
    /// <summary>It, or a later check, has been answered: a further answer is known and changes nothing.</summary>
    public bool IsSettled { get; set; }

    /// <summary>An answer is still wanted.</summary>
    public readonly bool IsOutstanding => !Id.IsNone && !IsSettled;
}

/// <summary>The outstanding checks of one pair.</summary>
[InlineArray(IceLimits.TransactionsPerPair)]
internal struct CheckTransactions
{
    private CheckTransaction _first;
}

/// <summary>
/// A candidate pair (RFC 8445 §6.1.2) with its connectivity check: at most one is retransmitted at a time, older ones may still be
/// answered. The valid pair of RFC 8445 §7.2.5.3.2 is the same object: the base sent from is the same, and the address that the peer
/// saw is kept in <see cref="MappedAddress"/>.
/// </summary>
internal sealed class CandidatePair
{
    private CheckTransactions _transactions;
    private int _current;
    private TimeSpan _rto;
    private TimeSpan _longestRto;
    private MonotonicTime _giveUpAt;

    public CandidatePair(IceCandidate local, IceCandidate remote, IceSessionKeys keys, IceRole role)
    {
        Local = local;
        Remote = remote;
        Keys = keys;
        Base = local.Base;
        RemoteAddress = IceAddress.RemoteFrom(local.Base, remote.Address);
        UpdatePriority(role);
    }

    public IceCandidate Local { get; }

    public IceCandidate Remote { get; private set; }

    public IceSessionKeys Keys { get; }

    /// <summary>Where checks and data are sent from.</summary>
    public TransportAddress Base { get; }

    /// <summary>Where checks and data are sent to; has the base's scope if link-local.</summary>
    public TransportAddress RemoteAddress { get; }

    public ulong Priority { get; private set; }

    public CandidatePairState State { get; set; }

    public bool Nominated { get; set; }

    /// <summary>The controlled side was told to use this pair before its own check succeeded (RFC 8445 §7.3.1.5).</summary>
    public bool NominateOnSuccess { get; set; }

    /// <summary>The controlling side's next check on this pair carries USE-CANDIDATE.</summary>
    public bool NominateWithNextCheck { get; set; }

    public MonotonicTime LastNominatedAt { get; set; }

    /// <summary>When a valid message of the peer last came over this pair.</summary>
    public MonotonicTime LastHeardAt { get; set; }

    /// <summary>When media of the peer last came over this pair; <c>default</c> before, and for pairs that are not selected.</summary>
    public MonotonicTime LastMediaAt { get; set; }

    /// <summary>The address that the peer saw the last answered check come from; <c>default</c> before.</summary>
    public TransportAddress MappedAddress { get; private set; }

    private IceCandidateType MappedType { get; set; }

    public TimeSpan? RoundTripTime { get; set; }

    /// <summary>Why the pair failed, or what the peer last objected to while it is still tried.</summary>
    public string? FailureReason { get; set; }

    /// <summary>When to retransmit the current check or give it up.</summary>
    public MonotonicTime RetransmitAt { get; private set; } = MonotonicTime.Never;

    public CheckTransaction Current => _transactions[_current];

    /// <summary>The check that is being retransmitted carries USE-CANDIDATE.</summary>
    public bool IsNominating => RetransmitAt != MonotonicTime.Never && Current.UseCandidate;

    /// <summary>A further check may start while earlier ones are outstanding, without forgetting one of them.</summary>
    public bool HasFreeTransaction
    {
        get
        {
            foreach (ref readonly var transaction in (ReadOnlySpan<CheckTransaction>)_transactions)
            {
                if (!transaction.IsOutstanding)
                {
                    return true;
                }
            }

            return false;
        }
    }

    public void UpdatePriority(IceRole role) => Priority = role == IceRole.Controlling
        ? IcePriority.OfPair(Local.Priority, Remote.Priority)
        : IcePriority.OfPair(Remote.Priority, Local.Priority);

    /// <summary>The peer signalled a candidate that was first met as peer-reflexive.</summary>
    public void ReplaceRemote(IceCandidate remote, IceRole role)
    {
        Remote = remote;
        UpdatePriority(role);
    }

    public bool HasFoundationOf(CandidatePair other) =>
        Local.Foundation == other.Local.Foundation && Remote.Foundation == other.Remote.Foundation;

    /// <summary>Notes a first transmission; the oldest outstanding check is forgotten if there is no room.</summary>
    public void StartCheck(CheckTransaction transaction, TimeSpan rto)
    {
        var slot = 0;
        for (var i = 1; i < IceLimits.TransactionsPerPair; i++)
        {
            // Settled before outstanding, old before new.
            var settledFirst = _transactions[i].IsOutstanding.CompareTo(_transactions[slot].IsOutstanding);
            if (settledFirst < 0 || (settledFirst == 0 && _transactions[i].SentAt < _transactions[slot].SentAt))
            {
                slot = i;
            }
        }

        _current = slot;
        _transactions[slot] = transaction;
        _rto = rto;
        _longestRto = rto > IceLimits.LongestRto ? rto : IceLimits.LongestRto;
        _giveUpAt = transaction.SentAt + (rto * IceLimits.TransactionLifetimeInRtos);
        RetransmitAt = Base.IsTcp ? _giveUpAt : transaction.SentAt + rto; // over TCP, TCP retransmits (RFC 8489 §6.2.2)
    }

    /// <summary>The current check has had its time.</summary>
    public bool IsExpired(MonotonicTime now) => now >= _giveUpAt;

    /// <summary>Notes a retransmission of the current check; the RTO doubles up to its bound.</summary>
    public void NoteRetransmission(MonotonicTime now)
    {
        _transactions[_current].Retransmitted = true;
        _rto = _rto * 2 < _longestRto ? _rto * 2 : _longestRto;
        RetransmitAt = MonotonicTime.Min(now + _rto, _giveUpAt);
    }

    /// <summary>Stops retransmitting; answers to what was sent are still accepted (RFC 8445 §7.3.1.4).</summary>
    public void CancelRetransmission() => RetransmitAt = MonotonicTime.Never;

    public bool TryFindTransaction(StunTransactionId id, out CheckTransaction transaction)
    {
        foreach (ref readonly var candidate in (ReadOnlySpan<CheckTransaction>)_transactions)
        {
            if (candidate.Id == id)
            {
                transaction = candidate;
                return true;
            }
        }

        transaction = default;
        return false;
    }

    /// <summary>An answered check makes the others pointless, except a nomination that is still unanswered.</summary>
    public void CompleteTransactions(bool answeredNomination)
    {
        for (var i = 0; i < IceLimits.TransactionsPerPair; i++)
        {
            if (answeredNomination || !_transactions[i].UseCandidate)
            {
                _transactions[i].IsSettled = true;
            }
        }

        if (!Current.IsOutstanding)
        {
            CancelRetransmission();
        }
    }

    /// <summary>Notes what the peer saw; a mapped address of another kind than the local candidate is <paramref name="type"/>.</summary>
    public void SetMappedAddress(TransportAddress address, IceCandidateType type)
    {
        MappedAddress = address;
        MappedType = type;
    }

    public void Fail(string reason)
    {
        State = CandidatePairState.Failed;
        FailureReason = reason;
        NominateWithNextCheck = false;
        _transactions = default;
        CancelRetransmission();
    }

    public CandidatePairStatus ToStatus() => new(
        MappedAddress.IsNone || IceAddress.SameEndpoint(MappedAddress, Local.Address) ? Local.Type : MappedType,
        Base, Remote.Type, RemoteAddress, State.ToString(), Nominated, RoundTripTime, FailureReason);
}
