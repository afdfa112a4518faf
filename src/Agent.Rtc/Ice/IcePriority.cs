namespace Agent.Rtc.Ice;

/// <summary>Candidate and pair priorities (RFC 8445 §5.1.2, §6.1.2.3).</summary>
public static class IcePriority
{
    /// <summary>The local preference of a host with one address (RFC 8445 §5.1.2.1).</summary>
    public const ushort HighestLocalPreference = ushort.MaxValue;

    // RFC 8445 §5.1.2.2 recommends these type preferences.
    private const uint HostPreference = 126;
    private const uint PeerReflexivePreference = 110;
    private const uint ServerReflexivePreference = 100;
    private const uint RelayedPreference = 0;

    // RFC 8445 §5.1.2.1: type preference, local preference and 256 minus the component id, which is always 1.
    private const int TypeShift = 24;
    private const int LocalShift = 8;
    private const uint BelowType = (1u << TypeShift) - 1;
    private const uint ComponentTerm = 256 - 1;

    /// <summary>The priority of a candidate of component 1.</summary>
    /// <param name="type">The candidate's type.</param>
    /// <param name="localPreference">Unique for each address of the host; higher is preferred.</param>
    public static uint Compute(IceCandidateType type, ushort localPreference) =>
        (TypePreference(type) << TypeShift) | ((uint)localPreference << LocalShift) | ComponentTerm;

    /// <summary>The PRIORITY attribute of a check: what the local candidate would have if it were peer-reflexive (RFC 8445 §7.1.1).</summary>
    public static uint AsPeerReflexive(uint priority) => (PeerReflexivePreference << TypeShift) | (priority & BelowType);

    /// <summary>The priority of a pair (RFC 8445 §6.1.2.3).</summary>
    public static ulong OfPair(uint controlling, uint controlled) =>
        ((ulong)Math.Min(controlling, controlled) << 32) + (2ul * Math.Max(controlling, controlled)) + (controlling > controlled ? 1ul : 0ul);

    private static uint TypePreference(IceCandidateType type) => type switch
    {
        IceCandidateType.Host => HostPreference,
        IceCandidateType.PeerReflexive => PeerReflexivePreference,
        IceCandidateType.ServerReflexive => ServerReflexivePreference,
        _ => RelayedPreference,
    };
}
