using System.Buffers.Binary;

namespace Agent.Rtc.Rtcp;

/// <summary>One packet of a compound packet.</summary>
/// <param name="type">The packet type.</param>
/// <param name="count">Report count, source count or feedback message type: the low five bits of the first octet.</param>
/// <param name="body">What follows the first word, without padding.</param>
internal readonly ref struct RtcpPacket(byte type, byte count, ReadOnlySpan<byte> body)
{
    public byte Type { get; } = type;

    public byte Count { get; } = count;

    public ReadOnlySpan<byte> Body { get; } = body;
}

/// <summary>
/// Walks a compound packet. Its outline is checked as a whole at first (RFC 3550 §A.2), so the walk itself cannot fail; what stands
/// inside each packet is for its own parser.
/// </summary>
internal ref struct RtcpReader
{
    private ReadOnlySpan<byte> _rest;

    private RtcpReader(ReadOnlySpan<byte> compound) => _rest = compound;

    /// <summary>Checks the outline.</summary>
    /// <param name="compound">The decrypted datagram.</param>
    /// <param name="allowReducedSize">Whether it need not begin with a report (RFC 5506 §3.4.2).</param>
    /// <param name="reader">The walk over it.</param>
    public static bool TryCreate(ReadOnlySpan<byte> compound, bool allowReducedSize, out RtcpReader reader)
    {
        reader = default;
        if (compound.Length < RtcpHeader.Length)
            return false;

        if (!allowReducedSize && compound[1] is not (RtcpPacketType.SenderReport or RtcpPacketType.ReceiverReport))
            return false;

        for (var rest = compound; rest.Length > 0;)
        {
            if (rest.Length < RtcpHeader.Length || !RtcpHeader.HasVersion2(rest))
                return false;

            var length = GetLength(rest);
            if (length > rest.Length)
                return false;

            if ((rest[0] & RtcpHeader.PaddingBit) != 0)
            {
                // Only the last packet may be padded (RFC 3550 §6.4.1), by at least one octet and no more than its body.
                int padding = rest[length - 1];
                if (length != rest.Length || padding == 0 || padding > length - RtcpHeader.Length)
                    return false;
            }

            rest = rest[length..];
        }

        reader = new RtcpReader(compound);
        return true;
    }

    /// <summary>Takes the next packet; false after the last.</summary>
    public bool TryRead(out RtcpPacket packet)
    {
        packet = default;
        if (_rest.IsEmpty)
            return false;

        var length = GetLength(_rest);
        var padding = (_rest[0] & RtcpHeader.PaddingBit) != 0 ? _rest[length - 1] : 0;
        packet = new RtcpPacket(_rest[1], (byte)(_rest[0] & RtcpHeader.CountMask), _rest[RtcpHeader.Length..(length - padding)]);
        _rest = _rest[length..];
        return true;
    }

    /// <summary>The length field counts words after the first (RFC 3550 §6.4.1).</summary>
    private static int GetLength(ReadOnlySpan<byte> packet) => (BinaryPrimitives.ReadUInt16BigEndian(packet[2..]) + 1) * sizeof(uint);
}
