using System.Buffers.Binary;

namespace Agent.Rtc.Rtp;

/// <summary>The fixed header of RTP (RFC 3550 §5.1) and one-byte header extensions (RFC 8285 §4.2).</summary>
internal readonly record struct RtpHeader(bool Marker, byte PayloadType, ushort SequenceNumber, uint Timestamp, uint Ssrc)
{
    public const int FixedLength = 12;

    /// <summary>Most bytes of one element in a one-byte header extension (RFC 8285 §4.2).</summary>
    public const int MaximumExtensionLength = 16;

    /// <summary>"defined by profile" and the number of words, in front of the elements (RFC 3550 §5.3.1).</summary>
    public const int ExtensionHeaderLength = 4;

    /// <summary>Largest id of a one-byte header extension (RFC 8285 §4.2); 15 ends the parsing.</summary>
    public const byte MaximumExtensionId = 14;

    private const byte Version2 = 0x80;
    private const byte VersionMask = 0xC0;
    private const byte PaddingBit = 0x20;
    private const byte ExtensionBit = 0x10;
    private const byte CsrcCountMask = 0x0F;
    private const byte MarkerBit = 0x80;

    /// <summary>"defined by profile" of a one-byte header extension (RFC 8285 §4.2).</summary>
    private const ushort OneByteProfile = 0xBEDE;

    /// <summary>Writes the fixed part, <see cref="FixedLength"/> bytes, without an extension.</summary>
    public void Write(Span<byte> destination)
    {
        destination[0] = Version2;
        destination[1] = (byte)((Marker ? MarkerBit : 0) | PayloadType);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], SequenceNumber);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], Timestamp);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], Ssrc);
    }

    /// <summary>Makes what stands behind the fixed part a one-byte header extension, filled up to whole words (RFC 8285 §4.2).</summary>
    /// <param name="packet">The fixed part, <see cref="ExtensionHeaderLength"/> bytes of room, the elements.</param>
    /// <param name="end">Where the elements end.</param>
    /// <returns>Bytes of header: the fixed part only if there are no elements.</returns>
    public static int CloseExtension(Span<byte> packet, int end)
    {
        const int Start = FixedLength + ExtensionHeaderLength;
        if (end == Start)
            return FixedLength;

        var words = (end - Start + 3) / sizeof(uint);
        var length = Start + words * sizeof(uint);
        packet[end..length].Clear();
        packet[0] |= ExtensionBit;
        BinaryPrimitives.WriteUInt16BigEndian(packet[FixedLength..], OneByteProfile);
        BinaryPrimitives.WriteUInt16BigEndian(packet[(FixedLength + 2)..], (ushort)words);
        return length;
    }

    /// <summary>Reads the header; false unless it is version 2 and wholly there.</summary>
    /// <param name="packet">An RTP packet; its padding, if any, may still be encrypted and is not looked at.</param>
    /// <param name="header">The fields.</param>
    /// <param name="length">Bytes of header, CSRCs and header extension.</param>
    public static bool TryParse(ReadOnlySpan<byte> packet, out RtpHeader header, out int length)
    {
        header = default;
        length = 0;
        if (packet.Length < FixedLength || (packet[0] & VersionMask) != Version2)
            return false;

        var end = FixedLength + (packet[0] & CsrcCountMask) * sizeof(uint);
        if ((packet[0] & ExtensionBit) != 0)
        {
            if (packet.Length < end + ExtensionHeaderLength)
                return false;

            end += ExtensionHeaderLength + BinaryPrimitives.ReadUInt16BigEndian(packet[(end + 2)..]) * sizeof(uint);
        }

        if (packet.Length < end)
            return false;

        header = new RtpHeader(
            (packet[1] & MarkerBit) != 0, (byte)(packet[1] & ~MarkerBit), BinaryPrimitives.ReadUInt16BigEndian(packet[2..]),
            BinaryPrimitives.ReadUInt32BigEndian(packet[4..]), BinaryPrimitives.ReadUInt32BigEndian(packet[8..]));
        length = end;
        return true;
    }

    /// <summary>Finds the payload of a decrypted packet: what header and padding leave (RFC 3550 §5.1).</summary>
    public static bool TryGetPayload(ReadOnlySpan<byte> packet, out RtpHeader header, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (!TryParse(packet, out header, out var length))
            return false;

        var padding = (packet[0] & PaddingBit) != 0 ? packet[^1] : 0;
        if ((packet[0] & PaddingBit) != 0 && (padding == 0 || padding > packet.Length - length))
            return false;

        payload = packet[length..^padding];
        return true;
    }

    /// <summary>Finds an element of the one-byte header extension; false if it is not there or the extension is broken.</summary>
    public static bool TryGetExtension(ReadOnlySpan<byte> packet, byte id, out ReadOnlySpan<byte> extension)
    {
        extension = default;
        if (!TryParse(packet, out _, out var length) || (packet[0] & ExtensionBit) == 0)
            return false;

        var start = FixedLength + (packet[0] & CsrcCountMask) * sizeof(uint);
        if (BinaryPrimitives.ReadUInt16BigEndian(packet[start..]) != OneByteProfile)
            return false;

        for (var elements = packet[(start + ExtensionHeaderLength)..length]; elements.Length > 0;)
        {
            var elementId = elements[0] >> 4;
            var end = elementId == 0 ? 1 : 2 + (elements[0] & 0x0F);
            if (elementId > MaximumExtensionId || end > elements.Length)
                return false;

            if (elementId == id && elementId != 0)
            {
                extension = elements[1..end];
                return true;
            }

            elements = elements[end..];
        }

        return false;
    }
}
