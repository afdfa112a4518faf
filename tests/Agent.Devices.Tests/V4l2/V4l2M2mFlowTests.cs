using Agent.Devices.Encoders;
using Agent.Devices.Sources;

namespace Agent.Devices.Tests.V4l2;

/// <summary>What goes with frames on their way through a V4L2 encoder: their capture times and their places.</summary>
public sealed class V4l2M2mFlowTests
{
    private static readonly VideoFormat Format = new(PixelFormat.Nv12, 64, 32, 30, 1);

    private static TimeSpan Instant(long ticks) => new(12_345_678_901_230 + ticks);

    [Fact]
    public void A_picture_gets_back_its_frames_very_instant()
    {
        var times = new V4l2M2mCaptureTimes(4);
        times.Add(Instant(7));
        times.Add(Instant(333_340));

        Assert.Equal(Instant(7), times.Take(1_234_567_890_123));
        Assert.Equal(Instant(333_340), times.Take(V4l2M2mCaptureTimes.Microseconds(Instant(333_340))));
        Assert.Equal(0, times.Count);
    }

    [Fact]
    public void Frames_that_were_left_out_are_forgotten_with_the_next_picture()
    {
        var times = new V4l2M2mCaptureTimes(4);
        for (var i = 0; i < 3; i++) times.Add(Instant(i * 1000));

        Assert.Equal(Instant(1000), times.Take(V4l2M2mCaptureTimes.Microseconds(Instant(1000))));

        Assert.Equal(1, times.Count);
        Assert.Equal(1, times.Clear());
    }

    [Fact]
    public void A_timestamp_that_was_not_copied_stands_for_the_oldest()
    {
        var times = new V4l2M2mCaptureTimes(2);
        for (var i = 0; i < 3; i++) times.Add(Instant(i * 1000));

        Assert.Equal(Instant(1000), times.Take(0));
        Assert.Equal(Instant(2000), times.Take(0));
        Assert.Equal(TimeSpan.FromMicroseconds(5), times.Take(5));
    }

    [Fact]
    public void The_newest_frame_is_refused_while_the_encoder_is_full()
    {
        var handover = new V4l2M2mHandover(2);
        var frames = Enumerable.Range(0, 3).Select(_ => new LentFrame()).ToList();

        Assert.True(handover.TryOffer(frames[0], forceKeyFrame: false));
        Assert.True(handover.TryOffer(frames[1], forceKeyFrame: true));
        Assert.False(handover.TryOffer(frames[2], forceKeyFrame: false));

        // Taking one does not make room: the encoder has it now.
        Assert.True(handover.TryTake(out var first, out var isForced));
        Assert.Same(frames[0], first);
        Assert.False(isForced);
        Assert.False(handover.TryOffer(frames[2], forceKeyFrame: false));
        handover.Finish(1);
        Assert.True(handover.TryOffer(frames[2], forceKeyFrame: false));
        Assert.True(handover.TryTake(out _, out isForced));
        Assert.True(isForced);
        Assert.All(frames, frame => Assert.Equal(0, frame.Returned));
    }

    [Fact]
    public void Closing_returns_what_waits_and_refuses_the_rest()
    {
        var handover = new V4l2M2mHandover(2);
        var (waiting, late) = (new LentFrame(), new LentFrame());
        handover.TryOffer(waiting, forceKeyFrame: false);

        handover.Close();

        Assert.Equal(1, waiting.Returned);
        Assert.False(handover.TryTake(out _, out _));
        Assert.False(handover.TryOffer(late, forceKeyFrame: false));
        Assert.Equal(0, late.Returned);
    }

    [Theory]
    [InlineData(64, 32, 64, 32, 1, 3072, 0, null)]
    [InlineData(64, 32, 64, 48, 1, 8192, 0, "the frames have 32 lines, for the encoder 48")]
    [InlineData(64, 32, 128, 32, 1, 8192, 0, "a line has 64 bytes, for the encoder 128")]
    [InlineData(64, 32, 64, 32, 2, 3072, 0, "the frames are Nv12 in 2 memory planes, the encoder takes NV12")]
    [InlineData(64, 32, 64, 32, 1, 3071, 0, "a buffer has 3071 bytes, the encoder wants 3072")]
    [InlineData(64, 32, 64, 32, 1, 8192, 16, "the picture begins 16 bytes into its buffer")]
    [InlineData(64, 32, 64, 32, 0, 3072, 0, "the source does not export DMABUFs")]
    public void A_frame_is_read_in_place_where_both_sides_lay_it_out_alike(
        int width, int height, int encoderLine, int encoderHeight, int dmabufs, int length, int offset, string? mismatch)
    {
        var luma = encoderLine * encoderHeight;
        var formats = new V4l2M2mFormats(
            V4l2PixelFormat.Supported[0], [new(0, 0, luma, encoderLine), new(0, luma, luma / 2, encoderLine)], [(uint)(luma * 3 / 2)], encoderHeight);
        var frame = new LentFrame(dmabufs, new DmabufPlane(5, (uint)length, (uint)(width * height * 3 / 2), (uint)offset));

        Assert.Equal(mismatch, formats.FindMismatch(frame));
    }

    private sealed class LentFrame(int dmabufCount = 0, DmabufPlane dmabuf = default) : CapturedFrame
    {
        public int Returned { get; private set; }

        public override VideoFormat Format => V4l2M2mFlowTests.Format;

        public override TimeSpan CapturedAt => default;

        public override int PlaneCount => 2;

        public override int DmabufCount => dmabufCount;

        public override DmabufPlane GetDmabuf(int memoryPlane) => dmabuf;

        public override ReadOnlySpan<byte> GetPlane(int plane) => default;

        public override int GetBytesPerLine(int plane) => Format.Width;

        public override void Dispose() => Returned++;
    }
}
