using System.Diagnostics.CodeAnalysis;
using Agent.Rtc.Ice;

namespace Agent.Rtc.Sdp;

/// <summary>A remote candidate as signalled: its address may still be an mDNS name (RFC 8839 §5.1, draft mdns-ice-candidates).</summary>
/// <param name="Type">The candidate type.</param>
/// <param name="HostName">A literal address or a <c>.local</c> name.</param>
/// <param name="Port">The port.</param>
/// <param name="Priority">The priority.</param>
/// <param name="Foundation">The foundation.</param>
/// <param name="Protocol">Of TCP only active ones are kept (RFC 6544 §4.1): their port means nothing, and it is they who connect.</param>
public sealed record SignaledCandidate(
    IceCandidateType Type, string HostName, ushort Port, uint Priority, string Foundation, TransportProtocol Protocol = TransportProtocol.Udp)
{
    /// <summary>False for a name that has to be resolved first; that of an active TCP candidate need not be, as nothing is sent to it.</summary>
    public bool TryGetCandidate([NotNullWhen(true)] out IceCandidate? candidate)
    {
        var isKnown = TransportAddress.TryParse(HostName, Port, out var address) || Protocol == TransportProtocol.Tcp;
        candidate = isKnown ? At(address) : null;
        return isKnown;
    }

    /// <summary>The candidate, its name resolved to an address with the candidate's port.</summary>
    public IceCandidate At(TransportAddress address)
    {
        var resolved = address.WithProtocol(Protocol);
        return new IceCandidate(Type, resolved, resolved, Priority, Foundation);
    }
}
