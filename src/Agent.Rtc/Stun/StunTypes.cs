using System.Buffers.Binary;

namespace Agent.Rtc.Stun;

/// <summary>Message classes of RFC 8489 §5 as the two class bits of the message type.</summary>
public enum StunClass : ushort
{
    Request = 0x0000,
    Indication = 0x0010,
    SuccessResponse = 0x0100,
    ErrorResponse = 0x0110,
}

/// <summary>Attribute types of RFC 8489 §18.3, RFC 8445 §20.1 and RFC 8656 §18 that an ICE agent meets.</summary>
public enum StunAttributeType : ushort
{
    MappedAddress = 0x0001,
    Username = 0x0006,
    MessageIntegrity = 0x0008,
    ErrorCode = 0x0009,
    UnknownAttributes = 0x000A,
    ChannelNumber = 0x000C,
    Lifetime = 0x000D,
    XorPeerAddress = 0x0012,
    Data = 0x0013,
    Realm = 0x0014,
    Nonce = 0x0015,
    XorRelayedAddress = 0x0016,
    RequestedAddressFamily = 0x0017,
    RequestedTransport = 0x0019,
    XorMappedAddress = 0x0020,
    Priority = 0x0024,
    UseCandidate = 0x0025,
    AdditionalAddressFamily = 0x8000,
    AddressErrorCode = 0x8001,
    AlternateDomain = 0x8003,
    Software = 0x8022,
    AlternateServer = 0x8023,
    Fingerprint = 0x8028,
    IceControlled = 0x8029,
    IceControlling = 0x802A,
}

/// <summary>Error codes of RFC 8489 §14.8, RFC 8445 §7.3.1.1 and RFC 8656 §19 that an ICE agent sends or tells apart.</summary>
public static class StunErrorCode
{
    public const int TryAlternate = 300;
    public const int BadRequest = 400;
    public const int Unauthenticated = 401;
    public const int UnknownAttribute = 420;
    public const int AllocationMismatch = 437;
    public const int StaleNonce = 438;
    public const int AddressFamilyNotSupported = 440;
    public const int RoleConflict = 487;
}

/// <summary>The 96-bit transaction id of RFC 8489 §5, comparable and without a heap object.</summary>
public readonly record struct StunTransactionId
{
    /// <summary>Bytes of a transaction id (RFC 8489 §5).</summary>
    public const int Length = 12;

    private readonly ulong _high;
    private readonly uint _low;

    private StunTransactionId(ulong high, uint low)
    {
        _high = high;
        _low = low;
    }

    /// <summary>True for <c>default</c>, which marks "no transaction"; a random id is zero once in 2^96.</summary>
    public bool IsNone => this == default;

    /// <summary>Draws a new id (RFC 8489 §5: uniformly random).</summary>
    public static StunTransactionId Create(IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        Span<byte> bytes = stackalloc byte[Length];
        random.Fill(bytes);
        return Read(bytes);
    }

    /// <summary>Reads 12 bytes in network order.</summary>
    public static StunTransactionId Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[sizeof(ulong)..]));

    /// <summary>Writes 12 bytes in network order.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt32BigEndian(destination[sizeof(ulong)..], _low);
    }
}
