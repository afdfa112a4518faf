namespace Agent.Media;

/// <summary>nal_unit_type values that the agent looks at (H.264 Table 7-1).</summary>
public enum NalUnitType : byte
{
    NonIdrSlice = 1,
    IdrSlice = 5,
    SupplementalEnhancementInformation = 6,
    SequenceParameterSet = 7,
    PictureParameterSet = 8,
    AccessUnitDelimiter = 9,
}

/// <summary>Finds NAL units in an Annex B byte stream (H.264 Annex B).</summary>
public static class NalUnit
{
    /// <summary>nal_unit_type is the low five bits of the header byte (H.264 §7.3.1).</summary>
    private const int TypeMask = 0x1F;

    /// <summary>start_code_prefix_one_3bytes (H.264 §B.1.1).</summary>
    private static ReadOnlySpan<byte> StartCode => [0, 0, 1];

    /// <summary>The nal_unit_type in a NAL unit's first byte.</summary>
    public static NalUnitType TypeOf(byte header) => (NalUnitType)(header & TypeMask);

    /// <summary>
    /// Finds the next non-empty NAL unit at or after <paramref name="position"/> and moves the position behind it. The range leaves out
    /// the start code and trailing zero bytes. Bytes before the first start code belong to no NAL unit.
    /// </summary>
    public static bool TryFindNext(ReadOnlySpan<byte> annexB, ref int position, out Range nalUnit)
    {
        while (true)
        {
            // IndexOf is vectorised in the base class library.
            var startCode = annexB[position..].IndexOf(StartCode);
            if (startCode < 0)
            {
                position = annexB.Length;
                nalUnit = default;
                return false;
            }
            var start = position + startCode + StartCode.Length;
            var length = annexB[start..].IndexOf(StartCode);
            if (length < 0) length = annexB.Length - start;
            position = start + length;
            // zero_byte of the next start code and trailing_zero_8bits; a NAL unit itself never ends in zero (§7.4.1).
            length = annexB.Slice(start, length).TrimEnd((byte)0).Length;
            if (length == 0) continue;
            nalUnit = new Range(start, start + length);
            return true;
        }
    }
}
