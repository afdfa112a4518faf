namespace Agent.Rtc.Sctp;

/// <summary>RFC 9260 §3.2, RFC 6525 §3.1, RFC 3758 §3.2.</summary>
internal enum SctpChunkType : byte
{
    Data = 0,
    Init = 1,
    InitAck = 2,
    Sack = 3,
    Heartbeat = 4,
    HeartbeatAck = 5,
    Abort = 6,
    Shutdown = 7,
    ShutdownAck = 8,
    Error = 9,
    CookieEcho = 10,
    CookieAck = 11,
    ShutdownComplete = 14,
    ReConfig = 130,
    ForwardTsn = 192,
}

/// <summary>RFC 9260 §3.3.2.1, RFC 5061 §4.2.7, RFC 6525 §4, RFC 3758 §3.1.</summary>
internal enum SctpParameterType : ushort
{
    StateCookie = 7,
    OutgoingSsnResetRequest = 13,
    IncomingSsnResetRequest = 14,
    SsnTsnResetRequest = 15,
    ReConfigResponse = 16,
    AddOutgoingStreams = 17,
    AddIncomingStreams = 18,
    SupportedExtensions = 0x8008,
    ForwardTsnSupported = 0xC000,
}

/// <summary>RFC 9260 §3.3.10.</summary>
internal enum SctpErrorCause : ushort
{
    OutOfResource = 4,
    InvalidMandatoryParameter = 7,
    NoUserData = 9,
    UserInitiatedAbort = 12,
    ProtocolViolation = 13,
}

/// <summary>RFC 6525 §4.4.</summary>
internal enum SctpResetResult : uint
{
    NothingToDo = 0,
    Performed = 1,
    Denied = 2,
    BadSequenceNumber = 5,
    InProgress = 6,
}

/// <summary>Lengths and flags of the wire format.</summary>
internal static class SctpFormat
{
    /// <summary>RFC 9260 §3.1.</summary>
    public const int CommonHeaderLength = 12;

    /// <summary>RFC 9260 §3.2, §3.2.1: chunks, parameters and error causes begin with two times 16 bits, of which the second is the length.</summary>
    public const int TlvHeaderLength = 4;

    /// <summary>RFC 9260 §3.3.1, with the chunk header.</summary>
    public const int DataHeaderLength = 16;

    /// <summary>
    /// The largest packet to send. 1200 bytes of UDP payload pass every path (RFC 8831 §5), of which a DTLS 1.2 record with AES-GCM takes 37:
    /// header 13, explicit nonce 8, tag 16 (RFC 5288 §3). SCTP packets are multiples of 4.
    /// </summary>
    public const int MaximumPacketLength = 1160;

    /// <summary>User data of one DATA chunk that fills a packet.</summary>
    public const int MaximumFragmentLength = MaximumPacketLength - CommonHeaderLength - DataHeaderLength;

    // RFC 9260 §3.3.1.
    public const byte DataEnd = 1;
    public const byte DataBegin = 2;
    public const byte DataUnordered = 4;
    public const byte DataImmediate = 8;

    /// <summary>RFC 9260 §3.3.7, §3.3.13: the T bit, the verification tag is the sender's of the packet that this answers.</summary>
    public const byte ReflectedTag = 1;

    public static int Pad(int length) => (length + 3) & ~3;

    /// <summary>RFC 9260 §2.5: serial number arithmetic.</summary>
    public static bool IsAfter(uint tsn, uint other) => (int)(tsn - other) > 0;

    /// <summary>As for TSNs, with 16 bits.</summary>
    public static bool IsAfter(ushort ssn, ushort other) => (short)(ssn - other) > 0;
}
