using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Agent.Rtc.Stun;

/// <summary>Layout, FINGERPRINT and MESSAGE-INTEGRITY arithmetic that the reader and the writer share (RFC 8489 §5, §14).</summary>
internal static class StunFormat
{
    /// <summary>RFC 8489 §5.</summary>
    public const int HeaderLength = 20;

    /// <summary>RFC 8489 §5.</summary>
    public const uint MagicCookie = 0x2112_A442;

    /// <summary>RFC 8489 §14: type and length.</summary>
    public const int AttributeHeaderLength = 4;

    /// <summary>RFC 8489 §14: values are padded to a multiple of 4 bytes.</summary>
    public const int Alignment = 4;

    /// <summary>HMAC-SHA1 output (RFC 8489 §14.5).</summary>
    public const int MessageIntegrityLength = 20;

    /// <summary>CRC-32 (RFC 8489 §14.7).</summary>
    public const int FingerprintLength = 4;

    /// <summary>
    /// The largest message read or written. RFC 8489 §6.1 keeps messages below the path MTU; nothing larger than an Ethernet frame
    /// comes from an ICE peer.
    /// </summary>
    public const int MaximumMessageLength = 1500;

    /// <summary>The binding method (RFC 8489 §18.2).</summary>
    public const ushort BindingMethod = 0x0001;

    /// <summary>The class bits C1 and C0 in the message type (RFC 8489 §5 figure 3).</summary>
    public const ushort ClassMask = 0x0110;

    /// <summary>The two most significant bits of a STUN message are zero (RFC 8489 §5).</summary>
    public const ushort TypeMask = 0x3FFF;

    /// <summary>Types below are comprehension-required (RFC 8489 §14).</summary>
    public const ushort ComprehensionOptionalStart = 0x8000;

    /// <summary>Address families in address attributes (RFC 8489 §14.1).</summary>
    public const byte FamilyIPv4 = 0x01;

    /// <summary>See <see cref="FamilyIPv4"/>.</summary>
    public const byte FamilyIPv6 = 0x02;

    /// <summary>Offset of the transaction id in the header (RFC 8489 §5).</summary>
    public const int TransactionIdOffset = 8;

    /// <summary>Offset of the message length in the header (RFC 8489 §5).</summary>
    public const int LengthOffset = 2;

    // The XOR of RFC 8489 §14.7 ("STUN"), and the reflected polynomial of ITU-T V.42.
    private const uint FingerprintXor = 0x5354_554E;
    private const uint CrcPolynomial = 0xEDB8_8320;
    private static readonly uint[] CrcTable = CreateCrcTable();

    /// <summary>Length including padding.</summary>
    public static int Padded(int length) => (length + Alignment - 1) & ~(Alignment - 1);

    /// <summary>FINGERPRINT over everything before the attribute; the header's length field must already count the attribute.</summary>
    public static uint ComputeFingerprint(ReadOnlySpan<byte> before)
    {
        var crc = uint.MaxValue;
        foreach (var b in before)
        {
            crc = CrcTable[(byte)(crc ^ b)] ^ (crc >> 8);
        }

        return ~crc ^ FingerprintXor;
    }

    /// <summary>
    /// MESSAGE-INTEGRITY over everything before the attribute, with the header's length counted as if the attribute were the last
    /// (RFC 8489 §14.5). <paramref name="before"/> is at most <see cref="MaximumMessageLength"/> bytes.
    /// </summary>
    public static void ComputeMessageIntegrity(ReadOnlySpan<byte> before, ReadOnlySpan<byte> key, Span<byte> destination)
    {
        Span<byte> copy = stackalloc byte[MaximumMessageLength];
        before.CopyTo(copy);
        var length = before.Length - HeaderLength + AttributeHeaderLength + MessageIntegrityLength;
        BinaryPrimitives.WriteUInt16BigEndian(copy[LengthOffset..], (ushort)length);
#pragma warning disable CA5350 // RFC 8445 §7.1 with RFC 5389 short-term credentials fixes HMAC-SHA1.
        HMACSHA1.HashData(key, copy[..before.Length], destination);
#pragma warning restore CA5350
    }

    /// <summary>XORs an address in network order with the cookie and, for IPv6, the transaction id (RFC 8489 §14.2).</summary>
    public static void XorAddress(Span<byte> address, ReadOnlySpan<byte> header)
    {
        var mask = header.Slice(LengthOffset + sizeof(ushort), address.Length);
        for (var i = 0; i < address.Length; i++)
        {
            address[i] ^= mask[i];
        }
    }

    /// <summary>The message type of a method and a class (RFC 8489 §5 figure 3): the method's bits lie around the two class bits.</summary>
    public static ushort MessageType(ushort method, StunClass messageClass) =>
        (ushort)((method & 0x000F) | ((method & 0x0070) << 1) | ((method & 0x0F80) << 2) | (ushort)messageClass);

    /// <summary>Reads an address attribute's value; with a header, one that is XORed with it (RFC 8489 §14.1, §14.2).</summary>
    public static bool TryReadAddress(ReadOnlySpan<byte> value, ReadOnlySpan<byte> header, out TransportAddress address)
    {
        const int addressOffset = 4;
        const int ipv4Length = 4;
        const int ipv6Length = 16;
        address = default;
        var expected = value.Length <= addressOffset ? 0 : value[1] switch
        {
            FamilyIPv4 => ipv4Length,
            FamilyIPv6 => ipv6Length,
            _ => 0,
        };
        if (expected == 0 || value.Length != addressOffset + expected)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[ipv6Length];
        bytes = bytes[..expected];
        value[addressOffset..].CopyTo(bytes);
        var port = BinaryPrimitives.ReadUInt16BigEndian(value[2..]);
        if (!header.IsEmpty)
        {
            XorAddress(bytes, header);
            port ^= (ushort)(MagicCookie >> 16);
        }

        address = TransportAddress.FromBytes(bytes, port);
        return true;
    }

    /// <summary>Reads the code of ERROR-CODE and of ADDRESS-ERROR-CODE: two bytes, the hundreds (3 to 6), the rest (0 to 99) (RFC 8489 §14.8).</summary>
    public static bool TryReadErrorCode(ReadOnlySpan<byte> value, out int code)
    {
        code = value.Length < 4 || (value[2] & 0x07) is < 3 or > 6 || value[3] > 99 ? 0 : ((value[2] & 0x07) * 100) + value[3];
        return code != 0;
    }

    private static uint[] CreateCrcTable()
    {
        var table = new uint[byte.MaxValue + 1];
        for (var i = 0u; i < table.Length; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
            {
                value = (value & 1) != 0 ? (value >> 1) ^ CrcPolynomial : value >> 1;
            }

            table[i] = value;
        }

        return table;
    }
}
