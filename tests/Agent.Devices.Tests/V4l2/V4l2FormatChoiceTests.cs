using Agent.Devices.Sources;
using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Tests.V4l2;

public sealed class V4l2FormatChoiceTests
{
    /// <summary>A usual webcam: raw frames are fast only when small, JPEG is fast always.</summary>
    private static readonly Offer[] Webcam =
    [
        new(V4L2_PIX_FMT_YUYV, 640, 480, 30),
        new(V4L2_PIX_FMT_YUYV, 1280, 720, 10),
        new(V4L2_PIX_FMT_MJPEG, 640, 480, 30),
        new(V4L2_PIX_FMT_MJPEG, 1280, 720, 30),
        new(V4L2_PIX_FMT_H264, 1280, 720, 30),
    ];

    [Theory]
    [InlineData(1280, 720, 30, null, V4L2_PIX_FMT_MJPEG, 1280, 720)]
    [InlineData(1280, 720, 10, null, V4L2_PIX_FMT_YUYV, 1280, 720)]
    [InlineData(640, 480, 30, null, V4L2_PIX_FMT_YUYV, 640, 480)]
    [InlineData(1920, 1080, 30, null, V4L2_PIX_FMT_MJPEG, 1280, 720)]
    [InlineData(320, 240, 30, null, V4L2_PIX_FMT_YUYV, 640, 480)]
    [InlineData(1280, 720, 30, "YUYV", V4L2_PIX_FMT_YUYV, 1280, 720)]
    [InlineData(640, 480, 30, "mjpg", V4L2_PIX_FMT_MJPEG, 640, 480)]
    [InlineData(640, 480, 30, "H264", V4L2_PIX_FMT_H264, 1280, 720)]
    public void Size_counts_most_then_rate_then_format(
        int width, int height, int rate, string? forced, uint fourCc, uint chosenWidth, uint chosenHeight)
    {
        var own = forced == "H264" ? OwnH264Use.WhereItServes : OwnH264Use.Never;

        var choice = Choose(Webcam, width, height, rate, forced, own);

        Assert.Equal((fourCc, chosenWidth, chosenHeight), (choice!.Value.Format.FourCc, choice.Value.Width, choice.Value.Height));
    }

    [Theory]
    [InlineData(1280, 720, 30, V4L2_PIX_FMT_H264)]
    [InlineData(1280, 720, 15, V4L2_PIX_FMT_YUYV)] // YUYV's 10 frames a second are nearer
    [InlineData(640, 480, 30, V4L2_PIX_FMT_YUYV)] // H264 is larger than wished
    public void Own_H264_is_taken_where_size_and_rate_are_no_worse(int width, int height, int rate, uint fourCc) =>
        Assert.Equal(fourCc, Choose(Webcam, width, height, rate, own: OwnH264Use.WhereItServes)!.Value.Format.FourCc);

    [Fact]
    public void Only_own_H264_will_do_when_it_must_be_passed_through()
    {
        Assert.Equal(PixelFormat.H264, Choose(Webcam, 640, 480, 30, own: OwnH264Use.Always)!.Value.Format.PixelFormat);
        Assert.Null(Choose(Webcam[..4], 640, 480, 30, own: OwnH264Use.Always));
        Assert.Null(Choose(Webcam[4..], 640, 480, 30, own: OwnH264Use.Never));
        Assert.Null(Choose(Webcam, 640, 480, 30, "H264", OwnH264Use.Never));
    }

