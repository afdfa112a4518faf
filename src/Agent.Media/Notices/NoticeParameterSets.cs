namespace Agent.Media.Notices;

/// <summary>Writes the parameter sets of a notice: Constrained Baseline, one reference picture, output order is decoding order.</summary>
internal static class NoticeParameterSets
{
    /// <summary>frame_num is u(v) of this many bits: log2_max_frame_num_minus4 + 4.</summary>
    public const int FrameNumberBits = 8;

    /// <summary>profile_idc 66 with constraint_set0_flag, 1 and 2: Constrained Baseline, as browsers write it (42e0).</summary>
    private const byte BaselineProfile = 66;
    private const byte Constraints = 0xE0;

    /// <summary>nal_ref_idc 3 and nal_unit_type.</summary>
    private const byte SpsHeader = 0x60 | (byte)NalUnitType.SequenceParameterSet;
    private const byte PpsHeader = 0x60 | (byte)NalUnitType.PictureParameterSet;

    private const int MacroblockSize = 16;

    /// <summary>CropUnitX and CropUnitY of 4:2:0 frames (§7.4.2.1.1).</summary>
    private const int CropUnit = 2;

    /// <summary>Order of output is order of decoding, and the slices say nothing about it (§8.2.1.3).</summary>
    private const int PictureOrderCountType = 2;

    /// <summary>video_format 5, unspecified (Table E-2).</summary>
    private const int UnspecifiedFormat = 5;

    /// <summary>Primaries and transfer of BT.709, matrix_coefficients of BT.601: as the agent's encoders write them (§E.2.1).</summary>
    private const int Bt709 = 1;
    private const int Smpte170M = 6;

    /// <summary>pic_init_qp_minus26 counts from here (§7.4.2.2).</summary>
    private const int QuantizationOrigin = 26;

    /// <summary>Sequence parameter set 0 (H.264 §7.3.2.1.1, Annex E).</summary>
    public static void WriteSequence(RbspWriter writer, NoticeCanvas canvas, byte levelIdc)
    {
        writer.BeginNalUnit(SpsHeader);
        writer.Bits(BaselineProfile, 8);
        writer.Bits(Constraints, 8);
        writer.Bits(levelIdc, 8);
        writer.Unsigned(0); // seq_parameter_set_id
        writer.Unsigned(FrameNumberBits - 4); // log2_max_frame_num_minus4
        writer.Unsigned(PictureOrderCountType);
        writer.Unsigned(1); // max_num_ref_frames
        writer.Flag(false); // gaps_in_frame_num_value_allowed_flag
        writer.Unsigned((uint)canvas.MacroblocksAcross - 1);
        writer.Unsigned((uint)canvas.MacroblocksDown - 1);
        writer.Flag(true); // frame_mbs_only_flag
        writer.Flag(true); // direct_8x8_inference_flag, which constraint_set2_flag asks for (§A.2.3)
        var right = canvas.MacroblocksAcross * MacroblockSize - canvas.Width;
        var bottom = canvas.MacroblocksDown * MacroblockSize - canvas.Height;
        writer.Flag(right + bottom > 0); // frame_cropping_flag
        if (right + bottom > 0)
        {
            writer.Unsigned(0); // left
            writer.Unsigned((uint)right / CropUnit);
            writer.Unsigned(0); // top
            writer.Unsigned((uint)bottom / CropUnit);
        }
        WriteUsability(writer);
        writer.EndNalUnit();
    }

    /// <summary>Picture parameter set 0 (§7.3.2.2).</summary>
    public static void WritePicture(RbspWriter writer)
    {
        writer.BeginNalUnit(PpsHeader);
        writer.Unsigned(0); // pic_parameter_set_id
        writer.Unsigned(0); // seq_parameter_set_id
        writer.Flag(false); // entropy_coding_mode_flag: CAVLC
        writer.Flag(false); // bottom_field_pic_order_in_frame_present_flag
        writer.Unsigned(0); // num_slice_groups_minus1
        writer.Unsigned(0); // num_ref_idx_l0_default_active_minus1
        writer.Unsigned(0); // num_ref_idx_l1_default_active_minus1
        writer.Flag(false); // weighted_pred_flag
        writer.Bits(0, 2); // weighted_bipred_idc
        writer.Signed(FlatBlockSlice.QuantizationParameter - QuantizationOrigin); // pic_init_qp_minus26
        writer.Signed(0); // pic_init_qs_minus26
        writer.Signed(0); // chroma_qp_index_offset
        writer.Flag(true); // deblocking_filter_control_present_flag
        writer.Flag(false); // constrained_intra_pred_flag
        writer.Flag(false); // redundant_pic_cnt_present_flag
        writer.EndNalUnit();
    }

    /// <summary>vui_parameters (§E.1.1): colours, and that no decoder need wait for another picture.</summary>
    private static void WriteUsability(RbspWriter writer)
    {
        writer.Flag(true); // vui_parameters_present_flag
        writer.Flag(false); // aspect_ratio_info_present_flag
        writer.Flag(false); // overscan_info_present_flag
        writer.Flag(true); // video_signal_type_present_flag
        writer.Bits(UnspecifiedFormat, 3);
        writer.Flag(false); // video_full_range_flag
        writer.Flag(true); // colour_description_present_flag
        writer.Bits(Bt709, 8);
        writer.Bits(Bt709, 8);
        writer.Bits(Smpte170M, 8);
        writer.Flag(false); // chroma_loc_info_present_flag
        writer.Flag(false); // timing_info_present_flag
        writer.Flag(false); // nal_hrd_parameters_present_flag
        writer.Flag(false); // vcl_hrd_parameters_present_flag
        writer.Flag(false); // pic_struct_present_flag
        writer.Flag(true); // bitstream_restriction_flag
        writer.Flag(true); // motion_vectors_over_pic_boundaries_flag
        writer.Unsigned(0); // max_bytes_per_pic_denom: no limit said
        writer.Unsigned(0); // max_bits_per_mb_denom: no limit said
        writer.Unsigned(0); // log2_max_mv_length_horizontal: nothing moves
        writer.Unsigned(0); // log2_max_mv_length_vertical
        writer.Unsigned(0); // max_num_reorder_frames
        writer.Unsigned(1); // max_dec_frame_buffering
    }
}
