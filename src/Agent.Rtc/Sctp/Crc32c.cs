using System.Numerics;
using System.Runtime.InteropServices;

namespace Agent.Rtc.Sctp;

/// <summary>The checksum of SCTP packets (RFC 9260 §6.8, Appendix A).</summary>
internal static class Crc32c
{
    /// <summary>Of a packet whose checksum field counts as zero.</summary>
    public static uint OfPacket(ReadOnlySpan<byte> packet)
    {
        const int ChecksumOffset = 8;
        var crc = Append(uint.MaxValue, packet[..ChecksumOffset]);
        crc = BitOperations.Crc32C(crc, 0u);
        return ~Append(crc, packet[SctpFormat.CommonHeaderLength..]);
    }

    /// <summary>Of any bytes.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => ~Append(uint.MaxValue, bytes);

    private static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        // BitOperations takes the bytes of a word in memory order on little-endian machines, which all targets are.
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes)) crc = BitOperations.Crc32C(crc, word);
        foreach (var one in bytes[(bytes.Length & ~7)..]) crc = BitOperations.Crc32C(crc, one);
        return crc;
    }
}
