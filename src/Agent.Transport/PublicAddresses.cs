using System.Net;
using Agent.Rtc;
using Agent.Rtc.Ice;

namespace Agent.Transport;

/// <summary>
/// Candidates for addresses that a router forwards to the media port, known by configuration. They are server-reflexive ones whose base is
/// the best host candidate of the family: to the ICE agent a check that came through the router arrives at a host candidate like any other,
/// and a peer that sees the mapped address as the source of a check finds it among the candidates it was told.
/// </summary>
internal static class PublicAddresses
{
    /// <param name="configured">Port 0 stands for <paramref name="port"/>.</param>
    /// <param name="hosts">The host candidates, best first.</param>
    /// <param name="port">The media port.</param>
    /// <param name="protocol">That of <paramref name="hosts"/>; the router forwards both.</param>
    /// <returns>In the order configured; left out are families without a host candidate and addresses that the host has itself.</returns>
    internal static IReadOnlyList<IceCandidate> GetCandidates(
        IReadOnlyList<IPEndPoint> configured, IReadOnlyList<IceCandidate> hosts, ushort port, TransportProtocol protocol = TransportProtocol.Udp)
    {
        var candidates = new List<IceCandidate>();
        foreach (var one in configured)
        {
            var address = TransportAddress.From(one.Address, one.Port == 0 ? port : one.Port).WithProtocol(protocol);
            if (hosts.FirstOrDefault(host => host.Address.IsIPv4 == address.IsIPv4) is { } host && !hosts.Any(known => known.Address == address))
            {
                var localPreference = (ushort)(IcePriority.HighestLocalPreference - candidates.Count);
                candidates.Add(IceCandidate.CreateServerReflexive(address, host.Base, address, localPreference));
            }
        }

        return candidates;
    }

    /// <summary>Whether other networks may know a host by this address: not one of loopback, a link or a private network (RFC 6890).</summary>
    internal static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (IPAddress.IsLoopback(address) || LocalAddresses.IsUnspecified(address) || address.IsIPv6LinkLocal || address.IsIPv6UniqueLocal)
            return false;
        return address.GetAddressBytes() is not ([10, _, _, _] or [172, >= 16 and < 32, _, _] or [192, 168, _, _] or [169, 254, _, _]);
    }
}
