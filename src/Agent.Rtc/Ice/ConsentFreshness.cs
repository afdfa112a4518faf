using System.Runtime.CompilerServices;
using Agent.Rtc.Stun;

namespace Agent.Rtc.Ice;

/// <summary>
/// Consent to send on the selected pair (RFC 7675 §5.1). Its checks are connectivity checks that are not retransmitted; they come
/// often enough to be the keepalive of RFC 8445 §11 as well.
/// </summary>
internal sealed class ConsentFreshness(IRandomSource random)
{
    private Checks _checks;
    private int _next;

    /// <summary>When the next check is due; Never while there is nothing to keep fresh.</summary>
    public MonotonicTime NextCheckAt { get; private set; } = MonotonicTime.Never;

    /// <summary>When consent lapses.</summary>
    public MonotonicTime ExpiresAt { get; private set; } = MonotonicTime.Never;

    /// <summary>A pair was selected: its check was answered, or the peer has just nominated it.</summary>
    public void Start(MonotonicTime now)
    {
        _checks = default;
        ExpiresAt = now + IceLimits.ConsentLifetime;
        NextCheckAt = now + DrawInterval();
    }

    /// <summary>The pair is lost: nothing is sent on it, and consent lapses when it would have.</summary>
    public void StopChecks()
    {
        _checks = default;
        NextCheckAt = MonotonicTime.Never;
    }

    public void Stop()
    {
        _checks = default;
        ExpiresAt = MonotonicTime.Never;
        NextCheckAt = MonotonicTime.Never;
    }

    /// <summary>Notes a check that is being sent now and plans the next.</summary>
    public StunTransactionId CreateCheck(MonotonicTime now)
    {
        var id = StunTransactionId.Create(random);
        _checks[_next] = new Check(id, now);
        _next = (_next + 1) % IceLimits.OutstandingConsentChecks;
        NextCheckAt = now + DrawInterval();
        return id;
    }

    /// <summary>True if the id is that of an outstanding consent check.</summary>
    public bool IsOutstanding(StunTransactionId id, out MonotonicTime sentAt)
    {
        foreach (ref readonly var check in (ReadOnlySpan<Check>)_checks)
        {
            if (check.Id == id)
            {
                sentAt = check.SentAt;
                return true;
            }
        }

        sentAt = default;
        return false;
    }

    /// <summary>A check was answered with a valid response.</summary>
    public void Renew(MonotonicTime now) => ExpiresAt = now + IceLimits.ConsentLifetime;

    private TimeSpan DrawInterval()
    {
        // RFC 7675 §5.1: uniformly between 0.8 and 1.2 of the interval.
        const double shortest = 0.8;
        const double spread = 0.4;
        byte draw = 0;
        random.Fill(new Span<byte>(ref draw));
        return IceLimits.ConsentInterval * (shortest + (spread * draw / byte.MaxValue));
    }

    private readonly record struct Check(StunTransactionId Id, MonotonicTime SentAt);

    [InlineArray(IceLimits.OutstandingConsentChecks)]
    private struct Checks
    {
        private Check _first;
    }
}
