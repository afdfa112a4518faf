using System.Globalization;

namespace Agent.Rtc.Ice;

/// <summary>Candidate types of RFC 8445 §5.1.1.</summary>
public enum IceCandidateType
{
    Host,
    ServerReflexive,
    PeerReflexive,
    Relayed,
}

/// <summary>
/// One resolved candidate (RFC 8445 §5.1.1, RFC 8839 §5.1). Component is always 1 (rtcp-mux); the transport is UDP or TCP, and of TCP
/// (RFC 6544) this side's are passive and the peer's active ones. Other candidates are dropped where they are parsed.
/// A <c>.local</c> name is resolved before it becomes an <see cref="IceCandidate"/>.
/// </summary>
/// <param name="Type">The type.</param>
/// <param name="Address">The candidate's transport address.</param>
/// <param name="Base">The base; equals <paramref name="Address"/> for host candidates.</param>
/// <param name="Priority">RFC 8445 §5.1.2.</param>
/// <param name="Foundation">1 to 32 ice-chars.</param>
public sealed record IceCandidate(IceCandidateType Type, TransportAddress Address, TransportAddress Base, uint Priority, string Foundation)
{
    /// <summary>A host candidate with its priority and foundation.</summary>
    /// <param name="address">The address and the port of the socket.</param>
    /// <param name="localPreference">Unique for each address of the host; higher is preferred (RFC 8445 §5.1.2.1).</param>
    public static IceCandidate CreateHost(TransportAddress address, ushort localPreference = IcePriority.HighestLocalPreference) =>
        new(IceCandidateType.Host, address, address, IcePriority.Compute(IceCandidateType.Host, localPreference, address.Protocol),
            ComputeFoundation(IceCandidateType.Host, address, default));

    /// <summary>A server-reflexive candidate (RFC 8445 §5.1.1.2): an address on the outside of a NAT that leads to a local one.</summary>
    /// <param name="address">What the outside sees.</param>
    /// <param name="baseAddress">The host candidate it leads to.</param>
    /// <param name="server">Who told it; <paramref name="address"/> itself if it was configured.</param>
    /// <param name="localPreference">Unique among the server-reflexive candidates; higher is preferred.</param>
    public static IceCandidate CreateServerReflexive(
        TransportAddress address, TransportAddress baseAddress, TransportAddress server, ushort localPreference) =>
        new(IceCandidateType.ServerReflexive, address, baseAddress,
            IcePriority.Compute(IceCandidateType.ServerReflexive, localPreference, address.Protocol),
            ComputeFoundation(IceCandidateType.ServerReflexive, baseAddress, server));

    /// <summary>A relayed candidate (RFC 8445 §5.1.1.2): an address on a TURN server; it is its own base.</summary>
    /// <param name="address">The relayed transport address.</param>
    /// <param name="server">The TURN server.</param>
    /// <param name="localPreference">Unique among the relayed candidates; higher is preferred.</param>
    public static IceCandidate CreateRelayed(TransportAddress address, TransportAddress server, ushort localPreference) =>
        new(IceCandidateType.Relayed, address, address, IcePriority.Compute(IceCandidateType.Relayed, localPreference),
            ComputeFoundation(IceCandidateType.Relayed, address, server));

    /// <summary>
    /// A foundation (RFC 8445 §5.1.1.3): equal for candidates of the same type, base IP address, protocol and server, else different but for
    /// a hash collision, which only merges two groups.
    /// </summary>
    /// <param name="type">The candidate's type.</param>
    /// <param name="baseAddress">The candidate's base; its port does not count.</param>
    /// <param name="server">The STUN or TURN server, <c>default</c> if there was none.</param>
    public static string ComputeFoundation(IceCandidateType type, TransportAddress baseAddress, TransportAddress server)
    {
        // FNV-1a, 32 bits: short, stable between runs, and as good as any other here.
        const uint offsetBasis = 2166136261;
        const uint prime = 16777619;
        const int longestAddress = 16;
        Span<byte> bytes = stackalloc byte[2 + longestAddress + longestAddress];
        bytes[0] = (byte)type;
        bytes[1] = (byte)baseAddress.Protocol;
        var length = 2 + baseAddress.WriteAddress(bytes[2..]);
        length += server.IsNone ? 0 : server.WriteAddress(bytes[length..]);
        var hash = offsetBasis;
        foreach (var b in bytes[..length])
        {
            hash = (hash ^ b) * prime;
        }

        return hash.ToString(CultureInfo.InvariantCulture);
    }
}
