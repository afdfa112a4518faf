using System.Buffers.Binary;

namespace Agent.Rtc.Rtcp;

/// <summary>RTCP packet types (RFC 3550 §12.1, RFC 4585 §6.1, RFC 3611 §2).</summary>
internal static class RtcpPacketType
{
    public const byte SenderReport = 200;
    public const byte ReceiverReport = 201;
    public const byte SourceDescription = 202;
    public const byte Bye = 203;
    public const byte TransportFeedback = 205;
    public const byte PayloadFeedback = 206;
}

/// <summary>The first word of every RTCP packet and the SSRC after it (RFC 3550 §6.4.1).</summary>
internal static class RtcpHeader
{
    public const int Length = 4;

    /// <summary>Header and the sender's SSRC: what SRTCP leaves in the clear (RFC 3711 §3.4).</summary>
    public const int MinimumLengthWithSsrc = 8;

    public const byte Version2 = 0x80;
    public const byte VersionMask = 0xC0;
    public const byte PaddingBit = 0x20;
    public const byte CountMask = 0x1F;

    public static bool HasVersion2(ReadOnlySpan<byte> packet) => (packet[0] & VersionMask) == Version2;

    public static uint ReadSsrc(ReadOnlySpan<byte> packet) => BinaryPrimitives.ReadUInt32BigEndian(packet[Length..]);
}
