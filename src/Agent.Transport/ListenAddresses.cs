using System.Net;
using Agent.Rtc;

namespace Agent.Transport;

/// <summary>How the sockets of the media port are bound.</summary>
internal static class ListenAddresses
{
    /// <summary>
    /// One address is bound as it is. Several share a socket bound to all, which then takes only what was sent to one of them.
    /// </summary>
    /// <returns>The address to bind, and those to take only, with the port; <c>null</c> for any.</returns>
    internal static (IPAddress Bound, HashSet<TransportAddress>? Accepted) Resolve(TransportOptions options, ushort port)
    {
        var addresses = options.ListenAddresses;
        var bound = addresses.Count == 1 ? addresses[0] : IPAddress.IPv6Any;
        return addresses.Count > 1 && !addresses.Any(LocalAddresses.IsUnspecified)
            ? (bound, [.. addresses.Select(address => TransportAddress.From(address, port))])
            : (bound, null);
    }
}
