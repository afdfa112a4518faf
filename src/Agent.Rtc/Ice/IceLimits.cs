namespace Agent.Rtc.Ice;

/// <summary>Timers and caps of the ICE agent.</summary>
internal static class IceLimits
{
    /// <summary>Checks sent on one pair that may be outstanding together: a triggered check does not wait for the one before.</summary>
    public const int TransactionsPerPair = 4;

    /// <summary>RFC 8445 §6.1.2.5: default cap on the check list.</summary>
    public const int MaximumPairs = 100;

    /// <summary>A home router has a few; keeps a hostile SDP or a flood of forged sources from growing memory.</summary>
    public const int MaximumRemoteCandidates = 64;

    /// <summary>Interfaces times families times protocols of a large host.</summary>
    public const int MaximumLocalCandidates = 64;

    /// <summary>Messages that wait for <see cref="IceAgent.TryDequeueTransmit"/>; the newest is dropped and counted beyond it.</summary>
    public const int MaximumQueuedMessages = 32;

    /// <summary>
    /// How long a request may go unanswered, in initial RTOs: what Rc = 7 transmissions that double and Rm = 16 add up to
    /// (RFC 8489 §6.2.1), 39.5 s for the smallest RTO.
    /// </summary>
    public const int TransactionLifetimeInRtos = 63 + 16;

    /// <summary>Outstanding consent checks: one each 4 s at least for <see cref="ConsentLifetime"/>.</summary>
    public const int OutstandingConsentChecks = 8;

    /// <summary>Ta (RFC 8445 §14.2).</summary>
    public static readonly TimeSpan Pacing = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// RFC 8445 §14.2's floor of Ta, kept to by triggered checks while there is no path: the peer has just shown that its side of the
    /// path is open, and each of its checks allows one, so nothing is gained by making the viewer wait for a whole Ta.
    /// </summary>
    public static readonly TimeSpan TriggeredPacing = TimeSpan.FromMilliseconds(5);

    /// <summary>The smallest initial RTO (RFC 8445 §14.3).</summary>
    public static readonly TimeSpan MinimumRto = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// The RTO stops doubling here, or at the initial RTO if that is longer: with RFC 8489's 16 s gaps a viewer on a bad radio link
    /// would wait half a minute for the one answer that is missing. The initial RTO grows with the pairs (RFC 8445 §14.3), so all
    /// retransmissions together stay within one check each Ta.
    /// </summary>
    public static readonly TimeSpan LongestRto = TimeSpan.FromSeconds(1);

    /// <summary>RFC 7675 §5.1.</summary>
    public static readonly TimeSpan ConsentLifetime = TimeSpan.FromSeconds(30);

    /// <summary>RFC 7675 §5.1: checks are spread over 0.8 to 1.2 times this interval.</summary>
    public static readonly TimeSpan ConsentInterval = TimeSpan.FromSeconds(5);

    /// <summary>RFC 8863 §4 (PAC timer): no failure earlier, even with every pair failed; peer-reflexive candidates may yet come.</summary>
    public static readonly TimeSpan MinimumCheckingTime = TimeSpan.FromSeconds(39.5);

    /// <summary>Failure after this time without a nominated pair, whatever is still pending.</summary>
    public static readonly TimeSpan MaximumCheckingTime = TimeSpan.FromSeconds(60);

    /// <summary>How long a controlling agent with a valid pair waits for a better one (RFC 8445 §8.1.1 leaves it open).</summary>
    public static readonly TimeSpan NominationPatience = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// A peer that nominates aggressively (RFC 5245 §8.1.1.2; Chromium puts USE-CANDIDATE into every check) means the best of the
    /// pairs it checks. A worse pair is meant only when the selected one has not been nominated for longer than any peer rests
    /// between checks of the pair it uses: Chromium 2.5 s, RFC 7675 §5.1 at most 6 s.
    /// </summary>
    public static readonly TimeSpan AggressiveNominationWindow = TimeSpan.FromSeconds(6);

    /// <summary>
    /// After so long without media on the selected pair, a nominated pair that is heard takes its place. Chromium sends transport feedback
    /// several times a second on the one pair that it uses.
    /// </summary>
    public static readonly TimeSpan MediaSilence = TimeSpan.FromMilliseconds(500);
}
