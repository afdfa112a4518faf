namespace Agent.Media;

/// <summary>What a sequence parameter set says about its stream.</summary>
/// <param name="ProfileIdc">profile_idc: 66 baseline, 77 main, 100 high.</param>
/// <param name="ConstraintFlags">The byte that holds constraint_set0_flag (its top bit) to constraint_set5_flag.</param>
/// <param name="LevelIdc">Ten times the level: 31 is level 3.1.</param>
/// <param name="Width">Pixels, cropped.</param>
/// <param name="Height">Pixels, cropped.</param>
/// <param name="BitDepthLuma">Bits per luma sample.</param>
/// <param name="ChromaFormatIdc">0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.</param>
public readonly record struct SequenceParameterSet(
    byte ProfileIdc, byte ConstraintFlags, byte LevelIdc, int Width, int Height, int BitDepthLuma, int ChromaFormatIdc)
{
    /// <summary>profile-level-id: six lower-case hex digits (RFC 6184 §8.1).</summary>
    public string ProfileLevelId => string.Create(6, this, static (text, sps) =>
        Convert.TryToHexStringLower([sps.ProfileIdc, sps.ConstraintFlags, sps.LevelIdc], text, out _));

    /// <summary>How its slices' headers are written.</summary>
    internal SliceSyntax Slices { get; init; }
}

/// <summary>What a sequence parameter set says about the fields of slice headers (H.264 §7.3.3).</summary>
/// <param name="Id">seq_parameter_set_id, 0 to 31.</param>
/// <param name="FrameNumberBits">Length of frame_num.</param>
/// <param name="OrderCountType">pic_order_cnt_type, 0 to 2.</param>
/// <param name="OrderCountBits">Length of pic_order_cnt_lsb, with type 0.</param>
/// <param name="HasOrderCountDeltas">With type 1: delta_pic_order_cnt is there.</param>
/// <param name="HasFields">frame_mbs_only_flag is 0: field_pic_flag is there.</param>
/// <param name="HasSeparatePlanes">colour_plane_id is there.</param>
internal readonly record struct SliceSyntax(
    byte Id, byte FrameNumberBits, byte OrderCountType, byte OrderCountBits, bool HasOrderCountDeltas, bool HasFields, bool HasSeparatePlanes);

/// <summary>Reads sequence parameter sets (H.264 §7.3.2.1.1).</summary>
public static class SpsReader
{
    /// <summary>Largest side that level 6.2 can hold: Sqrt(MaxFS * 8) macroblocks (H.264 §A.3.1), 16 pixels each.</summary>
    private const uint MaximumSideInMacroblocks = 1055;

    private const int MacroblockSize = 16;

    /// <summary>Largest values of these fields (§7.4.2.1.1).</summary>
    private const uint MaximumId = 31;
    private const uint MaximumLengthField = 12;
    private const uint MaximumOrderCountType = 2;

    /// <summary>log2_max_frame_num_minus4 and log2_max_pic_order_cnt_lsb_minus4 count from here.</summary>
    private const int LengthOrigin = 4;

