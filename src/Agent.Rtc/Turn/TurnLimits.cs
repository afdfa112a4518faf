namespace Agent.Rtc.Turn;

/// <summary>Timers and caps of a TURN client.</summary>
internal static class TurnLimits
{
    /// <summary>Peer addresses; each viewer's session has at most 64 remote candidates. Beyond it datagrams to new ones are dropped and counted.</summary>
    public const int MaximumPeers = 1024;

    /// <summary>Answers in a row that a nonce is stale before a request is given up.</summary>
    public const int MaximumStaleNonces = 4;

    /// <summary>
    /// The longest time between two Refresh requests. Besides the lifetime (RFC 8656 §8: 10 minutes by default) they keep the mapping in NATs
    /// (many home routers forget after 30 s), and find out soon that a server or a NAT was restarted and knows the allocation no more.
    /// </summary>
    public static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(25);

    /// <summary>RFC 8656 §9.</summary>
    public static readonly TimeSpan PermissionLifetime = TimeSpan.FromMinutes(5);

    /// <summary>RFC 8656 §12: a channel binding without a new ChannelBind.</summary>
    public static readonly TimeSpan ChannelLifetime = TimeSpan.FromMinutes(10);

    /// <summary>RFC 8656 §12: how long after its binding's end neither the number nor the peer may be bound anew.</summary>
    public static readonly TimeSpan ChannelRest = TimeSpan.FromMinutes(5);

    /// <summary>How long before its end something is renewed: a minute, as RFC 8656 §8 does with allocations.</summary>
    public static readonly TimeSpan RenewalMargin = TimeSpan.FromMinutes(1);

    /// <summary>A peer that nothing was sent to for so long is not kept: consent checks go out every 6 s at most (RFC 7675 §5.1).</summary>
    public static readonly TimeSpan PeerIdleTime = TimeSpan.FromSeconds(30);

    /// <summary>How long to believe a server that refuses a peer.</summary>
    public static readonly TimeSpan RefusalTime = TimeSpan.FromMinutes(1);
}
