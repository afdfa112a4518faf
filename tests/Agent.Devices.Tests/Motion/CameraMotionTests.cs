using Agent.Devices.Motion;
using Agent.Devices.Sources;
using Agent.Interop.TurboJpeg;
using Agent.Media.Motion;

namespace Agent.Devices.Tests.Motion;

/// <summary>Motion in the pictures of a running pipeline: every format that cameras deliver, and what keeps it from being seen.</summary>
public sealed class CameraMotionTests
{
    [Theory]
    [InlineData(PixelFormat.Yu12)]
    [InlineData(PixelFormat.Nv12)]
    [InlineData(PixelFormat.Yuyv)]
    [InlineData(PixelFormat.Mjpg)]
    public void A_box_that_walks_is_seen_in_its_zone_and_is_over_when_it_has_gone(PixelFormat format)
    {
        using var rig = new Rig(format);
        rig.Play(20, box: null);
        Assert.Equal((true, false), (rig.Motion.State.IsLooking, rig.Motion.State.IsMoving));
        rig.Play(8, box: static picture => picture * 4);
        Assert.True(rig.Motion.State.IsMoving);
        Assert.Equal([true, false], rig.Motion.State.Zones);
        rig.Play(20, box: null);
        Assert.Equal((true, false), (rig.Motion.State.IsLooking, rig.Motion.State.IsMoving));
        var status = rig.Motion.GetStatus();
        Assert.Equal((48, 0, 1, null), (status.FramesLookedAt, status.FramesDropped, status.Motions, status.Problem));
        Assert.True(status.LookingTime > TimeSpan.Zero && status.CaptureTime > TimeSpan.Zero);
        Assert.Equal([true, true, true], rig.Changes.Select(static state => state.IsLooking));
        Assert.Equal([false, true, false], rig.Changes.Select(static state => state.IsMoving));
    }

    [Fact]
    public void H264_that_is_passed_through_is_said_to_be_unseen_with_the_mend()
    {
        using var rig = new Rig(PixelFormat.H264);
        for (var i = 0; i < 3; i++) rig.Source.Deliver(rig.Format, PipelineRig.Now, FakeEncoderRoom.KeyFrame);
        Wait.Until(() => rig.Motion.GetStatus().Problem is not null, "the problem");
        Assert.Contains("source.pixelFormat", rig.Motion.GetStatus().Problem, StringComparison.Ordinal);
        Assert.False(rig.Motion.State.IsLooking);
        Assert.Single(rig.Log.Lines, static line => line.Contains("motion cannot be looked for", StringComparison.Ordinal));
    }

    [Fact]
    public void Five_pictures_in_a_second_are_looked_at_of_thirty()
    {
        using var rig = new Rig(PixelFormat.Yu12);
        for (var picture = 0; picture < 60; picture++) rig.Source.Deliver(rig.Format, TimeSpan.FromSeconds(100 + (picture / 30.0)));
        Wait.Until(() => rig.Motion.GetStatus() is var status && status.FramesLookedAt + status.FramesDropped >= 9, "the pictures");
        Assert.InRange(rig.Motion.GetStatus() is var s ? s.FramesLookedAt + s.FramesDropped : 0, 9, 10);
    }

    [Fact]
    public void While_it_is_held_up_the_newest_picture_wins_and_capturing_goes_on()
    {
        using var held = new ManualResetEventSlim();
        using var rig = new Rig(PixelFormat.Yu12);
        rig.Motion.Changed += _ => held.Wait();
        rig.Source.Deliver(rig.Format, TimeSpan.FromSeconds(1));
        Wait.Until(() => rig.Motion.State.IsLooking, "the first picture");
        for (var picture = 2; picture <= 5; picture++) rig.Source.Deliver(rig.Format, TimeSpan.FromSeconds(picture));
        Assert.Equal((1, 3), (rig.Motion.GetStatus().FramesLookedAt, rig.Motion.GetStatus().FramesDropped));
        held.Set();
        Wait.Until(() => rig.Motion.GetStatus().FramesLookedAt == 2, "the newest picture");
        Assert.Equal(3, rig.Motion.GetStatus().FramesDropped);
    }

    [Fact]
    public async Task Privacy_ends_motion_and_nothing_is_known_until_pictures_come_again()
    {
        using var rig = new Rig(PixelFormat.Yu12);
        rig.Play(20, box: null);
        rig.Play(8, box: static picture => picture * 4);
        Assert.True(rig.Motion.State.IsMoving);
        rig.Pipeline.SetPrivacy(true);
        Assert.True(await rig.Pipeline.WaitForPrivacyAsync(TimeSpan.FromSeconds(20), default));
        Wait.Until(() => !rig.Motion.State.IsLooking, "blindness");
        Assert.False(rig.Motion.State.IsMoving);
        Assert.Equal([false, false], rig.Motion.State.Zones);
        var before = rig.Motion.GetStatus().FramesLookedAt;
        rig.Pipeline.SetPrivacy(false);
        rig.Source.WaitUntilOpened(2);
        rig.Play(20, box: null);
        Assert.Equal((true, false, before + 20), (rig.Motion.State.IsLooking, rig.Motion.State.IsMoving, rig.Motion.GetStatus().FramesLookedAt));
    }

