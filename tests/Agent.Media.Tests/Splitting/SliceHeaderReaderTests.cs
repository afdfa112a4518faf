using Agent.Media.Splitting;

namespace Agent.Media.Tests.Splitting;

public sealed class SliceHeaderReaderTests
{
    private const byte SpsHeader = 0x67;
    private const byte PpsHeader = 0x68;
    private const byte Baseline = 66;

    private static List<byte[]> NalUnits(byte[] stream)
    {
        var found = new List<byte[]>();
        var position = 0;
        while (NalUnit.TryFindNext(stream, ref position, out var range)) found.Add(stream[range]);
        return found;
    }

    /// <summary>One NAL unit, without start code.</summary>
    private static byte[] Write(byte header, Action<RbspWriter> content)
    {
        var writer = new RbspWriter();
        writer.BeginNalUnit(header);
        content(writer);
        writer.EndNalUnit();
        return NalUnits(writer.Written.ToArray()).Single();
    }

    /// <summary>Sequence parameter set 3: frame_num of 16 bits, pictures of 64x64, of frames or fields.</summary>
    private static byte[] SequenceSet(Action<RbspWriter> orderCount, bool hasFields) => Write(SpsHeader, writer =>
    {
        writer.Bits(Baseline, 8);
        writer.Bits(0, 8);
        writer.Bits(30, 8);
        writer.Unsigned(3);
        writer.Unsigned(12);
        orderCount(writer);
        writer.Unsigned(1);
        writer.Flag(false);
        writer.Unsigned(3);
        writer.Unsigned(hasFields ? 1u : 3u);
        writer.Flag(!hasFields);
        if (hasFields) writer.Flag(false);
        writer.Flag(true);
        writer.Flag(false);
        writer.Flag(false);
    });

    /// <summary>Picture parameter set 200, of sequence parameter set 3, with delta_pic_order_cnt_bottom or delta_pic_order_cnt[1].</summary>
    private static byte[] PictureSet() => Write(PpsHeader, static writer =>
    {
        writer.Unsigned(200);
        writer.Unsigned(3);
        writer.Flag(false);
        writer.Flag(true);
        writer.Bits(0, 8);
    });

    [Theory]
    [InlineData("-profile:v baseline -x264-params slices=4:keyint=10")]
    [InlineData("-profile:v high -bf 2 -x264-params slices=2:keyint=10:interlaced=1")]
    public void Slices_of_x264_read_as_ffmpeg_reads_them(string encoding)
    {
        var stream = FfmpegTool.Run(
            "ffmpeg", $"-v error -f lavfi -i testsrc=size=128x128:rate=25 -frames:v 40 -pix_fmt yuv420p -c:v libx264 {encoding} -f h264 -").Output;
        var reader = new SliceHeaderReader();
        var headers = new List<SliceHeader>();
        foreach (var nalUnit in NalUnits(stream))
        {
            reader.Learn(nalUnit);
            if (NalUnit.TypeOf(nalUnit[0]) is not (NalUnitType.IdrSlice or NalUnitType.NonIdrSlice)) continue;
            Assert.True(reader.TryRead(nalUnit, out var header));
            headers.Add(header);
        }
        Assert.True(headers.Count >= 80);
        var trace = FfmpegTool.TraceHeaders(stream);
        Assert.Equal(FfmpegTool.Values(trace, "first_mb_in_slice"), headers.Select(static header => (int)header.FirstMacroblock));
        Assert.Equal(FfmpegTool.Values(trace, "frame_num"), headers.Select(static header => (int)header.FrameNumber));
        Assert.Equal(FfmpegTool.Values(trace, "idr_pic_id"), headers.Where(static header => header.IsIdr).Select(static header => (int)header.IdrPictureId));
        // x264 writes the order count with all but streams of I and P pictures that are output as they are decoded.
        var orderCounts = FfmpegTool.Values(trace, "pic_order_cnt_lsb");
        if (orderCounts.Count > 0) Assert.Equal(orderCounts, headers.Select(static header => (int)header.OrderCount));
        Assert.Equal(encoding.Contains("-bf", StringComparison.Ordinal), orderCounts.Count > 0);
    }

