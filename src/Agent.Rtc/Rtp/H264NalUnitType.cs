namespace Agent.Rtc.Rtp;

/// <summary>nal_unit_type values that packetization cares about (H.264 Table 7-1; RFC 6184 Table 1 from 24 on).</summary>
internal static class H264NalUnitType
{
    public const byte Idr = 5;
    public const byte Sps = 7;
    public const byte Pps = 8;
    public const byte AccessUnitDelimiter = 9;
    public const byte FillerData = 12;

    /// <summary>Last type that may stand in a bitstream; RFC 6184 uses those above for packets.</summary>
    public const byte LastInBitstream = 23;
    public const byte StapA = 24;
    public const byte FuA = 28;

    // The NAL unit header octet (RFC 6184 §1.3).
    public const byte ForbiddenBit = 0x80;
    public const byte NriMask = 0x60;
    public const byte TypeMask = 0x1F;

    public static byte Get(ReadOnlySpan<byte> nalUnit) => (byte)(nalUnit[0] & TypeMask);
}