    /// <summary>Reads an SPS NAL unit, header byte included. False if it is none, is cut short, or breaks the specification's ranges.</summary>
    public static bool TryRead(ReadOnlySpan<byte> nalUnit, out SequenceParameterSet sps)
    {
        sps = default;
        if (nalUnit.IsEmpty || NalUnit.TypeOf(nalUnit[0]) != NalUnitType.SequenceParameterSet) return false;
        var bits = new RbspReader(nalUnit[1..]);
        var profile = (byte)bits.ReadBits(8);
        var constraints = (byte)bits.ReadBits(8);
        var level = (byte)bits.ReadBits(8);
        var id = bits.ReadUnsigned();
        uint chroma = 1, depth = 0;
        var separatePlanes = false;
        if (HasChromaFields(profile))
        {
            chroma = bits.ReadUnsigned();
            if (chroma == 3) separatePlanes = bits.ReadBits(1) != 0;
            depth = bits.ReadUnsigned();
            bits.ReadUnsigned(); // bit_depth_chroma_minus8
            bits.ReadBits(1); // qpprime_y_zero_transform_bypass_flag
            if (bits.ReadBits(1) != 0) SkipScalingLists(ref bits, chroma == 3 ? 12 : 8);
        }
        var frameNumberLength = bits.ReadUnsigned();
        var orderCountType = bits.ReadUnsigned();
        var orderCountLength = orderCountType == 0 ? bits.ReadUnsigned() : 0;
        var hasOrderCountDeltas = orderCountType == 1 && bits.ReadBits(1) == 0;
        if (orderCountType == 1) SkipPictureOrderCycle(ref bits);
        bits.ReadUnsigned(); // max_num_ref_frames
        bits.ReadBits(1); // gaps_in_frame_num_value_allowed_flag
        var widthInMacroblocks = (ulong)bits.ReadUnsigned() + 1;
        var heightInMapUnits = (ulong)bits.ReadUnsigned() + 1;
        var frameMacroblocksOnly = bits.ReadBits(1) != 0;
        if (!frameMacroblocksOnly) bits.ReadBits(1); // mb_adaptive_frame_field_flag
        bits.ReadBits(1); // direct_8x8_inference_flag
        ulong left = 0, right = 0, top = 0, bottom = 0;
        if (bits.ReadBits(1) != 0)
        {
            left = bits.ReadUnsigned();
            right = bits.ReadUnsigned();
            top = bits.ReadUnsigned();
            bottom = bits.ReadUnsigned();
        }
        if (bits.Failed || chroma > 3 || depth > 6 || id > MaximumId || frameNumberLength > MaximumLengthField) return false;
        if (orderCountType > MaximumOrderCountType || orderCountLength > MaximumLengthField) return false;

        var fieldFactor = frameMacroblocksOnly ? 1UL : 2UL;
        var heightInMacroblocks = heightInMapUnits * fieldFactor;
        if (widthInMacroblocks > MaximumSideInMacroblocks || heightInMacroblocks > MaximumSideInMacroblocks) return false;
        // CropUnitX, CropUnitY (§7.4.2.1.1); ChromaArrayType is 0 with separate planes.
        var chromaArray = separatePlanes ? 0 : chroma;
        var cropX = (left + right) * (chromaArray is 1 or 2 ? 2UL : 1);
        var cropY = (top + bottom) * (chromaArray == 1 ? 2UL : 1) * fieldFactor;
        var width = widthInMacroblocks * MacroblockSize;
        var height = heightInMacroblocks * MacroblockSize;
        if (cropX >= width || cropY >= height) return false;
        sps = new SequenceParameterSet(profile, constraints, level, (int)(width - cropX), (int)(height - cropY), (int)depth + 8, (int)chroma)
        {
            Slices = new SliceSyntax(
                (byte)id, (byte)(frameNumberLength + LengthOrigin), (byte)orderCountType, (byte)(orderCountLength + LengthOrigin),
                hasOrderCountDeltas, !frameMacroblocksOnly, separatePlanes),
        };
        return true;
    }

    /// <summary>The profiles whose SPS carries chroma_format_idc and scaling matrices (§7.3.2.1.1).</summary>
    private static bool HasChromaFields(byte profile) => profile is 100 or 110 or 122 or 244 or 44 or 83 or 86 or 118 or 128 or 138 or 139 or 134 or 135;

    private static void SkipPictureOrderCycle(ref RbspReader bits)
    {
        bits.ReadSigned(); // offset_for_non_ref_pic
        bits.ReadSigned(); // offset_for_top_to_bottom_field
        var cycle = bits.ReadUnsigned(); // num_ref_frames_in_pic_order_cnt_cycle, at most 255
        if (cycle > 255) bits.Fail();
        for (var i = 0; i < cycle && !bits.Failed; i++) bits.ReadSigned();
    }

    private static void SkipScalingLists(ref RbspReader bits, int count)
    {
        for (var list = 0; list < count && !bits.Failed; list++)
        {
            if (bits.ReadBits(1) == 0) continue;
            // §7.3.2.1.1.1: the list ends early where nextScale becomes 0.
            int last = 8, next = 8;
            for (var j = 0; j < (list < 6 ? 16 : 64) && next != 0 && !bits.Failed; j++)
            {
                next = (last + bits.ReadSigned() + 256) & 0xFF;
                if (next != 0) last = next;
            }
        }
    }
}
