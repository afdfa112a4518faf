using System.Net;
using System.Net.Sockets;
using Agent.Rtc;
using Agent.Rtc.Ice;

namespace Agent.Transport;

/// <summary>
/// Host candidates (RFC 8445 §5.1.1.1) from the interfaces that are up. Left out are loopback, unless there is nothing else or it is
/// listed, IPv6 link-local addresses (a browser cannot know the scope), and those the kernel calls deprecated, tentative or duplicate.
/// Nothing else: a private, VPN or container network may be the one that works.
/// </summary>
internal static class LocalAddresses
{
    /// <param name="listen">The configured addresses; empty means all.</param>
    /// <param name="interfaceAddresses">Those of the interfaces that are up.</param>
    /// <param name="port">The media port.</param>
    /// <param name="protocol">Which of its two.</param>
    /// <returns>In falling priority, IPv6 and IPv4 by turns (RFC 8421 §4).</returns>
    internal static IReadOnlyList<IceCandidate> GetCandidates(
        IReadOnlyList<IPAddress> listen, IReadOnlyList<IPAddress> interfaceAddresses, ushort port, TransportProtocol protocol = TransportProtocol.Udp)
    {
        var addresses = listen.Count > 0 && !listen.Any(IsUnspecified) ? listen : Select(listen, interfaceAddresses);
        var candidates = new List<IceCandidate>();
        foreach (var address in Interleave(addresses))
        {
            var localPreference = (ushort)(IcePriority.HighestLocalPreference - candidates.Count);
            candidates.Add(IceCandidate.CreateHost(TransportAddress.From(address, port).WithProtocol(protocol), localPreference));
        }

        return candidates;
    }

    internal static bool IsUnspecified(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    /// <summary>What remains of the interfaces' addresses, by the rules in this class's summary.</summary>
    internal static IEnumerable<IPAddress> Select(IReadOnlyList<IPAddress> listen, IReadOnlyList<IPAddress> interfaceAddresses)
    {
        var onlyIPv4 = listen.Count > 0 && !listen.Any(address => address.AddressFamily == AddressFamily.InterNetworkV6);
        var usable = interfaceAddresses.Where(address => !address.IsIPv6LinkLocal && !address.IsIPv6Multicast)
            .Where(address => !onlyIPv4 || address.AddressFamily == AddressFamily.InterNetwork).ToList();
        return usable.Exists(address => !IPAddress.IsLoopback(address))
            ? usable.Where(address => !IPAddress.IsLoopback(address) || listen.Contains(address))
            : usable;
    }

    private static IEnumerable<IPAddress> Interleave(IEnumerable<IPAddress> addresses)
    {
        var byFamily = addresses.ToLookup(address => address.AddressFamily);
        var ipv6 = byFamily[AddressFamily.InterNetworkV6].ToList();
        var ipv4 = byFamily[AddressFamily.InterNetwork].ToList();
        for (var i = 0; i < Math.Max(ipv6.Count, ipv4.Count); i++)
        {
            if (i < ipv6.Count)
                yield return ipv6[i];
            if (i < ipv4.Count)
                yield return ipv4[i];
        }
    }
}
