namespace Agent.Rtc.Turn;

/// <summary>Whether the server lets datagrams of one IP address through (RFC 8656 §9).</summary>
internal sealed class TurnPermission(TransportAddress address)
{
    /// <summary>Its port means nothing.</summary>
    public TransportAddress Address { get; } = address;

    /// <summary>It is renewed though nothing is sent.</summary>
    public bool IsWanted { get; set; }

    /// <summary>A CreatePermission is on its way.</summary>
    public bool IsPending { get; set; }

    public MonotonicTime GrantedUntil { get; set; }

    /// <summary>The server has refused it; before this it is not asked again.</summary>
    public MonotonicTime RefusedUntil { get; set; }

    public MonotonicTime LastUsedAt { get; set; }
}

/// <summary>One transport address that datagrams are relayed to.</summary>
internal sealed class TurnPeer(TransportAddress address, TurnPermission permission)
{
    public TransportAddress Address { get; } = address;

    public TurnPermission Permission { get; } = permission;

    /// <summary>0 while it has none (RFC 8656 §12).</summary>
    public ushort Channel { get; set; }

    /// <summary>A ChannelBind is on its way.</summary>
    public bool IsBinding { get; set; }

    /// <summary>End of the binding; before it data goes as ChannelData.</summary>
    public MonotonicTime BoundUntil { get; set; }

    /// <summary>The server has refused to bind it, or there was no number left; before this it is not tried again.</summary>
    public MonotonicTime NoBindingUntil { get; set; }

    public MonotonicTime LastUsedAt { get; set; }

    /// <summary>The newest datagram that waits for the permission: most often the first check, whose repetition would come half a second later.</summary>
    public byte[]? Held { get; set; }
}
