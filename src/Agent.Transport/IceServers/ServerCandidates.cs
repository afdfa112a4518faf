using Agent.Rtc;
using Agent.Rtc.Ice;

namespace Agent.Transport;

/// <summary>What a STUN or TURN server has told of the media port.</summary>
/// <param name="Type">Server-reflexive or relayed.</param>
/// <param name="Address">The candidate's address.</param>
/// <param name="Local">The local address that the server answered to; its port is the media port's.</param>
/// <param name="Server">The server.</param>
internal sealed record GatheredAddress(IceCandidateType Type, TransportAddress Address, TransportAddress Local, TransportAddress Server);

/// <summary>Candidates of addresses that servers have told (RFC 8445 §5.1.1.2).</summary>
internal static class ServerCandidates
{
    /// <param name="gathered">In falling preference.</param>
    /// <param name="known">The candidates that there are already; host candidates best first.</param>
    /// <returns>Left out are addresses that are known (RFC 8445 §5.1.3) and reflexive ones that lead to no host candidate.</returns>
    internal static IReadOnlyList<IceCandidate> Get(IReadOnlyList<GatheredAddress> gathered, IReadOnlyList<IceCandidate> known)
    {
        var candidates = new List<IceCandidate>();
        foreach (var (type, address, local, server) in gathered)
        {
            if (known.Any(candidate => candidate.Address == address) || candidates.Exists(candidate => candidate.Address == address))
                continue;
            var preference = (ushort)(IcePriority.HighestLocalPreference - known.Count - candidates.Count);
            if (type == IceCandidateType.Relayed)
                candidates.Add(IceCandidate.CreateRelayed(address, server, preference));
            else if (FindBase(known, local, address) is { } host)
                candidates.Add(IceCandidate.CreateServerReflexive(address, host.Base, server, preference));
        }

        return candidates;
    }

    internal static IReadOnlyList<TransportAddress> Known(params ReadOnlySpan<TransportAddress> addresses)
    {
        var known = new List<TransportAddress>();
        foreach (var address in addresses)
        {
            if (!address.IsNone)
                known.Add(address);
        }

        return known;
    }

    /// <summary>The host candidate that the server answered to; any of the family if that is none.</summary>
    private static IceCandidate? FindBase(IReadOnlyList<IceCandidate> known, TransportAddress local, TransportAddress mapped)
    {
        var hosts = known.Where(candidate => candidate.Type == IceCandidateType.Host && candidate.Address.IsIPv4 == mapped.IsIPv4).ToList();
        return hosts.Find(host => host.Address == local) ?? hosts.FirstOrDefault();
    }
}
