namespace Agent.Media.Splitting;

/// <summary>
/// The fields of a slice header by which the first slice of a picture is told from the others (H.264 §7.4.1.2.4). What the stream does not
/// carry is zero.
/// </summary>
/// <param name="FirstMacroblock">first_mb_in_slice.</param>
/// <param name="PictureParameterSet">pic_parameter_set_id.</param>
/// <param name="IsReference">nal_ref_idc is not 0.</param>
/// <param name="IsIdr">nal_unit_type is 5.</param>
/// <param name="FrameNumber">frame_num.</param>
/// <param name="Field">0 a frame, 1 a top field, 2 a bottom field.</param>
/// <param name="IdrPictureId">idr_pic_id.</param>
/// <param name="OrderCount">pic_order_cnt_lsb.</param>
/// <param name="OrderCountDelta0">delta_pic_order_cnt_bottom or delta_pic_order_cnt[0], of which a stream has one at most.</param>
/// <param name="OrderCountDelta1">delta_pic_order_cnt[1].</param>
internal readonly record struct SliceHeader(
    uint FirstMacroblock, uint PictureParameterSet, bool IsReference, bool IsIdr, uint FrameNumber = 0, int Field = 0, uint IdrPictureId = 0,
    uint OrderCount = 0, int OrderCountDelta0 = 0, int OrderCountDelta1 = 0)
{
    /// <summary>
    /// True if this slice, coming after the other, begins another picture: a field differs, or the picture starts over. Pictures start over
    /// with the same fields only where an encoder numbers them wrongly; arbitrary slice order and redundant slices, which start over
    /// rightly, are in no profile that browsers decode.
    /// </summary>
    public bool BeginsPictureAfter(SliceHeader other) => FirstMacroblock == 0 || this with { FirstMacroblock = other.FirstMacroblock } != other;
}
