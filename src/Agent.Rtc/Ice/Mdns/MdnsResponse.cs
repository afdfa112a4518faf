using System.Buffers.Binary;
using System.Text;

namespace Agent.Rtc.Ice.Mdns;

/// <summary>Reads the addresses out of multicast DNS responses (RFC 6762 §6, RFC 1035 §4).</summary>
public static class MdnsResponse
{
    // RFC 1035 §4.1.1: QR set, OPCODE 0 and, as RFC 6762 §18.11 asks, RCODE 0.
    private const ushort ResponseMask = 0xF80F;
    private const ushort ResponseFlags = 0x8000;

    // RFC 1035 §4.1.4: the two top bits mark a compression pointer; 01 and 10 are not defined.
    private const byte PointerMask = 0xC0;

    private const int IPv4Length = 4;
    private const int IPv6Length = 16;

    /// <summary>Reads the A and AAAA records of one name from the answers and the additional records.</summary>
    /// <param name="datagram">The UDP payload.</param>
    /// <param name="name">The name asked for, with or without a final dot; case does not matter.</param>
    /// <param name="addresses">Receives the addresses, with port 0 and no scope; what does not fit is left out.</param>
    /// <param name="count">Addresses written.</param>
    /// <returns>True if the datagram is a well-formed response with at least one address of the name.</returns>
    public static bool TryReadAddresses(ReadOnlySpan<byte> datagram, ReadOnlySpan<char> name, Span<TransportAddress> addresses, out int count)
    {
        count = 0;
        if (datagram.Length < MdnsFormat.HeaderLength
            || (BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]) & ResponseMask) != ResponseFlags)
        {
            return false;
        }

        name = name.EndsWith('.') ? name[..^1] : name;
        int questions = BinaryPrimitives.ReadUInt16BigEndian(datagram[4..]);
        var records = BinaryPrimitives.ReadUInt16BigEndian(datagram[6..]) + BinaryPrimitives.ReadUInt16BigEndian(datagram[8..])
            + BinaryPrimitives.ReadUInt16BigEndian(datagram[10..]);
        var offset = MdnsFormat.HeaderLength;

        // Each turn consumes bytes or ends, so the datagram's length bounds both loops whatever the counts claim.
        for (; questions > 0; questions--)
        {
            const int typeAndClass = 2 * MdnsFormat.FieldLength;
            if (!TryReadName(datagram, ref offset, name, out _) || datagram.Length - offset < typeAndClass)
            {
                return false;
            }

            offset += typeAndClass;
        }

        var found = 0;
        for (; records > 0; records--)
        {
            if (!TryReadRecord(datagram, ref offset, name, out var address))
            {
                return false;
            }

            if (!address.IsNone && found < addresses.Length && !addresses[..found].Contains(address))
            {
                addresses[found++] = address;
            }
        }

        count = found;
        return count > 0;
    }

    /// <summary>Reads one record; <paramref name="address"/> stays <c>default</c> unless it is a live address of the name.</summary>
    private static bool TryReadRecord(ReadOnlySpan<byte> datagram, ref int offset, ReadOnlySpan<char> name, out TransportAddress address)
    {
        // RFC 1035 §4.1.3: TYPE, CLASS, TTL, RDLENGTH.
        const int fixedPart = 10;
        address = default;
        if (!TryReadName(datagram, ref offset, name, out var matches) || datagram.Length - offset < fixedPart)
        {
            return false;
        }

        var type = BinaryPrimitives.ReadUInt16BigEndian(datagram[offset..]);
        var recordClass = BinaryPrimitives.ReadUInt16BigEndian(datagram[(offset + 2)..]) & ~MdnsFormat.ClassTopBit;
        var timeToLive = BinaryPrimitives.ReadUInt32BigEndian(datagram[(offset + 4)..]);
        int length = BinaryPrimitives.ReadUInt16BigEndian(datagram[(offset + 8)..]);
        offset += fixedPart;
        if (datagram.Length - offset < length)
        {
            return false;
        }

        var data = datagram.Slice(offset, length);
        offset += length;

        // A TTL of 0 takes a record back (RFC 6762 §10.1).
        if (matches && recordClass == MdnsFormat.ClassInternet && timeToLive > 0
            && ((type == MdnsFormat.TypeA && length == IPv4Length) || (type == MdnsFormat.TypeAaaa && length == IPv6Length)))
        {
            address = TransportAddress.FromBytes(data, port: 0);
        }

        return true;
    }

    /// <summary>Steps over a name and compares it; each pointer must lead further back, so a loop is impossible.</summary>
    private static bool TryReadName(ReadOnlySpan<byte> datagram, ref int offset, ReadOnlySpan<char> expected, out bool matches)
    {
        matches = true;
        var position = offset;
        var lowest = offset;
        var end = -1;
        for (var total = 1; position < datagram.Length;)
        {
            var length = datagram[position];
            if (length == 0)
            {
                matches &= expected.IsEmpty;
                offset = end < 0 ? position + 1 : end;
                return true;
            }

            if ((length & PointerMask) == PointerMask)
            {
                if (datagram.Length - position < sizeof(ushort))
                {
                    return false;
                }

                var target = BinaryPrimitives.ReadUInt16BigEndian(datagram[position..]) & ~(PointerMask << 8);
                if (target >= lowest)
                {
                    return false;
                }

                end = end < 0 ? position + sizeof(ushort) : end;
                lowest = target;
                position = target;
                continue;
            }

            total += 1 + length;
            if ((length & PointerMask) != 0 || total > MdnsFormat.MaximumNameLength || datagram.Length - position <= length)
            {
                return false;
            }

            matches = matches && TryTakeLabel(ref expected, datagram.Slice(position + 1, length));
            position += 1 + length;
        }

        return false;
    }

    private static bool TryTakeLabel(ref ReadOnlySpan<char> expected, ReadOnlySpan<byte> label)
    {
        var dot = expected.IndexOf('.');
        var next = dot < 0 ? expected : expected[..dot];
        if (!Ascii.EqualsIgnoreCase(label, next))
        {
            return false;
        }

        expected = dot < 0 ? default : expected[(dot + 1)..];
        return true;
    }
}
