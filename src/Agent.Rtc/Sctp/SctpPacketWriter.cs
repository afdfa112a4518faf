using System.Buffers.Binary;

namespace Agent.Rtc.Sctp;

/// <summary>Writes one packet, chunk by chunk, up to <see cref="SctpFormat.MaximumPacketLength"/>.</summary>
internal ref struct SctpPacketWriter
{
    private readonly Span<byte> _buffer;
    private int _length;

    /// <param name="buffer">At least <see cref="SctpFormat.MaximumPacketLength"/> bytes.</param>
    public SctpPacketWriter(Span<byte> buffer)
    {
        _buffer = buffer[..SctpFormat.MaximumPacketLength];
        _length = SctpFormat.CommonHeaderLength;
    }

    public readonly bool IsEmpty => _length == SctpFormat.CommonHeaderLength;

    /// <summary>The longest value of a chunk that still fits.</summary>
    public readonly int Room => _buffer.Length - _length - SctpFormat.TlvHeaderLength;

    /// <summary>Begins a chunk whose value the caller fills; it and its padding are zero.</summary>
    public Span<byte> Add(SctpChunkType type, byte flags, int valueLength) => AddTlv((ushort)((byte)type << 8 | flags), valueLength);

    /// <summary>Completes the packet.</summary>
    /// <returns>Its length.</returns>
    public readonly int Finish(ushort sourcePort, ushort destinationPort, uint verificationTag)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_buffer, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[2..], destinationPort);
        BinaryPrimitives.WriteUInt32BigEndian(_buffer[4..], verificationTag);
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer[8..], Crc32c.OfPacket(_buffer[.._length]));
        return _length;
    }

    /// <summary>Writes one parameter or error cause into a chunk's value, and returns what follows it.</summary>
    public static Span<byte> WriteParameter(Span<byte> destination, ushort type, ReadOnlySpan<byte> value)
    {
        var length = SctpFormat.TlvHeaderLength + value.Length;
        BinaryPrimitives.WriteUInt16BigEndian(destination, type);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)length);
        value.CopyTo(destination[SctpFormat.TlvHeaderLength..]);
        return destination[Math.Min(SctpFormat.Pad(length), destination.Length)..];
    }

    private Span<byte> AddTlv(ushort type, int valueLength)
    {
        var length = SctpFormat.TlvHeaderLength + valueLength;
        var chunk = _buffer.Slice(_length, SctpFormat.Pad(length));
        chunk.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(chunk, type);
        BinaryPrimitives.WriteUInt16BigEndian(chunk[2..], (ushort)length);
        _length += chunk.Length;
        return chunk.Slice(SctpFormat.TlvHeaderLength, valueLength);
    }
}
