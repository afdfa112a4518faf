namespace Agent.Rtc.Ice;

/// <summary>How addresses compare and pair when link-local IPv6 scopes take part.</summary>
internal static class IceAddress
{
    private const int IPv6Length = 16;

    /// <summary>True if both are the same address and port; a missing scope on either side matches every scope.</summary>
    public static bool SameEndpoint(TransportAddress left, TransportAddress right)
    {
        if (left == right)
        {
            return true;
        }

        return left.ScopeId != right.ScopeId && (left.ScopeId == 0 || right.ScopeId == 0)
            && left.WithScope(0) == right.WithScope(0);
    }

    /// <summary>fe80::/10 (RFC 4291 §2.5.6).</summary>
    public static bool IsLinkLocalIPv6(TransportAddress address)
    {
        if (address.IsIPv4)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[IPv6Length];
        address.WriteAddress(bytes);
        return bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80;
    }

    /// <summary>RFC 8445 §6.1.2.2: same family and protocol, and link-local IPv6 only with its like.</summary>
    public static bool CanPair(TransportAddress local, TransportAddress remote) =>
        local.IsIPv4 == remote.IsIPv4 && local.Protocol == remote.Protocol && IsLinkLocalIPv6(local) == IsLinkLocalIPv6(remote);

    /// <summary>
    /// Where to send from a base to a remote candidate: a link-local remote is reached on the base's own link, whatever the scope
    /// it was signalled or seen with.
    /// </summary>
    public static TransportAddress RemoteFrom(TransportAddress localBase, TransportAddress remote) =>
        localBase.ScopeId != 0 && IsLinkLocalIPv6(remote) ? remote.WithScope(localBase.ScopeId) : remote;
}
