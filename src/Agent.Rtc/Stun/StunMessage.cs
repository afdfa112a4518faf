using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Agent.Rtc.Stun;

/// <summary>Comprehension-required attribute types that a message carries and this agent does not know; the first few only.</summary>
[InlineArray(Capacity)]
internal struct StunUnknownAttributes
{
    /// <summary>More than this many are not listed in UNKNOWN-ATTRIBUTES; one suffices to explain a 420.</summary>
    public const int Capacity = 4;

    private ushort _first;
}

/// <summary>
/// A parsed STUN message (RFC 8489), a view of the datagram it was read from. What stands behind MESSAGE-INTEGRITY is ignored except
/// FINGERPRINT (RFC 8489 §14.5). A FINGERPRINT that is there is right; credentials are checked with <see cref="VerifyMessageIntegrity"/>.
/// </summary>
public ref struct StunMessage
{
    private readonly ReadOnlySpan<byte> _datagram;
    private int _integrityOffset;
    private StunUnknownAttributes _unknown;
    private int _unknownCount;

    private StunMessage(ReadOnlySpan<byte> datagram) => _datagram = datagram;

    /// <summary>Request, indication or response.</summary>
    public StunClass Class { get; private set; }

    /// <summary>The method, 1 for binding.</summary>
    public ushort Method { get; private set; }

    public StunTransactionId TransactionId { get; private set; }

    /// <summary>USERNAME's bytes, empty if absent.</summary>
    public ReadOnlySpan<byte> Username { get; private set; }

    /// <summary>XOR-MAPPED-ADDRESS, or <c>default</c>.</summary>
    public TransportAddress XorMappedAddress { get; private set; }

    /// <summary>PRIORITY (RFC 8445 §7.1.1), if present.</summary>
    public uint? Priority { get; private set; }

    /// <summary>USE-CANDIDATE is present (RFC 8445 §7.1.2).</summary>
    public bool UseCandidate { get; private set; }

    /// <summary>The tiebreaker in ICE-CONTROLLING, if present (RFC 8445 §7.1.3).</summary>
    public ulong? IceControlling { get; private set; }

    /// <summary>The tiebreaker in ICE-CONTROLLED, if present (RFC 8445 §7.1.3).</summary>
    public ulong? IceControlled { get; private set; }

    /// <summary>ERROR-CODE as 300 to 699, 0 if absent.</summary>
    public int ErrorCode { get; private set; }

    /// <summary>FINGERPRINT is present, and right.</summary>
    public bool HasFingerprint { get; private set; }

    /// <summary>MESSAGE-INTEGRITY is present; not yet verified.</summary>
    public readonly bool HasMessageIntegrity => _integrityOffset != 0;

    /// <summary>Comprehension-required attribute types that are not known (RFC 8489 §14); at most four.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<ushort> UnknownAttributes => ((ReadOnlySpan<ushort>)_unknown)[.._unknownCount];

    /// <summary>True if the datagram looks like STUN by its first bits, length and cookie (RFC 8489 §6.3, RFC 7983).</summary>
    public static bool IsStun(ReadOnlySpan<byte> datagram) =>
        datagram.Length >= StunFormat.HeaderLength
        && datagram.Length <= StunFormat.MaximumMessageLength
        && (datagram[0] & ~(StunFormat.TypeMask >> 8)) == 0
        && BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]) == StunFormat.MagicCookie
        && BinaryPrimitives.ReadUInt16BigEndian(datagram[StunFormat.LengthOffset..]) == datagram.Length - StunFormat.HeaderLength
        && datagram.Length % StunFormat.Alignment == 0;

    /// <summary>Reads a whole datagram as one STUN message.</summary>
    /// <returns>False if it is malformed or its FINGERPRINT is wrong; <paramref name="message"/> is then empty.</returns>
    public static bool TryParse(ReadOnlySpan<byte> datagram, out StunMessage message)
    {
        message = new StunMessage(datagram);
        var parsed = IsStun(datagram) && message.TryReadAll();
        message = parsed ? message : default;
        return parsed;
    }

    /// <summary>
    /// Reads the part of USERNAME before the colon from a binding request: the receiver's own ufrag (RFC 8445 §7.2.2). Nothing is
    /// verified; it only finds the session that will verify.
    /// </summary>
    /// <returns>False for anything but a binding request with such a USERNAME.</returns>
    public static bool TryReadLocalUfrag(ReadOnlySpan<byte> datagram, out ReadOnlySpan<byte> ufrag)
    {
        ufrag = default;
        if (!IsStun(datagram) || BinaryPrimitives.ReadUInt16BigEndian(datagram) != ((ushort)StunClass.Request | StunFormat.BindingMethod))
        {
            return false;
        }

        for (var offset = StunFormat.HeaderLength; offset < datagram.Length;)
        {
            var attribute = (StunAttributeType)BinaryPrimitives.ReadUInt16BigEndian(datagram[offset..]);
            var length = BinaryPrimitives.ReadUInt16BigEndian(datagram[(offset + sizeof(ushort))..]);
            offset += StunFormat.AttributeHeaderLength;
            if (StunFormat.Padded(length) > datagram.Length - offset)
            {
                return false;
            }

            if (attribute == StunAttributeType.Username)
            {
                var username = datagram.Slice(offset, length);
                var colon = username.IndexOf((byte)':');
                ufrag = colon > 0 ? username[..colon] : default;
                return colon > 0;
            }

            offset += StunFormat.Padded(length);
        }

        return false;
    }

    /// <summary>Compares MESSAGE-INTEGRITY with what the key gives, in constant time. False if it is absent.</summary>
    /// <param name="key">The short-term password's bytes, or the long-term MD5 (RFC 8489 §9.1.1, §9.2.2).</param>
    public readonly bool VerifyMessageIntegrity(ReadOnlySpan<byte> key)
    {
        if (!HasMessageIntegrity)
        {
            return false;
        }

        Span<byte> expected = stackalloc byte[StunFormat.MessageIntegrityLength];
        StunFormat.ComputeMessageIntegrity(_datagram[.._integrityOffset], key, expected);
        var actual = _datagram.Slice(_integrityOffset + StunFormat.AttributeHeaderLength, StunFormat.MessageIntegrityLength);
        return CryptographicOperations.FixedTimeEquals(expected, actual);
    }

    /// <summary>The attributes in their order, as far as MESSAGE-INTEGRITY covers them; it and FINGERPRINT are left out.</summary>
    internal readonly StunAttributes GetAttributes() => new(_datagram, HasMessageIntegrity ? _integrityOffset : _datagram.Length);

    private bool TryReadAll()
    {
        var type = BinaryPrimitives.ReadUInt16BigEndian(_datagram);
        Class = (StunClass)(type & StunFormat.ClassMask);
        // RFC 8489 §5 figure 3: the method's bits lie around the two class bits.
        Method = (ushort)((type & 0x000F) | ((type & 0x00E0) >> 1) | ((type & 0x3E00) >> 2));
        TransactionId = StunTransactionId.Read(_datagram[StunFormat.TransactionIdOffset..]);
        for (var offset = StunFormat.HeaderLength; offset < _datagram.Length;)
        {
            // The message length is a multiple of four, so a whole attribute header is always there.
            var attribute = (StunAttributeType)BinaryPrimitives.ReadUInt16BigEndian(_datagram[offset..]);
            var length = BinaryPrimitives.ReadUInt16BigEndian(_datagram[(offset + sizeof(ushort))..]);
            var valueOffset = offset + StunFormat.AttributeHeaderLength;
            if (StunFormat.Padded(length) > _datagram.Length - valueOffset
                || !TryReadAttribute(attribute, _datagram.Slice(valueOffset, length), offset))
            {
                return false;
            }

            offset = valueOffset + StunFormat.Padded(length);
        }

        return true;
    }

    private bool TryReadAttribute(StunAttributeType attribute, ReadOnlySpan<byte> value, int offset)
    {
        if (HasFingerprint)
        {
            return false; // RFC 8489 §14.7: FINGERPRINT is the last attribute.
        }

        if (attribute == StunAttributeType.Fingerprint)
        {
            HasFingerprint = value.Length == StunFormat.FingerprintLength
                && BinaryPrimitives.ReadUInt32BigEndian(value) == StunFormat.ComputeFingerprint(_datagram[..offset]);
            return HasFingerprint;
        }

        if (HasMessageIntegrity)
        {
            return true;
        }

        switch (attribute)
        {
            case StunAttributeType.MessageIntegrity:
                _integrityOffset = offset;
                return value.Length == StunFormat.MessageIntegrityLength;
            case StunAttributeType.Username:
                Username = value;
                return true;
            case StunAttributeType.XorMappedAddress:
                var isAddress = StunFormat.TryReadAddress(value, _datagram, out var mapped);
                XorMappedAddress = mapped;
                return isAddress;
            case StunAttributeType.Priority:
                Priority = value.Length == sizeof(uint) ? BinaryPrimitives.ReadUInt32BigEndian(value) : null;
                return Priority is not null;
            case StunAttributeType.UseCandidate:
                UseCandidate = true;
                return value.IsEmpty;
            case StunAttributeType.IceControlling:
                IceControlling = value.Length == sizeof(ulong) ? BinaryPrimitives.ReadUInt64BigEndian(value) : null;
                return IceControlling is not null;
            case StunAttributeType.IceControlled:
                IceControlled = value.Length == sizeof(ulong) ? BinaryPrimitives.ReadUInt64BigEndian(value) : null;
                return IceControlled is not null;
            case StunAttributeType.ErrorCode:
                var isCode = StunFormat.TryReadErrorCode(value, out var code);
                ErrorCode = code;
                return isCode;
            case StunAttributeType.MappedAddress or StunAttributeType.UnknownAttributes or StunAttributeType.Realm or StunAttributeType.Nonce:
                return true;
            default:
                if ((ushort)attribute < StunFormat.ComprehensionOptionalStart && _unknownCount < StunUnknownAttributes.Capacity)
                {
                    _unknown[_unknownCount++] = (ushort)attribute;
                }

                return true;
        }
    }
}