    [Fact]
    public void It_is_switched_off_and_on_and_sees_nothing_when_no_pictures_come()
    {
        using var rig = new Rig(PixelFormat.Yu12);
        rig.Play(3, box: null);
        rig.Motion.SetWanted(false);
        Wait.Until(() => !rig.Motion.State.IsLooking, "blindness");
        Assert.False(rig.Pipeline.Tap.HasListeners);
        rig.Motion.SetWanted(true);
        rig.Play(3, box: null);
        Assert.True(rig.Motion.State.IsLooking);
        Wait.Until(() => !rig.Motion.State.IsLooking, "that pictures no longer come");
    }

    [Fact]
    public void A_picture_of_another_size_begins_anew_and_a_damaged_one_is_left_out()
    {
        using var rig = new Rig(PixelFormat.Mjpg);
        rig.Play(20, box: null);
        rig.Source.Deliver(rig.Format, rig.NextInstant(), [0xFF, 0xD8, 0xFF, 0x00]);
        Wait.Until(() => rig.Motion.GetStatus().FramesDropped == 1, "the damaged picture");
        rig.Format = rig.Format with { Width = 160, Height = 120 };
        rig.Play(20, box: null);
        rig.Play(8, box: static picture => picture * 4);
        Assert.True(rig.Motion.State.IsMoving);
    }

    [Theory]
    [InlineData(1280, 720)]
    [InlineData(642, 362)]
    public void A_coarse_JPEG_picture_is_what_decoding_the_whole_of_it_gives(int width, int height)
    {
        var jpeg = FfmpegTool.Run("ffmpeg", $"-f lavfi -i testsrc2=s={width}x{height} -frames:v 1 -pix_fmt yuvj420p -c:v mjpeg -q:v 3 -f mjpeg -");
        var luma = FfmpegTool.Run("ffmpeg", "-f mjpeg -i - -frames:v 1 -vf extractplanes=y -f rawvideo -", jpeg);
        var downscaler = new LumaDownscaler(width, height);
        var (expected, actual) = (new ushort[downscaler.Grid.Count], new ushort[downscaler.Grid.Count]);
        downscaler.Downscale(luma, width, LumaLayout.Planar, expected);
        using var coarse = new JpegLuma();
        Assert.True(coarse.TryDownscale(jpeg, width, height, actual, out var grid));
        Assert.Equal(downscaler.Grid, grid);
        // Where a cell's edge does not lie on that of an 8 × 8 block, pixels next to it are counted with the neighbour.
        var differences = expected.Zip(actual, static (e, a) => Math.Abs(e - a) / (double)LumaGrid.Precision).ToArray();
        var isOnBlocks = width % (8 * LumaGrid.LongestSide) == 0 && height % 8 == 0;
        Assert.True(differences.Average() < (isOnBlocks ? 1 : 8), $"{differences.Average()} on average");
        if (isOnBlocks) Assert.True(differences.Max() < 3, $"{differences.Max()} at most");
        Assert.False(coarse.TryDownscale(jpeg, width + 1, height, actual, out _));
        Assert.False(coarse.TryDownscale(jpeg.AsSpan(0, jpeg.Length / 2), width, height, actual, out _));
        Assert.True(coarse.TryDownscale(jpeg, width, height, actual, out _));
    }

    [Theory]
    [InlineData(161, 121)]
    [InlineData(17, 9)]
    [InlineData(8, 1)]
    [InlineData(1, 1)]
    [InlineData(1279, 719)]
    public void Odd_sizes_are_made_coarse_as_well(int width, int height)
    {
        var luma = new byte[width * height];
        for (var i = 0; i < luma.Length; i++) luma[i] = (byte)(40 + (150 * (i % width) / width) + (40 * (i / width) / height));
        var downscaler = new LumaDownscaler(width, height);
        var (expected, actual) = (new ushort[downscaler.Grid.Count], new ushort[downscaler.Grid.Count]);
        downscaler.Downscale(luma, width, LumaLayout.Planar, expected);
        using var coarse = new JpegLuma();
        Assert.True(coarse.TryDownscale(Rig.Compress(luma, width, height), width, height, actual, out var grid));
        Assert.Equal(downscaler.Grid, grid);
        // At the right and lower edges JPEG's last blocks reach beyond the picture, into padding that is the compressor's choice.
        var inner = Enumerable.Range(0, grid.Count).Where(cell => cell % grid.Columns < grid.Columns - 1 && cell / grid.Columns < grid.Rows - 1);
        Assert.All(inner, cell => Assert.InRange((actual[cell] - expected[cell]) / (double)LumaGrid.Precision, -6, 6));
    }

