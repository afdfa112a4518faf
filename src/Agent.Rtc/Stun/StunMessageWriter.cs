using System.Buffers.Binary;
using System.Text;

namespace Agent.Rtc.Stun;

/// <summary>
/// Writes one STUN message (RFC 8489 §5) into the caller's buffer: attributes in call order, then
/// <see cref="WriteMessageIntegrity"/>, then <see cref="WriteFingerprint"/>. The buffer must have room (1500 bytes always do).
/// </summary>
public ref struct StunMessageWriter
{
    private readonly Span<byte> _buffer;

    /// <summary>Begins a binding message.</summary>
    public StunMessageWriter(Span<byte> buffer, StunClass messageClass, StunTransactionId transactionId)
        : this(buffer, StunFormat.BindingMethod, messageClass, transactionId)
    {
    }

    /// <summary>Begins a message of any method.</summary>
    public StunMessageWriter(Span<byte> buffer, ushort method, StunClass messageClass, StunTransactionId transactionId)
    {
        _buffer = buffer.Length > StunFormat.MaximumMessageLength ? buffer[..StunFormat.MaximumMessageLength] : buffer;
        BinaryPrimitives.WriteUInt16BigEndian(_buffer, StunFormat.MessageType(method, messageClass));
        BinaryPrimitives.WriteUInt32BigEndian(_buffer[4..], StunFormat.MagicCookie);
        transactionId.Write(_buffer[StunFormat.TransactionIdOffset..]);
        Length = StunFormat.HeaderLength;
        WriteLength();
    }

    /// <summary>Bytes written so far; the message is complete at every point.</summary>
    public int Length { get; private set; }

    /// <summary>Appends an attribute with the given value, padded with zeros.</summary>
    public void WriteAttribute(StunAttributeType type, scoped ReadOnlySpan<byte> value) => value.CopyTo(Append(type, value.Length));

    public void WriteUInt32(StunAttributeType type, uint value) => BinaryPrimitives.WriteUInt32BigEndian(Append(type, sizeof(uint)), value);

    public void WriteUInt64(StunAttributeType type, ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Append(type, sizeof(ulong)), value);

    /// <summary>Appends XOR-MAPPED-ADDRESS (RFC 8489 §14.2).</summary>
    public void WriteXorMappedAddress(TransportAddress address) => WriteXorAddress(StunAttributeType.XorMappedAddress, address);

    /// <summary>Appends an address in the form of XOR-MAPPED-ADDRESS (RFC 8489 §14.2, RFC 8656 §18.3, §18.5).</summary>
    public void WriteXorAddress(StunAttributeType type, TransportAddress address)
    {
        var value = Append(type, 4 + address.AddressLength);
        value[0] = 0;
        value[1] = address.IsIPv4 ? StunFormat.FamilyIPv4 : StunFormat.FamilyIPv6;
        BinaryPrimitives.WriteUInt16BigEndian(value[2..], (ushort)(address.Port ^ (StunFormat.MagicCookie >> 16)));
        address.WriteAddress(value[4..]);
        StunFormat.XorAddress(value[4..], _buffer);
    }

    /// <summary>Appends ERROR-CODE with an ASCII reason phrase (RFC 8489 §14.8).</summary>
    public void WriteErrorCode(int code, string reason)
    {
        var value = Append(StunAttributeType.ErrorCode, 4 + reason.Length);
        value[0] = 0;
        value[1] = 0;
        value[2] = (byte)(code / 100);
        value[3] = (byte)(code % 100);
        Encoding.ASCII.GetBytes(reason, value[4..]);
    }

    /// <summary>Appends UNKNOWN-ATTRIBUTES (RFC 8489 §14.9).</summary>
    public void WriteUnknownAttributes(scoped ReadOnlySpan<ushort> types)
    {
        var value = Append(StunAttributeType.UnknownAttributes, types.Length * sizeof(ushort));
        for (var i = 0; i < types.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(value[(i * sizeof(ushort))..], types[i]);
        }
    }

    /// <summary>Appends MESSAGE-INTEGRITY (RFC 8489 §14.5).</summary>
    public void WriteMessageIntegrity(scoped ReadOnlySpan<byte> key)
    {
        var before = _buffer[..Length];
        StunFormat.ComputeMessageIntegrity(before, key, Append(StunAttributeType.MessageIntegrity, StunFormat.MessageIntegrityLength));
    }

    /// <summary>Appends FINGERPRINT (RFC 8489 §14.7), always the last attribute.</summary>
    public void WriteFingerprint()
    {
        var before = _buffer[..Length];
        var value = Append(StunAttributeType.Fingerprint, StunFormat.FingerprintLength);
        BinaryPrimitives.WriteUInt32BigEndian(value, StunFormat.ComputeFingerprint(before));
    }

    private Span<byte> Append(StunAttributeType type, int length)
    {
        var attribute = _buffer.Slice(Length, StunFormat.AttributeHeaderLength + StunFormat.Padded(length));
        BinaryPrimitives.WriteUInt16BigEndian(attribute, (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(attribute[sizeof(ushort)..], (ushort)length);
        var value = attribute[StunFormat.AttributeHeaderLength..];
        value[length..].Clear();
        Length += attribute.Length;
        WriteLength();
        return value[..length];
    }

    private readonly void WriteLength() =>
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[StunFormat.LengthOffset..], (ushort)(Length - StunFormat.HeaderLength));
}
