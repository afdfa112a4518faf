namespace Agent.Media.Notices;

/// <summary>
/// A still picture with a text as an H.264 stream that costs nothing to make: an IDR access unit coded once, and access units in which
/// every macroblock is skipped. Constrained Baseline (profile-level-id 42e0xx), no encoder needed. For one thread.
/// </summary>
public sealed class NoticePicture
{
    public const int MinimumSide = 16;
    public const int MaximumSide = 4096;

    private const int FrameNumberModulus = 1 << NoticeParameterSets.FrameNumberBits;

    /// <summary>
    /// idr_pic_id of two IDR pictures in a row must differ (H.264 §7.4.3). The largest two: encoders count from zero, so that the camera's
    /// own IDR before or after is unlikely to have the same.
    /// </summary>
    private const uint LargestIdrPictureId = 65535;

    /// <summary>nal_ref_idc 2 and nal_unit_type. Repeats are references too: order count type 2 forbids two others in a row (§7.4.2.1.1).</summary>
    private const byte IdrHeader = 0x40 | (byte)NalUnitType.IdrSlice;
    private const byte RepeatHeader = 0x40 | (byte)NalUnitType.NonIdrSlice;

    /// <summary>slice_type of pictures that hold one kind only (Table 7-6).</summary>
    private const int AllPredicted = 5;
    private const int AllIntra = 7;

    /// <summary>disable_deblocking_filter_idc: no filter (§7.4.3).</summary>
    private const int NoDeblocking = 1;

    private readonly byte[][] _keyFrames;
    private readonly RbspWriter _repeat = new();
    private readonly uint _macroblocks;
    private int _nextKeyFrame;
    private int? _frameNumber;

    /// <param name="width">Pixels: even, from <see cref="MinimumSide"/> to <see cref="MaximumSide"/>.</param>
    /// <param name="height">Pixels: the same.</param>
    /// <param name="levelIdc">Ten times the level that the stream claims; one that holds pictures of this size (H.264 Table A-1).</param>
    /// <param name="text">What it says.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is odd, too small or too large.</exception>
    public NoticePicture(int width, int height, byte levelIdc, NoticeText text)
        : this(Draw(width, height, text), levelIdc)
    {
    }

    internal NoticePicture(NoticeCanvas canvas, byte levelIdc)
    {
        Canvas = canvas;
        _macroblocks = (uint)(canvas.MacroblocksAcross * canvas.MacroblocksDown);
        _keyFrames = [EncodeKeyFrame(canvas, levelIdc, LargestIdrPictureId - 1), EncodeKeyFrame(canvas, levelIdc, LargestIdrPictureId)];
    }

    /// <summary>What every decoded picture looks like, exactly.</summary>
    internal NoticeCanvas Canvas { get; }

    /// <summary>The IDR access unit with its parameter sets (Annex B); starts the stream and may come again at any time.</summary>
    public ReadOnlySpan<byte> KeyFrame()
    {
        _frameNumber = 0;
        _nextKeyFrame ^= 1;
        return _keyFrames[_nextKeyFrame];
    }

    /// <summary>The next access unit (Annex B), which shows the same picture again; valid until the next call.</summary>
    /// <exception cref="InvalidOperationException">There has been no <see cref="KeyFrame"/> yet: a bug.</exception>
    public ReadOnlySpan<byte> Repeat()
    {
        var frameNumber = (_frameNumber ?? throw new InvalidOperationException("a notice was repeated before its keyframe")) + 1;
        frameNumber %= FrameNumberModulus;
        _frameNumber = frameNumber;
        _repeat.Clear();
        _repeat.BeginNalUnit(RepeatHeader);
        WriteSliceStart(_repeat, AllPredicted, (uint)frameNumber);
        _repeat.Flag(false); // num_ref_idx_active_override_flag
        _repeat.Flag(false); // ref_pic_list_modification_flag_l0
        _repeat.Flag(false); // adaptive_ref_pic_marking_mode_flag
        WriteSliceEnd(_repeat);
        _repeat.Unsigned(_macroblocks); // mb_skip_run
        _repeat.EndNalUnit();
        return _repeat.Written;
    }

    private static NoticeCanvas Draw(int width, int height, NoticeText text)
    {
        foreach (var side in (ReadOnlySpan<int>)[width, height])
        {
            if (side is < MinimumSide or > MaximumSide || side % 2 != 0)
                throw new ArgumentOutOfRangeException(
                    nameof(width), $"a notice cannot be {width}x{height}: both sides must be even and from {MinimumSide} to {MaximumSide}");
        }
        var canvas = new NoticeCanvas(width, height, NoticeColour.Background);
        NoticeLayout.Draw(canvas, text);
        return canvas;
    }

    private static byte[] EncodeKeyFrame(NoticeCanvas canvas, byte levelIdc, uint idrPictureId)
    {
        var writer = new RbspWriter();
        NoticeParameterSets.WriteSequence(writer, canvas, levelIdc);
        NoticeParameterSets.WritePicture(writer);
        writer.BeginNalUnit(IdrHeader);
        WriteSliceStart(writer, AllIntra, frameNumber: 0);
        writer.Unsigned(idrPictureId);
        writer.Flag(false); // no_output_of_prior_pics_flag
        writer.Flag(false); // long_term_reference_flag
        WriteSliceEnd(writer);
        FlatBlockSlice.Write(writer, canvas);
        writer.EndNalUnit();
        return writer.Written.ToArray();
    }

    /// <summary>The fields of slice_header that all slices begin with (§7.3.3).</summary>
    private static void WriteSliceStart(RbspWriter writer, uint sliceType, uint frameNumber)
    {
        writer.Unsigned(0); // first_mb_in_slice
        writer.Unsigned(sliceType);
        writer.Unsigned(0); // pic_parameter_set_id
        writer.Bits(frameNumber, NoticeParameterSets.FrameNumberBits);
    }

    /// <summary>The fields of slice_header that all slices end with.</summary>
    private static void WriteSliceEnd(RbspWriter writer)
    {
        writer.Signed(0); // slice_qp_delta
        writer.Unsigned(NoDeblocking);
    }
}
