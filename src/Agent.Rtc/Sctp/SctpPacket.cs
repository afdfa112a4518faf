using System.Buffers.Binary;

namespace Agent.Rtc.Sctp;

/// <summary>A received packet whose checksum is right (RFC 9260 §3).</summary>
internal readonly ref struct SctpPacket
{
    public ushort SourcePort { get; private init; }

    public ushort DestinationPort { get; private init; }

    public uint VerificationTag { get; private init; }

    /// <summary>What follows the common header.</summary>
    public SctpTlvReader Chunks { get; private init; }

    public static bool TryParse(ReadOnlySpan<byte> packet, out SctpPacket result)
    {
        result = default;
        if (packet.Length < SctpFormat.CommonHeaderLength + SctpFormat.TlvHeaderLength
            || BinaryPrimitives.ReadUInt32LittleEndian(packet[8..]) != Crc32c.OfPacket(packet))
        {
            return false;
        }

        result = new SctpPacket
        {
            SourcePort = BinaryPrimitives.ReadUInt16BigEndian(packet),
            DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]),
            VerificationTag = BinaryPrimitives.ReadUInt32BigEndian(packet[4..]),
            Chunks = new SctpTlvReader(packet[SctpFormat.CommonHeaderLength..]),
        };
        return true;
    }
}

/// <summary>
/// Walks over chunks, parameters or error causes: each has 16 bits of type (of a chunk: type and flags), 16 bits of length with this header,
/// the value, and padding to 4 bytes. Ends at the first that does not fit.
/// </summary>
internal ref struct SctpTlvReader(ReadOnlySpan<byte> rest)
{
    private ReadOnlySpan<byte> _rest = rest;

    public bool TryRead(out SctpTlv item)
    {
        item = default;
        if (_rest.Length < SctpFormat.TlvHeaderLength) return false;
        int length = BinaryPrimitives.ReadUInt16BigEndian(_rest[2..]);
        if (length < SctpFormat.TlvHeaderLength || length > _rest.Length) return false;
        item = new SctpTlv(BinaryPrimitives.ReadUInt16BigEndian(_rest), _rest[SctpFormat.TlvHeaderLength..length]);
        _rest = _rest[Math.Min(SctpFormat.Pad(length), _rest.Length)..];
        return true;
    }
}

/// <summary>A chunk, a parameter or an error cause.</summary>
internal readonly ref struct SctpTlv(ushort type, ReadOnlySpan<byte> value)
{
    /// <summary>Of a chunk: its type and, in the low byte, its flags.</summary>
    public ushort Type => type;

    public SctpChunkType ChunkType => (SctpChunkType)(type >> 8);

    public byte Flags => (byte)type;

    public ReadOnlySpan<byte> Value { get; } = value;
}