    [Fact]
    public void Taking_a_picture_and_making_it_coarse_allocate_nothing()
    {
        var samples = new NewestHandover<LumaSample>();
        var sampler = new MotionSampler(TimeSpan.Zero, samples, static () => { });
        using var coarse = new JpegLuma();
        var raw = new RawFrame(PipelineRig.Small, new byte[256 * 144 * 3 / 2]);
        var jpeg = new RawFrame(PipelineRig.Small with { PixelFormat = PixelFormat.Mjpg }, Rig.Compress(new byte[256 * 144], 256, 144));
        long Once()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            foreach (var frame in (ReadOnlySpan<RawFrame>)[raw, jpeg])
            {
                sampler.OnFrame(frame);
                if (!samples.TryTake(out var sample)) throw new InvalidOperationException("no sample");
                if (!sample.Jpeg.IsEmpty && !coarse.TryDownscale(sample.Jpeg, 256, 144, sample.Cells, out _)) throw new InvalidOperationException("damaged");
            }
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
        // Each of the three samples that go round grows its room for JPEG pictures once.
        for (var i = 0; i < 6; i++) Once();
        Assert.Equal(0, Enumerable.Range(0, 20).Sum(_ => Once()));
    }

    private sealed class Rig : IDisposable
    {
        private double _seconds = 1000;

        public Rig(PixelFormat format)
        {
            Format = PipelineRig.Small with { PixelFormat = format };
            Source = new FakeSource(Format);
            var options = new CameraOptions
            {
                Name = "porch",
                Motion = new MotionOptions
                {
                    Enabled = true,
                    Settings = new MotionSettings
                    {
                        HoldFor = TimeSpan.FromSeconds(2),
                        Zones =
                        [
                            new MotionZone("left", MotionArea.Rectangle(0, 0, 0.5, 1)), new MotionZone("far", MotionArea.Rectangle(0.8, 0, 0.2, 1)),
                        ],
                    },
                },
            };
            Pipeline = new CameraPipeline(options, Log, (_, demand) => Source.Reopened(demand), [new FakeEncoderRoom().Rung], TimeProvider.System);
            Motion = new CameraMotion(Pipeline, Log);
            Motion.Changed += Changes.Add;
            Pipeline.Start();
        }

        public VideoFormat Format { get; set; }

        public FakeSource Source { get; }

        public CollectingLoggers Log { get; } = new();

        public CameraPipeline Pipeline { get; }

        public CameraMotion Motion { get; }

        public List<MotionState> Changes { get; } = [];

        public static byte[] Compress(byte[] luma, int width, int height)
        {
            var chroma = new byte[(width + 1) / 2 * ((height + 1) / 2)];
            Array.Fill(chroma, (byte)128);
            using var compressor = new JpegCompressor();
            return compressor.Compress(luma, chroma, chroma, width, (width + 1) / 2, width, height, 90).ToArray();
        }

        public TimeSpan NextInstant() => TimeSpan.FromSeconds(_seconds += 0.2);

        /// <summary>Delivers five pictures a second of the camera's time, each when the one before has been looked at.</summary>
        public void Play(int pictures, Func<int, int>? box)
        {
            for (var picture = 0; picture < pictures; picture++)
            {
                var before = Motion.GetStatus().FramesLookedAt;
                Source.Deliver(Format, NextInstant(), Draw(box?.Invoke(picture)));
                Wait.Until(() => Motion.GetStatus().FramesLookedAt > before, "that the picture was looked at");
            }
        }

        public void Dispose()
        {
            Motion.Dispose();
            Pipeline.Dispose();
            Log.Dispose();
        }

        private byte[] Draw(int? box)
        {
            var (width, height) = (Format.Width, Format.Height);
            var luma = new byte[width * height];
            for (var i = 0; i < luma.Length; i++) luma[i] = (byte)(60 + (i % width / 4) + (box is { } left && i % width - left is >= 0 and < 30 && i / width is >= 40 and < 100 ? 80 : 0));
            switch (Format.PixelFormat)
            {
                case PixelFormat.Mjpg:
                    return Compress(luma, width, height);
                case PixelFormat.Yuyv:
                    // What chroma does is not looked at.
                    return [.. luma.SelectMany((y, i) => new[] { y, (byte)((i * 7) + (int)_seconds) })];
                default:
                    return [.. luma, .. new byte[luma.Length / 2]];
            }
        }
    }
}
