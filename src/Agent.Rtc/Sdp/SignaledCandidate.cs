using Agent.Rtc.Ice;

namespace Agent.Rtc.Sdp;

/// <summary>A remote candidate as signalled: its address may still be an mDNS name (RFC 8839 §5.1, draft mdns-ice-candidates).</summary>
/// <param name="Type">The candidate type.</param>
/// <param name="HostName">A literal address or a <c>.local</c> name.</param>
/// <param name="Port">The port.</param>
/// <param name="Priority">The priority.</param>
/// <param name="Foundation">The foundation.</param>
public sealed record SignaledCandidate(IceCandidateType Type, string HostName, ushort Port, uint Priority, string Foundation);