    [Fact]
    public void Fields_and_both_deltas_of_the_first_order_count_type_are_read()
    {
        var reader = new SliceHeaderReader();
        reader.Learn(SequenceSet(static writer =>
        {
            writer.Unsigned(0);
            writer.Unsigned(12);
        }, hasFields: true));
        reader.Learn(PictureSet());
        var frame = Write(0x65, static writer =>
        {
            Start(writer, first: 5);
            writer.Bits(0, 16);
            writer.Flag(false); // field_pic_flag
            writer.Unsigned(65535);
            writer.Bits(3, 16);
            writer.Signed(-7);
        });
        AssertReads(reader, frame, new SliceHeader(5, 200, true, true, FrameNumber: 0, Field: 0, 65535, OrderCount: 3, OrderCountDelta0: -7));
        var field = Write(0x01, static writer =>
        {
            Start(writer, first: 0);
            writer.Bits(0xABCD, 16);
            writer.Flag(true);
            writer.Flag(true); // bottom_field_flag
            writer.Bits(0x0101, 16);
        });
        AssertReads(reader, field, new SliceHeader(0, 200, false, false, FrameNumber: 0xABCD, Field: 2, OrderCount: 0x0101));
    }

    [Fact]
    public void Deltas_of_the_second_order_count_type_are_read()
    {
        var reader = new SliceHeaderReader();
        reader.Learn(SequenceSet(static writer =>
        {
            writer.Unsigned(1);
            writer.Flag(false); // delta_pic_order_always_zero_flag
            writer.Signed(1);
            writer.Signed(-1);
            writer.Unsigned(0);
        }, hasFields: false));
        reader.Learn(PictureSet());
        var slice = Write(0x41, static writer =>
        {
            Start(writer, first: 1);
            writer.Bits(9, 16);
            writer.Signed(1000);
            writer.Signed(-1000);
        });
        AssertReads(reader, slice, new SliceHeader(1, 200, true, false, FrameNumber: 9, OrderCountDelta0: 1000, OrderCountDelta1: -1000));
    }

    [Fact]
    public void Without_parameter_sets_the_first_fields_are_read_and_numbers_out_of_range_are_refused()
    {
        var reader = new SliceHeaderReader();
        Assert.True(reader.TryRead(Write(0x41, static writer => Start(writer, first: 7)), out var header));
        Assert.Equal(new SliceHeader(7, 200, true, false), header);
        Assert.False(reader.TryRead(
            Write(0x41, static writer =>
            {
                writer.Unsigned(0);
                writer.Unsigned(5);
                writer.Unsigned(256);
            }), out _));
        Assert.False(reader.TryRead([], out _));
    }

    [Fact]
    public void Another_picture_begins_where_any_field_differs_or_the_first_macroblock_comes_again()
    {
        var last = new SliceHeader(10, 1, true, true, 3, 1, 4, 5, 6, 7);
        Assert.False((last with { FirstMacroblock = 20 }).BeginsPictureAfter(last));
        foreach (var other in (SliceHeader[])[
            last with { FirstMacroblock = 0 }, last with { PictureParameterSet = 2 }, last with { IsReference = false }, last with { IsIdr = false },
            last with { FrameNumber = 4 }, last with { Field = 2 }, last with { IdrPictureId = 5 }, last with { OrderCount = 6 },
            last with { OrderCountDelta0 = 7 }, last with { OrderCountDelta1 = 8 }])
            Assert.True(other.BeginsPictureAfter(last), other.ToString());
    }

    private static void Start(RbspWriter writer, uint first)
    {
        writer.Unsigned(first);
        writer.Unsigned(5); // slice_type
        writer.Unsigned(200);
    }

    /// <summary>It reads as expected whole, and cut anywhere it is refused or reads the same.</summary>
    private static void AssertReads(SliceHeaderReader reader, byte[] nalUnit, SliceHeader expected)
    {
        Assert.True(reader.TryRead(nalUnit, out var header));
        Assert.Equal(expected, header);
        var refused = 0;
        for (var length = 0; length < nalUnit.Length; length++)
        {
            if (reader.TryRead(nalUnit.AsSpan(0, length), out var cut)) Assert.Equal(expected, cut);
            else refused++;
        }
        Assert.InRange(refused, nalUnit.Length - 1, nalUnit.Length);
    }
}
