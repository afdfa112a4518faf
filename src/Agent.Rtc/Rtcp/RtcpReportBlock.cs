using System.Buffers.Binary;

namespace Agent.Rtc.Rtcp;

/// <summary>A report block (RFC 3550 §6.4.1): what a receiver says about one SSRC.</summary>
/// <param name="Ssrc">The source reported on.</param>
/// <param name="FractionLost">Of 256, since the last report.</param>
/// <param name="CumulativeLost">Signed: duplicates make it negative.</param>
/// <param name="HighestSequence">Extended highest sequence number received.</param>
/// <param name="Jitter">In RTP timestamp units.</param>
/// <param name="LastSenderReport">Middle 32 bits of the NTP timestamp of the last SR, or 0.</param>
/// <param name="DelaySinceLastSenderReport">In units of 1/65536 s.</param>
internal readonly record struct RtcpReportBlock(
    uint Ssrc, byte FractionLost, int CumulativeLost, uint HighestSequence, uint Jitter, uint LastSenderReport, uint DelaySinceLastSenderReport)
{
    public const int Length = 24;

    // What stands in front of the report blocks: the sender's SSRC, and the sender info of an SR (RFC 3550 §6.4).
    private const int ReceiverReportPrefix = 4;
    private const int SenderReportPrefix = 24;

    /// <summary>Finds the block on one SSRC in an SR or RR.</summary>
    /// <returns>False if the packet is too short for its report count; true with an empty <paramref name="block"/> if it has none on it.</returns>
    public static bool TryFind(RtcpPacket packet, uint ssrc, out RtcpReportBlock? block)
    {
        block = null;
        var prefix = packet.Type == RtcpPacketType.SenderReport ? SenderReportPrefix : ReceiverReportPrefix;
        if (packet.Body.Length < prefix + packet.Count * Length)
            return false;

        for (var i = 0; i < packet.Count && block is null; i++)
        {
            var bytes = packet.Body.Slice(prefix + i * Length, Length);
            if (BinaryPrimitives.ReadUInt32BigEndian(bytes) == ssrc)
                block = Read(bytes);
        }

        return true;
    }

    private static RtcpReportBlock Read(ReadOnlySpan<byte> bytes)
    {
        var lost = BinaryPrimitives.ReadInt32BigEndian(bytes[4..]);
        return new RtcpReportBlock(
            BinaryPrimitives.ReadUInt32BigEndian(bytes), bytes[4], lost << 8 >> 8,
            BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]), BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]), BinaryPrimitives.ReadUInt32BigEndian(bytes[20..]));
    }
}
