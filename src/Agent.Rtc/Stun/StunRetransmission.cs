namespace Agent.Rtc.Stun;

/// <summary>
/// When a request to a server is sent again and when it is given up (RFC 8489 §6.2.1 over UDP, §6.2.2 over a stream, which does the
/// repeating itself): both after 39.5 s.
/// </summary>
internal struct StunRetransmission
{
    private const int MaximumTransmissions = 7; // Rc
    private const int LastWaitInRtos = 16; // Rm

    private static readonly TimeSpan InitialRto = TimeSpan.FromMilliseconds(500); // RFC 8489 §6.2.1

    private TimeSpan _wait;
    private int _transmissions;
    private bool _isReliable;

    /// <summary>A request that has not been sent yet.</summary>
    public static StunRetransmission Create(bool isReliable) => new() { _isReliable = isReliable, _wait = InitialRto };

    /// <summary>When it is to be sent again or given up.</summary>
    public MonotonicTime NextAt { get; private set; }

    /// <summary>All transmissions have been made: at <see cref="NextAt"/> it is given up.</summary>
    public readonly bool IsLast => _isReliable || _transmissions == MaximumTransmissions;

    /// <summary>It is being sent now.</summary>
    public void NoteTransmission(MonotonicTime now)
    {
        _transmissions++;
        if (_isReliable)
        {
            NextAt = now + (InitialRto * ((1 << (MaximumTransmissions - 1)) - 1 + LastWaitInRtos));
            return;
        }

        NextAt = now + (IsLast ? InitialRto * LastWaitInRtos : _wait);
        _wait *= 2;
    }
}
