namespace Agent.Rtc;

/// <summary>What a datagram on the shared port is, by its first bytes.</summary>
public enum DatagramKind
{
    /// <summary>Empty, or of no protocol that the agent speaks.</summary>
    Unknown,
    Stun,
    Dtls,
    Rtp,
    Rtcp,
}

/// <summary>Demultiplexing of RFC 7983 §7, and of RTP from RTCP by RFC 5761 §4.</summary>
public static class DatagramClassifier
{
    private const byte LastStun = 3;
    private const byte FirstDtls = 20;
    private const byte LastDtls = 63;
    private const byte FirstRtp = 128;
    private const byte LastRtp = 191;

    // RFC 5761 §4: with rtcp-mux, the second byte of RTCP lies here and that of RTP never does.
    private const byte FirstRtcpPacketType = 192;
    private const byte LastRtcpPacketType = 223;

    /// <summary>Tells the protocol; says nothing about whether the rest is well-formed.</summary>
    public static DatagramKind Classify(ReadOnlySpan<byte> datagram) => datagram switch
    {
        [<= LastStun, ..] => DatagramKind.Stun,
        [>= FirstDtls and <= LastDtls, ..] => DatagramKind.Dtls,
        [>= FirstRtp and <= LastRtp, >= FirstRtcpPacketType and <= LastRtcpPacketType, ..] => DatagramKind.Rtcp,
        [>= FirstRtp and <= LastRtp, _, ..] => DatagramKind.Rtp,
        _ => DatagramKind.Unknown,
    };
}
