using Agent.Media;

namespace Agent.Devices.Encoders;

/// <summary>Makes encoders' Constrained Baseline parameter sets say 42e0, the very profile that browsers offer.</summary>
internal static class ConstrainedBaseline
{
    /// <summary>profile_idc (H.264 §A.2.1).</summary>
    private const byte BaselineProfile = 66;

    private const byte ConstraintSet2 = 0x20;

    /// <summary>
    /// x264 and openh264 set constraint_set0_flag and constraint_set1_flag. Their streams keep to the Extended profile as well
    /// (direct_8x8_inference_flag is 1, no CABAC: H.264 §A.2.3), so constraint_set2_flag may be set too.
    /// </summary>
    public static void Mark(Span<byte> accessUnit)
    {
        var position = 0;
        while (NalUnit.TryFindNext(accessUnit, ref position, out var range))
        {
            var nalUnit = accessUnit[range];
            if (NalUnit.TypeOf(nalUnit[0]) == NalUnitType.SequenceParameterSet && nalUnit.Length > 2 && nalUnit[1] == BaselineProfile)
                nalUnit[2] |= ConstraintSet2;
        }
    }
}
