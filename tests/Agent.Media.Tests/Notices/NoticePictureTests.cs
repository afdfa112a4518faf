using Agent.Media.Notices;

namespace Agent.Media.Tests.Notices;

public sealed class NoticePictureTests
{
    private const int Seed = 20261122;
    private const byte Level = 31;

    private static readonly NoticeText Text = new("NO PICTURE", "Front door", "Unplugged", "Since 14:05");

    public static TheoryData<int, int> Sizes() => new()
    {
        { 16, 16 }, { 18, 34 }, { 176, 144 }, { 320, 240 }, { 640, 360 }, { 854, 480 }, { 1280, 720 }, { 720, 1280 }, { 1920, 1080 }, { 3840, 2160 },
        { 4096, 16 }, { 4096, 4096 },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void A_decoder_shows_the_canvas_exactly_in_the_keyframe_and_in_its_repeats(int width, int height)
    {
        var notice = new NoticePicture(width, height, Level, Text);
        var expected = Render(notice.Canvas);
        var decoded = FfmpegTool.Decode([.. notice.KeyFrame(), .. notice.Repeat(), .. notice.Repeat()]);
        Assert.Equal(3 * expected.Length, decoded.Length);
        for (var picture = 0; picture < 3; picture++)
            Assert.True(expected.AsSpan().SequenceEqual(decoded.AsSpan(picture * expected.Length, expected.Length)), $"picture {picture} differs");
    }

    [Theory]
    [InlineData(1, 0.02)]
    [InlineData(2, 0.2)]
    [InlineData(3, 0.5)]
    [InlineData(4, 1)]
    public void Any_cells_are_coded_without_loss(int round, double density)
    {
        // Every number and position of coefficients, and the largest levels, come up in some of these 768 macroblocks.
        var random = new Random(Seed + round);
        var canvas = new NoticeCanvas(512, 384, NoticeColour.Background);
        for (var row = 0; row < canvas.Rows; row++)
        {
            for (var column = 0; column < canvas.Columns; column++)
            {
                if (random.NextDouble() >= density) continue;
                canvas.Paint(column, row, new NoticeColour(Step(FlatBlockSlice.LumaStep), Step(FlatBlockSlice.ChromaStep), Step(FlatBlockSlice.ChromaStep)));
            }
        }
        var notice = new NoticePicture(canvas, Level);
        Assert.Equal(Render(canvas), FfmpegTool.Decode(notice.KeyFrame().ToArray()));

        byte Step(int size) => (byte)(random.Next(256 / size) * size);
    }

    [Fact]
    public void Every_repeat_decodes_to_the_same_picture_past_the_wrap_of_the_frame_number()
    {
        const int Repeats = 300;
        var notice = new NoticePicture(320, 180, Level, Text);
        var stream = new MemoryStream();
        stream.Write(notice.KeyFrame());
        for (var i = 0; i < Repeats; i++) stream.Write(notice.Repeat());
        stream.Write(notice.KeyFrame());
        stream.Write(notice.KeyFrame());
        stream.Write(notice.Repeat());
        var expected = Render(notice.Canvas);
        var decoded = FfmpegTool.Decode(stream.ToArray());
        Assert.Equal((Repeats + 4) * expected.Length, decoded.Length);
        foreach (var picture in decoded.Chunk(expected.Length)) Assert.True(expected.AsSpan().SequenceEqual(picture));

        var headers = FfmpegTool.TraceHeaders(stream.ToArray());
        Assert.Equal([.. Enumerable.Range(0, Repeats + 1).Select(static i => i % 256), 0, 0, 1], FfmpegTool.Values(headers, "frame_num"));
        var idrPictures = FfmpegTool.Values(headers, "idr_pic_id");
        Assert.Equal(3, idrPictures.Count);
        Assert.NotEqual(idrPictures[0], idrPictures[1]);
        Assert.NotEqual(idrPictures[1], idrPictures[2]);
    }

    [Theory]
    [InlineData(640, 360, 30)]
    [InlineData(1920, 1080, 40)]
    public void The_stream_says_what_it_is(int width, int height, byte level)
    {
        var notice = new NoticePicture(width, height, level, Text);
        byte[] stream = [.. notice.KeyFrame(), .. notice.Repeat(), .. notice.Repeat()];
        Assert.Equal(
            $"profile=Constrained Baseline\nwidth={width}\nheight={height}\nhas_b_frames=0\npix_fmt=yuv420p\nlevel={level}\ncolor_range=tv\n" +
            "color_space=smpte170m\ncolor_transfer=bt709\ncolor_primaries=bt709\nrefs=1",
            FfmpegTool.Probe(
                "-show_entries stream=profile,width,height,has_b_frames,pix_fmt,level,color_range,color_space,color_transfer,color_primaries,refs " +
                "-of default=noprint_wrappers=1", stream));
        Assert.Equal("I\nP\nP", FfmpegTool.Probe("-show_entries frame=pict_type -of csv=p=0", stream));
        var headers = FfmpegTool.TraceHeaders(stream);
        Assert.Equal([0], FfmpegTool.Values(headers, "max_num_reorder_frames").Distinct());
        Assert.Equal([1], FfmpegTool.Values(headers, "disable_deblocking_filter_idc").Distinct());

        var position = 0;
        Assert.True(NalUnit.TryFindNext(stream, ref position, out var range));
        Assert.True(SpsReader.TryRead(stream.AsSpan(range), out var sps));
        Assert.Equal(($"42e0{level:x2}", width, height, 8, 1), (sps.ProfileLevelId, sps.Width, sps.Height, sps.BitDepthLuma, sps.ChromaFormatIdc));
    }

    [Fact]
    public void A_keyframe_is_an_access_unit_with_its_parameter_sets_and_a_repeat_is_not_one()
    {
        var notice = new NoticePicture(640, 360, Level, Text);
        var pool = new AccessUnitPool();
        var keyFrame = pool.Create(notice.KeyFrame(), default);
        Assert.True(keyFrame.IsKeyFrame);
        Assert.Equal(3, keyFrame.NalUnits.Length);
        Assert.False(keyFrame.FindNalUnit(NalUnitType.SequenceParameterSet).IsEmpty);
        Assert.False(keyFrame.FindNalUnit(NalUnitType.PictureParameterSet).IsEmpty);
        var repeat = pool.Create(notice.Repeat(), default);
        Assert.False(repeat.IsKeyFrame);
        Assert.Equal(1, repeat.NalUnits.Length);
    }

    [Theory]
    [InlineData(640, 360, 4_000)]
    [InlineData(1280, 720, 10_000)]
    [InlineData(1920, 1080, 20_000)]
    public void It_is_small(int width, int height, int most)
    {
        var notice = new NoticePicture(width, height, Level, Text);
        Assert.InRange(notice.KeyFrame().Length, 100, most);
        Assert.InRange(notice.Repeat().Length, 8, 16);
    }

    [Fact]
    public void Sending_it_allocates_nothing()
    {
        var notice = new NoticePicture(640, 360, Level, Text);
        var bytes = 0L;
        Send(10);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Send(10_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(bytes > 0);

        void Send(int count)
        {
            for (var i = 0; i < count; i++) bytes += i % 30 == 0 ? notice.KeyFrame().Length : notice.Repeat().Length;
        }
    }

    [Theory]
    [InlineData(14, 64)]
    [InlineData(64, 14)]
    [InlineData(65, 64)]
    [InlineData(64, 65)]
    [InlineData(4098, 64)]
    [InlineData(64, 4098)]
    public void Sizes_that_it_cannot_have_are_refused(int width, int height)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => new NoticePicture(width, height, Level, Text));
        Assert.Contains($"{width}x{height}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Repeating_before_the_keyframe_is_a_bug_and_says_so()
    {
        var notice = new NoticePicture(64, 64, Level, Text);
        Assert.Throws<InvalidOperationException>(() => notice.Repeat().Length);
    }

    /// <summary>The canvas as YU12.</summary>
    private static byte[] Render(NoticeCanvas canvas)
    {
        var picture = new byte[canvas.Width * canvas.Height * 3 / 2];
        var luma = canvas.Width * canvas.Height;
        RenderPlane(canvas.Luma, canvas.LumaStride, canvas.Width, picture.AsSpan(0, luma));
        RenderPlane(canvas.Cb, canvas.ChromaStride, canvas.Width / 2, picture.AsSpan(luma, luma / 4));
        RenderPlane(canvas.Cr, canvas.ChromaStride, canvas.Width / 2, picture.AsSpan(luma + luma / 4));
        return picture;
    }

    private static void RenderPlane(ReadOnlySpan<byte> cells, int stride, int width, Span<byte> plane)
    {
        for (var i = 0; i < plane.Length; i++)
            plane[i] = cells[i / width / NoticeCanvas.CellSize * stride + i % width / NoticeCanvas.CellSize];
    }
}
