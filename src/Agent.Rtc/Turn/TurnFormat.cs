namespace Agent.Rtc.Turn;

/// <summary>Numbers of TURN (RFC 8656).</summary>
internal static class TurnFormat
{
    // Methods, RFC 8656 §17.
    public const ushort Allocate = 0x003;
    public const ushort Refresh = 0x004;
    public const ushort Send = 0x006;
    public const ushort Data = 0x007;
    public const ushort CreatePermission = 0x008;
    public const ushort ChannelBind = 0x009;

    /// <summary>REQUESTED-TRANSPORT's first byte: UDP's protocol number (RFC 8656 §18.6).</summary>
    public const byte ProtocolUdp = 17;

    /// <summary>Channel numbers (RFC 8656 §12).</summary>
    public const ushort FirstChannel = 0x4000;

    /// <summary>See <see cref="FirstChannel"/>.</summary>
    public const ushort LastChannel = 0x4FFF;

    /// <summary>
    /// Bytes that a Send indication puts before and behind data (RFC 8656 §11.1): header, XOR-PEER-ADDRESS with IPv6, DATA's header and
    /// padding. A ChannelData message takes less.
    /// </summary>
    public const int LongestWrapping = 20 + 4 + 20 + 4 + 3;
}
