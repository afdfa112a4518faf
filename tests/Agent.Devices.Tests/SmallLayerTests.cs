using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using Agent.Media;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Devices.Tests;

/// <summary>The smaller stream that a camera makes for viewers with thin links, beside its own.</summary>
public sealed class SmallLayerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly VideoFormat Vga = new(PixelFormat.Yu12, 640, 360, 30, 1);

    private static CameraOptions Options(VideoEncoderKind kind = VideoEncoderKind.Auto, SmallLayerSize size = SmallLayerSize.Half) => new()
    {
        Name = "porch",
        Source = new VideoSourceOptions { Kind = VideoSourceKind.Test, Width = 640, Height = 360, FrameRate = 30 },
        Encoder = new VideoEncoderOptions { Kind = kind },
        SmallLayer = size,
    };

    private static SequenceParameterSet ReadSps(CollectingSubscriber.Collected unit)
    {
        var position = 0;
        while (NalUnit.TryFindNext(unit.Data, ref position, out var range))
        {
            if (SpsReader.TryRead(unit.Data.AsSpan()[range], out var sps)) return sps;
        }
        throw new InvalidOperationException("no SPS");
    }

    [Fact]
    public void Both_layers_of_the_test_camera_are_decoded_and_show_the_same_instant_at_their_sizes()
    {
        using var pipeline = new CameraPipeline(Options(VideoEncoderKind.OpenH264), NullLoggerFactory.Instance);
        var main = new CollectingSubscriber();
        pipeline.Hub.Subscribe(main);
        pipeline.Start();
        main.WaitFor(2);
        var layer = pipeline.Hub.SmallLayer;
        Assert.NotNull(layer);
        Assert.Null(pipeline.GetStatus().Layers[1].Encoder);
        var small = new CollectingSubscriber();
        layer.Subscribe(small);
        var units = small.WaitFor(15);
        Assert.True(units[0].IsKeyFrame);
        Assert.Equal((320, 180), (ReadSps(units[0]).Width, ReadSps(units[0]).Height));
        Assert.True(ReadSps(units[0]).LevelIdc <= ReadSps(main.All[0]).LevelIdc);
        Assert.All(units.Zip(units.Skip(1)), static pair => Assert.True(pair.Second.CapturedAt > pair.First.CapturedAt));
        var pictures = FfmpegTool.Decode(small.Stream);
        Assert.Equal(0, pictures.Length % (320 * 180 * 3 / 2));
        Assert.True(Timecode.TryRead(pictures.AsSpan(0, 320 * 180 * 3 / 2), 320, 320, 180, out var timecode));
        Assert.InRange(DateTimeOffset.UtcNow - DateTimeOffset.FromUnixTimeMilliseconds(timecode.UnixMilliseconds), TimeSpan.Zero, TimeSpan.FromMinutes(1));
        // What is captured at one instant has one timestamp in both.
        Assert.NotEmpty(main.All.Select(static unit => unit.CapturedAt).Intersect(units.Select(static unit => unit.CapturedAt)));
        var status = pipeline.GetStatus().Layers;
        Assert.Equal([("main", 640, 360), ("small", 320, 180)], status.Select(static layer => (layer.Name, layer.Width, layer.Height)));
        Assert.Equal("libopenh264", status[1].Encoder);

        layer.Unsubscribe(small);
        Wait.Until(() => pipeline.GetStatus().Layers[1].Encoder is null, "its encoder is closed");
        layer.Subscribe(small);
        var before = small.All.Count;
        Assert.True(small.WaitFor(before + 1)[before].IsKeyFrame);
    }

    [Theory]
    [InlineData(PixelFormat.Yuyv)]
    [InlineData(PixelFormat.Nv12)]
    [InlineData(PixelFormat.Yu12)]
    public void Every_raw_format_becomes_a_picture_of_half_and_of_a_quarter_of_its_sides(PixelFormat format)
    {
        // Grey levels that grow from left to right, with one colour.
        const int width = 722, height = 402, cb = 90, cr = 200;
        static byte Luma(int x) => (byte)(16 + (x / 4));
        var chroma = new byte[width * height / 4];
        var luma = Enumerable.Range(0, width * height).Select(static i => Luma(i % width)).ToArray();
        byte[] bytes = format switch
        {
            PixelFormat.Yuyv => [.. luma.SelectMany(static (y, i) => new[] { y, (byte)(i % 2 == 0 ? cb : cr) })],
            PixelFormat.Nv12 => [.. luma, .. chroma.SelectMany(static _ => new byte[] { cb, cr })],
            _ => [.. luma, .. chroma.Select(static _ => (byte)cb), .. chroma.Select(static _ => (byte)cr)],
        };
        foreach (var divisor in new[] { 2, 4 })
        {
            var source = new VideoFormat(format, width, height, 30, 1);
            var picture = new SmallPicture(source, divisor);
            Assert.True(picture.IsFree);
            picture.Take(new RawFrame(source, bytes, TimeSpan.FromSeconds(3)));
            Assert.False(picture.IsFree);
            JpegPictureDecoder? none = null;
            using (var small = picture.Finish(ref none)!)
            {
                Assert.Equal((PixelFormat.Yu12, width / divisor & ~1, height / divisor & ~1), (small.Format.PixelFormat, small.Format.Width, small.Format.Height));
                Assert.Equal(TimeSpan.FromSeconds(3), small.CapturedAt);
                for (var x = 0; x < small.Format.Width; x++)
                {
                    Assert.InRange(small.GetPlane(0)[(17 * small.GetBytesPerLine(0)) + x] - Luma(x * divisor), 0, 1);
                    Assert.Equal((cb, cr), (small.GetPlane(1)[(9 * small.GetBytesPerLine(1)) + (x / 2)], small.GetPlane(2)[(9 * small.GetBytesPerLine(2)) + (x / 2)]));
                }
            }
            Assert.True(picture.IsFree);
            Assert.Null(none);
        }
    }

    [Theory]
    [InlineData("yuvj420p", 2)]
    [InlineData("yuvj422p", 2)]
    [InlineData("yuvj422p", 4)]
    [InlineData("yuvj444p", 2)]
    public void A_JPEG_picture_is_decoded_small(string pixelFormat, int divisor)
    {
        const string picture = "-f lavfi -i testsrc=size=640x368:rate=1:duration=1 -frames:v 1";
        var jpeg = FfmpegTool.Run("ffmpeg", $"{picture} -pix_fmt {pixelFormat} -q:v 2 -f mjpeg -");
        var (width, height) = (640 / divisor, 368 / divisor);
        var expected = FfmpegTool.Run("ffmpeg", $"{picture} -vf scale={width}:{height}:flags=area -pix_fmt yuv420p -f rawvideo -");
        var source = new VideoFormat(PixelFormat.Mjpg, 640, 368, 30, 1);
        var small = new SmallPicture(source, divisor);
        small.Take(new RawFrame(source, jpeg));
        JpegPictureDecoder? decoder = null;
        using var made = small.Finish(ref decoder);
        Assert.NotNull(made);
        var luma = width * height;
        Assert.InRange(Encoders.Pictures.PeakSignalToNoise(expected.AsSpan(0, luma), made.GetPlane(0)), 24, double.MaxValue);
        Assert.InRange(Encoders.Pictures.PeakSignalToNoise(expected.AsSpan(luma, luma / 4), made.GetPlane(1)), 24, double.MaxValue);
        Assert.InRange(Encoders.Pictures.PeakSignalToNoise(expected.AsSpan(luma + (luma / 4)), made.GetPlane(2)), 24, double.MaxValue);

        small.Take(new RawFrame(source, jpeg.AsMemory(0, 60)));
        Assert.Null(small.Finish(ref decoder));
        Assert.True(small.IsFree);
        decoder!.Dispose();
    }

    [Fact]
    public void It_costs_no_encoder_before_it_is_subscribed_to_and_begins_at_the_next_frame_with_an_IDR()
    {
        using var rig = new PipelineRig(Vga);
        rig.Deliver();
        rig.Deliver();
        Assert.Single(rig.Rooms[0].Opened);
        var layer = rig.Pipeline.Hub.SmallLayer!;
        var viewer = new CollectingSubscriber();
        layer.Subscribe(viewer);
        layer.BitrateLimit = 300_000;
        rig.Deliver();
        Assert.True(viewer.WaitFor(1)[0].IsKeyFrame);
        Assert.Equal([(640, 2_000_000), (320, 300_000)], rig.Rooms[0].Opened);
        Assert.Equal(layer.BitrateCeiling, (int)(2_000_000 / Math.Pow(4, 0.75)));
        rig.Pipeline.Hub.Unsubscribe(rig.Viewer);
        rig.Deliver();
        // The main stream rests, and telemetry still tells of the picture that viewers see.
        Assert.Equal(viewer.WaitFor(2)[1].CapturedAt, rig.Pipeline.LastCapturedAt);
        Assert.True(rig.Pipeline.LastCapturedAt > rig.Pipeline.Hub.LastCapturedAt);
        layer.Unsubscribe(viewer);
        rig.Deliver();
        Wait.Until(() => rig.Rooms[0].Disposed == 1, "the small layer's encoder is closed");
        rig.Pipeline.SetBitrate(1_000_000);
        Assert.Equal(layer.BitrateCeiling, (int)(1_000_000 / Math.Pow(4, 0.75)));
    }

    [Fact]
    public void A_camera_that_encodes_itself_has_none_and_neither_has_one_whose_pictures_are_small_or_that_is_told_so()
    {
        using var passthrough = new PipelineRig(Vga with { PixelFormat = PixelFormat.H264 });
        passthrough.Deliver(FakeEncoderRoom.KeyFrame);
        Assert.Null(passthrough.Pipeline.Hub.SmallLayer);
        Assert.Single(passthrough.Status.Layers);
        using var tiny = new PipelineRig(PipelineRig.Small);
        tiny.Deliver();
        Assert.Null(tiny.Pipeline.Hub.SmallLayer);
        var source = new FakeSource(Vga);
        using var off = new CameraPipeline(
            Options(size: SmallLayerSize.Off), NullLoggerFactory.Instance, (_, demand) => source.Reopened(demand), [new FakeEncoderRoom().Rung], TimeProvider.System);
        off.Start();
        source.Deliver(Vga, PipelineRig.Now);
        Assert.Null(off.Hub.SmallLayer);
    }

    [Fact]
    public async Task Privacy_stops_it_too_and_its_viewers_see_the_notice_in_its_size()
    {
        using var rig = new PipelineRig(Vga);
        rig.Deliver();
        var viewer = new CollectingSubscriber();
        rig.Pipeline.Hub.SmallLayer!.Subscribe(viewer);
        rig.Deliver();
        viewer.WaitFor(1);
        rig.Pipeline.SetPrivacy(true);
        var pictures = viewer.All.Count(static unit => unit.Data.AsSpan().SequenceEqual(FakeEncoderRoom.KeyFrame));
        rig.Source.Post(Vga, PipelineRig.Now);
        Assert.True(await rig.Pipeline.WaitForPrivacyAsync(Patience, default));
        var units = viewer.WaitFor(static all => all.Count(static unit => unit.NalUnitTypes.Contains(NalUnitType.SequenceParameterSet)) >= 2);
        Assert.Equal((320, 192), (ReadSps(units[^1]).Width, ReadSps(units[^1]).Height) is var (width, height) ? (width, (height + 15) / 16 * 16) : default);
        Assert.Equal(pictures, viewer.All.Count(static unit => unit.Data.AsSpan().SequenceEqual(FakeEncoderRoom.KeyFrame)));
        Wait.Until(() => rig.Rooms[0].Disposed == 2, "both encoders are closed");

        rig.Pipeline.SetPrivacy(false);
        rig.Source.WaitUntilOpened(2);
        Wait.Until(
            () =>
            {
                rig.Deliver();
                return viewer.All.Count(static unit => unit.Data.AsSpan().SequenceEqual(FakeEncoderRoom.KeyFrame)) > pictures;
            },
            "its picture is back");
        Assert.All(viewer.All.Zip(viewer.All.Skip(1)), static pair => Assert.True(pair.Second.CapturedAt > pair.First.CapturedAt));
    }

    [Fact]
    public void It_follows_the_camera_to_another_size()
    {
        using var rig = new PipelineRig(Vga);
        rig.Deliver();
        var viewer = new CollectingSubscriber();
        rig.Pipeline.Hub.SmallLayer!.Subscribe(viewer);
        rig.Deliver();
        viewer.WaitFor(1);
        rig.Source.Deliver(Vga with { Width = 1280, Height = 720 }, PipelineRig.Now);
        Assert.True(viewer.WaitFor(2)[1].IsKeyFrame);
        Assert.Equal([320, 640, 640, 1280], rig.Rooms[0].Opened.Select(static opened => opened.Width).Order());
    }

    [Fact]
    public void Where_its_encoder_fails_again_and_again_there_is_none_and_no_notice_is_shown()
    {
        var room = new FakeEncoderRoom { Name = "fake", FailsAt = static frame => frame is > 2 and < 8 };
        using var rig = new PipelineRig(Vga, VideoEncoderKind.Auto, room);
        var viewer = new CollectingSubscriber();
        rig.Pipeline.Hub.Unsubscribe(rig.Viewer);
        rig.Deliver();
        rig.Deliver();
        rig.Pipeline.Hub.SmallLayer!.Subscribe(viewer);
        Wait.Until(
            () =>
            {
                rig.Deliver();
                return rig.Pipeline.Hub.SmallLayer is null;
            },
            "the layer is given up");
        Assert.All(viewer.All, static unit => Assert.Equal(FakeEncoderRoom.KeyFrame, unit.Data));
        Assert.True(rig.Status.IsProducing);
    }

    [Fact]
    public void Fewer_frames_are_encoded_where_the_bitrate_is_too_low_for_all_and_the_encoder_knows()
    {
        using var rig = new PipelineRig(Vga);
        rig.Pipeline.Hub.BitrateLimit = 100_000;
        var at = PipelineRig.Now;
        for (var i = 0; i < 60; i++) rig.Source.Deliver(Vga, at + TimeSpan.FromSeconds(i / 30.0));
        // The least that is made is 150 kbit/s, enough for 640 × 360 at 30 frames per second: 138 kbit/s.
        Assert.Empty(rig.Rooms[0].Divisors);
        Assert.Equal(60, rig.Rooms[0].Encoded.Count);
        var large = Vga with { Width = 1280, Height = 720 };
        for (var i = 60; i < 120; i++) rig.Source.Deliver(large, at + TimeSpan.FromSeconds(i / 30.0));
        Assert.Equal([3], rig.Rooms[0].Divisors);
        Assert.Equal(20, rig.Rooms[0].Encoded.Count - 60);
    }

    [Fact]
    public void Neither_thread_allocates_per_frame_while_both_layers_are_encoded()
    {
        var pattern = new TestPattern(Vga.Width, Vga.Height);
        var source = new FakeSource(Vga) { Endless = new PlanarFrame(Vga, pattern.Picture), MeasureFrom = 300, MeasureTo = 1000 };
        using var pipeline = new CameraPipeline(
            Options(VideoEncoderKind.OpenH264), NullLoggerFactory.Instance, (_, demand) => source.Reopened(demand), EncoderRungs.Create(NullLogger.Instance),
            TimeProvider.System);
        var main = new AllocationMeter();
        var small = new AllocationMeter();
        pipeline.Hub.Subscribe(main);
        pipeline.Start();
        Wait.Until(() => pipeline.Hub.SmallLayer is not null, "there is a small layer");
        pipeline.Hub.SmallLayer!.Subscribe(small);
        Assert.Equal(0, source.WaitForMeasurement());
        Wait.Until(() => small.Measured >= 100, "the small layer's thread has encoded enough");
        Assert.Equal(0, small.Allocated);
    }

    /// <summary>What the thread that encodes allocates from one access unit to the next, after the first few.</summary>
    private sealed class AllocationMeter : IAccessUnitSubscriber
    {
        private const int Warmup = 100;
        private long _last;
        private int _count;
        private long _allocated;

        public int Measured => Volatile.Read(ref _count) - Warmup;

        public long Allocated => Volatile.Read(ref _allocated);

        public void OnAccessUnit(FrameHub hub, AccessUnit accessUnit)
        {
            var now = GC.GetAllocatedBytesForCurrentThread();
            if (++_count > Warmup) _allocated += now - _last;
            _last = now;
        }
    }
}
