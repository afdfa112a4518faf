using System.Buffers.Binary;

namespace Agent.Rtc;

/// <summary>Packets in a byte stream: each behind its length, 16 bits in network order (RFC 4571 §2; for ICE RFC 6544 §3).</summary>
public static class PacketFraming
{
    /// <summary>Bytes in front of each packet.</summary>
    public const int HeaderLength = sizeof(ushort);

    /// <summary>Finds the first packet of a stream.</summary>
    /// <param name="stream">What has come and is not yet read.</param>
    /// <param name="packet">The packet, in the stream's memory; may be empty.</param>
    /// <param name="consumed">Bytes of the stream that it takes with its length.</param>
    /// <returns>False while the packet is not there whole.</returns>
    public static bool TryRead(Span<byte> stream, out Span<byte> packet, out int consumed)
    {
        packet = default;
        consumed = 0;
        if (!TryReadLength(stream, out var length) || stream.Length - HeaderLength < length)
            return false;
        packet = stream.Slice(HeaderLength, length);
        consumed = HeaderLength + length;
        return true;
    }

    /// <summary>The length of the first packet, which may not be there yet; false if not even its length is.</summary>
    public static bool TryReadLength(ReadOnlySpan<byte> stream, out int length) =>
        (length = BinaryPrimitives.TryReadUInt16BigEndian(stream, out var value) ? value : -1) >= 0;

    /// <summary>Writes a packet behind its length.</summary>
    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> stream, ReadOnlySpan<byte> packet)
    {
        BinaryPrimitives.WriteUInt16BigEndian(stream, checked((ushort)packet.Length));
        packet.CopyTo(stream[HeaderLength..]);
        return HeaderLength + packet.Length;
    }
}