    [Theory]
    [InlineData("", OwnH264Use.Always, "makes no H264 of its own to pass through")]
    [InlineData("MJPG", OwnH264Use.Always, "exclude one another")]
    [InlineData("NV12", OwnH264Use.Never, "set 'pixelFormat' to one of these")]
    [InlineData("H264", OwnH264Use.Never, "leaves nothing to encode")]
    public void A_refusal_names_the_offer_and_the_mend(string forced, OwnH264Use own, string mend)
    {
        var options = new VideoSourceOptions { Path = "/dev/video0", PixelFormat = forced.Length == 0 ? null : forced };

        var message = V4l2Failure.NoFormat(options, own, [V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_MJPEG], "uvcvideo").Message;

        Assert.StartsWith("camera /dev/video0: offers YUYV, MJPG; ", message, StringComparison.Ordinal);
        Assert.Contains(mend, message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_encoder_reads_in_place_goes_before_the_usual_order()
    {
        uint[] listed = [V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_YUV420, V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_MJPEG];
        var offers = Array.ConvertAll(listed, fourCc => new Offer(fourCc, 640, 480, 30));
        var demand = SourceDemand.Default with { ReadInPlace = [PixelFormat.Yuyv, PixelFormat.Yu12] };

        Assert.Equal(PixelFormat.Yuyv, Choose(offers, demand)!.Value.Format.PixelFormat);
        Assert.Equal(PixelFormat.Yu12, Choose([.. offers.Where(offer => offer.FourCc != V4L2_PIX_FMT_YUYV)], demand)!.Value.Format.PixelFormat);
        Assert.Equal(PixelFormat.Mjpg, Choose(offers[3..], demand)!.Value.Format.PixelFormat);
    }

    [Fact]
    public void Formats_an_encoder_takes_as_they_are_come_first_whatever_the_driver_lists_first()
    {
        uint[] listed = [V4L2_PIX_FMT_MJPEG, V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_YUV420, V4L2_PIX_FMT_NV12];
        var offers = Array.ConvertAll(listed, fourCc => new Offer(fourCc, 640, 480, 30));

        Assert.Equal(
            listed.Reverse(),
            Enumerable.Range(0, 4).Select(dropped => Choose([.. offers.SkipLast(dropped)], 640, 480, 30)!.Value.Format.FourCc));
    }

    [Fact]
    public void A_memory_layout_can_be_forced_by_its_own_code()
    {
        Offer[] offers = [new(V4L2_PIX_FMT_NV12, 640, 480, 30), new(V4L2_PIX_FMT_NV12M, 640, 480, 30)];

        Assert.Equal(V4L2_PIX_FMT_NV12, Choose(offers, 640, 480, 30, "NV12")!.Value.Format.FourCc);
        Assert.Equal(2, Choose(offers, 640, 480, 30, "NM12")!.Value.Format.MemoryPlanes);
    }

    [Fact]
    public void Nothing_is_chosen_when_no_format_fits()
    {
        Assert.Null(Choose([new(0x41424752, 640, 480, 30)], 640, 480, 30));
        Assert.Null(Choose(Webcam, 640, 480, 30, "NV12"));
    }

    [Fact]
    public void Ranges_are_met_at_the_step_below_the_wish()
    {
        var choice = V4l2FormatChoice.Nearest(
            [V4L2_PIX_FMT_YUV420],
            _ => [new V4l2SizeRange(32, 2592, 32, 32, 1944, 2)],
            (_, _, _) => [new V4l2IntervalRange(Interval(1, 90), Interval(1, 1))],
            new VideoSourceOptions { Width = 1290, Height = 721, FrameRate = 25 },
            SourceDemand.Default)!.Value;

        Assert.Equal((1280u, 720u, 1u, 25u), (choice.Width, choice.Height, choice.Interval.numerator, choice.Interval.denominator));
    }

    [Fact]
    public void The_wish_is_tried_when_the_driver_lists_neither_sizes_nor_rates()
    {
        var wish = new VideoSourceOptions { Width = 800, Height = 600 };

        var choice = V4l2FormatChoice.Nearest([V4L2_PIX_FMT_YUYV], _ => [], (_, _, _) => [], wish, SourceDemand.Default)!.Value;

        Assert.Equal((800u, 600u, 0u), (choice.Width, choice.Height, choice.Interval.numerator));
    }

    [Theory]
    [InlineData(30, 30_000, 1_001)]
    [InlineData(120, 60, 1)]
    [InlineData(1, 5, 1)]
    public void The_nearest_rate_is_asked_for_as_the_driver_writes_it(int wish, uint denominator, uint numerator)
    {
        V4l2IntervalRange[] intervals = [Single(Interval(1, 5)), Single(Interval(1_001, 30_000)), Single(Interval(1, 60))];

        var choice = V4l2FormatChoice.Nearest(
            [V4L2_PIX_FMT_YUYV], _ => [], (_, _, _) => intervals, new VideoSourceOptions { FrameRate = wish }, SourceDemand.Default)!.Value;

        Assert.Equal((denominator, numerator), (choice.Interval.denominator, choice.Interval.numerator));
    }

    private static V4l2FormatChoice? Choose(
        Offer[] offers, int width, int height, int rate, string? forced = null, OwnH264Use own = OwnH264Use.WhereItServes) =>
        Choose(offers, SourceDemand.Default with { OwnH264 = own }, new() { Width = width, Height = height, FrameRate = rate, PixelFormat = forced });

    private static V4l2FormatChoice? Choose(Offer[] offers, SourceDemand demand, VideoSourceOptions? wish = null) =>
        V4l2FormatChoice.Nearest(
            [.. offers.Select(offer => offer.FourCc).Distinct()],
            fourCc => [.. offers.Where(offer => offer.FourCc == fourCc).Select(offer => offer.Size).Distinct()],
            (fourCc, w, h) =>
                [.. offers.Where(offer => (offer.FourCc, offer.Width, offer.Height) == (fourCc, w, h)).Select(offer => offer.Interval)],
            wish ?? new VideoSourceOptions { Width = 640, Height = 480 },
            demand);

    private static v4l2_fract Interval(uint numerator, uint denominator) => new() { numerator = numerator, denominator = denominator };

    private static V4l2IntervalRange Single(v4l2_fract interval) => new(interval, interval);

    private sealed record Offer(uint FourCc, uint Width, uint Height, uint Rate)
    {
        public V4l2SizeRange Size => new(Width, Width, 1, Height, Height, 1);

        public V4l2IntervalRange Interval => Single(V4l2FormatChoiceTests.Interval(1, Rate));
    }
}
