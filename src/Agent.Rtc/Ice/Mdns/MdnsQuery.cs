using System.Buffers.Binary;
using System.Text;

namespace Agent.Rtc.Ice.Mdns;

/// <summary>Which records a query asks for.</summary>
public enum MdnsQuestionType : ushort
{
    /// <summary>The IPv4 address (RFC 1035 §3.2.2).</summary>
    A = MdnsFormat.TypeA,
    /// <summary>The IPv6 address (RFC 3596 §2.1).</summary>
    Aaaa = MdnsFormat.TypeAaaa,
    /// <summary>Every record (RFC 1035 §3.2.3, RFC 6762 §6.5): both families in one question. Chromium answers it, Firefox does not.</summary>
    Any = 255,
}

/// <summary>Writes multicast DNS queries for the names in browsers' candidates (RFC 6762, draft-ietf-mmusic-mdns-ice-candidates).</summary>
public static class MdnsQuery
{
    /// <summary>
    /// Writes a query with one question: Chromium ignores queries with more than one, and those that want a unicast response.
    /// </summary>
    /// <param name="destination">At least 512 bytes.</param>
    /// <param name="name">One label and ".local", with or without a final dot.</param>
    /// <param name="id">The query id; 0 for a query sent from port 5353 (RFC 6762 §18.1), otherwise the answer repeats it (§6.7).</param>
    /// <param name="type">What to ask for.</param>
    /// <param name="unicastResponse">Sets the QU bit (RFC 6762 §5.4).</param>
    /// <returns>Bytes written; 0 if the name is not a valid mDNS candidate name.</returns>
    public static int WriteQuery(
        Span<byte> destination, ReadOnlySpan<char> name, ushort id, MdnsQuestionType type = MdnsQuestionType.A, bool unicastResponse = false)
    {
        if (!TrySplit(name, out var label))
        {
            return 0;
        }

        const int questionCountOffset = 4;
        destination[..MdnsFormat.HeaderLength].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(destination, id);
        BinaryPrimitives.WriteUInt16BigEndian(destination[questionCountOffset..], 1);
        var length = MdnsFormat.HeaderLength;
        length += WriteLabel(destination[length..], label);
        length += WriteLabel(destination[length..], MdnsFormat.LocalDomain);
        destination[length++] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(destination[length..], (ushort)type);
        length += MdnsFormat.FieldLength;
        BinaryPrimitives.WriteUInt16BigEndian(
            destination[length..], (ushort)(MdnsFormat.ClassInternet | (unicastResponse ? MdnsFormat.ClassTopBit : 0)));
        return length + MdnsFormat.FieldLength;
    }

    /// <summary>
    /// True for a name that may be resolved: printable ASCII, one label, then ".local". Names with more dots are to be ignored
    /// (draft-ietf-mmusic-mdns-ice-candidates §3.2.1).
    /// </summary>
    public static bool IsCandidateName(ReadOnlySpan<char> name) => TrySplit(name, out _);

    private static bool TrySplit(ReadOnlySpan<char> name, out ReadOnlySpan<char> label)
    {
        name = name.EndsWith('.') ? name[..^1] : name;
        var dot = name.IndexOf('.');
        label = dot < 0 ? default : name[..dot];
        return label.Length is > 0 and <= MdnsFormat.MaximumLabelLength
            && name[(dot + 1)..].Equals(MdnsFormat.LocalDomain, StringComparison.OrdinalIgnoreCase)
            && !label.ContainsAnyExceptInRange('!', '~');
    }

    private static int WriteLabel(Span<byte> destination, ReadOnlySpan<char> label)
    {
        destination[0] = (byte)label.Length;
        return 1 + Encoding.ASCII.GetBytes(label, destination[1..]);
    }
}
