namespace Agent.Rtc.Ice;

/// <summary>Candidate and pair priorities (RFC 8445 §5.1.2, §6.1.2.3; RFC 6544 §4.2 for TCP).</summary>
public static class IcePriority
{
    /// <summary>The local preference of a host with one address (RFC 8445 §5.1.2.1).</summary>
    public const ushort HighestLocalPreference = ushort.MaxValue;

    // RFC 8445 §5.1.2.2 recommends these type preferences.
    private const uint HostPreference = 126;
    private const uint PeerReflexivePreference = 110;
    private const uint ServerReflexivePreference = 100;
    private const uint RelayedPreference = 0;

    // RFC 6544 §4.2: where UDP is preferred, TCP candidates have lower type preferences; the first two are those of Chromium's.
    private const uint TcpHostPreference = 90;
    private const uint TcpPeerReflexivePreference = 80;
    private const uint TcpServerReflexivePreference = 70;

    // RFC 6544 §4.2: the local preference of TCP is 2^13 times the direction preference, which is 4 for passive, plus 13 bits of one's own.
    private const uint PassiveDirection = 4u << OtherPreferenceBits;
    private const int OtherPreferenceBits = 13;
    private const uint OtherPreference = (1u << OtherPreferenceBits) - 1;

    // RFC 8445 §5.1.2.1: type preference, local preference and 256 minus the component id, which is always 1.
    private const int TypeShift = 24;
    private const int LocalShift = 8;
    private const uint BelowType = (1u << TypeShift) - 1;
    private const uint ComponentTerm = 256 - 1;

    /// <summary>The priority of a candidate of component 1.</summary>
    /// <param name="type">The candidate's type.</param>
    /// <param name="localPreference">Unique for each address of the host; higher is preferred. Of TCP only the lower 13 bits count.</param>
    /// <param name="protocol">TCP candidates are passive ones.</param>
    public static uint Compute(IceCandidateType type, ushort localPreference, TransportProtocol protocol = TransportProtocol.Udp)
    {
        var local = protocol == TransportProtocol.Tcp ? PassiveDirection | (localPreference & OtherPreference) : localPreference;
        return (TypePreference(type, protocol) << TypeShift) | (local << LocalShift) | ComponentTerm;
    }

    /// <summary>The PRIORITY attribute of a check: what the local candidate would have if it were peer-reflexive (RFC 8445 §7.1.1).</summary>
    public static uint AsPeerReflexive(uint priority, TransportProtocol protocol = TransportProtocol.Udp) =>
        (TypePreference(IceCandidateType.PeerReflexive, protocol) << TypeShift) | (priority & BelowType);

    /// <summary>The priority of a pair (RFC 8445 §6.1.2.3).</summary>
    public static ulong OfPair(uint controlling, uint controlled) =>
        ((ulong)Math.Min(controlling, controlled) << 32) + (2ul * Math.Max(controlling, controlled)) + (controlling > controlled ? 1ul : 0ul);

    private static uint TypePreference(IceCandidateType type, TransportProtocol protocol) => (type, protocol) switch
    {
        (IceCandidateType.Host, TransportProtocol.Udp) => HostPreference,
        (IceCandidateType.PeerReflexive, TransportProtocol.Udp) => PeerReflexivePreference,
        (IceCandidateType.ServerReflexive, TransportProtocol.Udp) => ServerReflexivePreference,
        (IceCandidateType.Host, TransportProtocol.Tcp) => TcpHostPreference,
        (IceCandidateType.PeerReflexive, TransportProtocol.Tcp) => TcpPeerReflexivePreference,
        (IceCandidateType.ServerReflexive, TransportProtocol.Tcp) => TcpServerReflexivePreference,
        _ => RelayedPreference,
    };
}
