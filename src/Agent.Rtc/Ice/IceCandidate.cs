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
/// One resolved candidate (RFC 8445 §5.1.1, RFC 8839 §5.1). Component is always 1 (rtcp-mux) and the transport UDP; other
/// candidates are dropped where they are parsed. A <c>.local</c> name is resolved before it becomes an <see cref="IceCandidate"/>.
/// </summary>
/// <param name="Type">The type.</param>
/// <param name="Address">The candidate's transport address.</param>
/// <param name="Base">The base; equals <paramref name="Address"/> for host candidates.</param>
/// <param name="Priority">RFC 8445 §5.1.2.</param>
/// <param name="Foundation">1 to 32 ice-chars.</param>
public sealed record IceCandidate(IceCandidateType Type, TransportAddress Address, TransportAddress Base, uint Priority, string Foundation);
