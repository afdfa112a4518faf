using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using Agent.Media;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Devices.Tests;

public sealed class CameraPipelineTests
{
    private static CameraOptions TestCamera => new()
    {
        Name = "main",
        Source = new VideoSourceOptions { Kind = VideoSourceKind.Test, Width = 320, Height = 240, FrameRate = 30 },
    };

    [Fact]
    public void The_test_camera_reaches_a_subscriber_beginning_with_a_keyframe()
    {
        using var pipeline = new CameraPipeline(TestCamera, NullLoggerFactory.Instance);
        var subscriber = new CollectingSubscriber();
        pipeline.Hub.Subscribe(subscriber);
        pipeline.Start();
        var units = subscriber.WaitFor(20);
        Assert.True(units[0].IsKeyFrame);
        Assert.Equal("42e01f", pipeline.Hub.ProfileLevelId);
        Assert.True(pipeline.Hub.IsProducing);
        // A busy machine loses pictures; those that come are on the grid of the frame rate.
        for (var i = 1; i < units.Count; i++)
        {
            var steps = (units[i].CapturedAt - units[i - 1].CapturedAt).TotalSeconds * 30;
            Assert.True(steps > 0.9);
            Assert.Equal(Math.Round(steps), steps, 0.01);
        }
        var picture = FfmpegTool.Decode(subscriber.Stream).AsSpan(0, 320 * 240 * 3 / 2);
        Assert.True(Timecode.TryRead(picture, 320, 320, 240, out var timecode));
        Assert.InRange(DateTimeOffset.UtcNow - DateTimeOffset.FromUnixTimeMilliseconds(timecode.UnixMilliseconds), TimeSpan.Zero, TimeSpan.FromMinutes(1));
    }

    private static readonly VideoFormat Small = new(PixelFormat.Yu12, 256, 144, 30, 1);

    private static CameraPipeline Start(FakeSource source, FakeEncoderRoom encoders, ILoggerFactory? loggers = null)
    {
        var pipeline = new CameraPipeline(
            TestCamera, loggers ?? NullLoggerFactory.Instance, (_, demand) => source.Reopened(demand), [encoders.Rung], TimeProvider.System);
        pipeline.Start();
        return pipeline;
    }

    [Fact]
    public void Without_a_viewer_one_picture_is_encoded_and_the_first_viewer_gets_a_keyframe_at_once()
    {
        var source = new FakeSource(Small);
        var encoders = new FakeEncoderRoom();
        using var pipeline = Start(source, encoders);
        for (var i = 0; i < 10; i++) source.Deliver(Small, TimeSpan.FromMilliseconds(33 * i));
        Assert.Single(encoders.Encoded);
        Assert.Equal(FakeEncoderRoom.Profile, pipeline.Hub.ProfileLevelId);
        Assert.True(pipeline.Hub.IsProducing);
        Assert.Equal((10, 1), (pipeline.GetStatus().FramesCaptured, pipeline.GetStatus().FramesEncoded));
        var viewer = new CollectingSubscriber();
        pipeline.Hub.Subscribe(viewer);
        source.Deliver(Small, TimeSpan.FromMilliseconds(330));
        source.Deliver(Small, TimeSpan.FromMilliseconds(363));
        Assert.Equal([true, false], encoders.Encoded.Skip(1).Select(static encoded => encoded.Forced));
        Assert.Equal([TimeSpan.FromMilliseconds(330), TimeSpan.FromMilliseconds(363)], viewer.All.Select(static unit => unit.CapturedAt));
        pipeline.Hub.Unsubscribe(viewer);
        source.Deliver(Small, TimeSpan.FromMilliseconds(396));
        Assert.Equal(3, encoders.Encoded.Count);
    }

    [Fact]
    public void Keyframe_requests_and_bitrates_reach_the_open_encoder_with_the_next_picture()
    {
        var source = new FakeSource(Small);
        var encoders = new FakeEncoderRoom();
        using var pipeline = Start(source, encoders);
        pipeline.Hub.Subscribe(new CollectingSubscriber());
        source.Deliver(Small, TimeSpan.FromSeconds(1));
        source.Deliver(Small, TimeSpan.FromSeconds(2));
        pipeline.Hub.RequestKeyFrame();
        pipeline.SetBitrate(700_000);
        source.Deliver(Small, TimeSpan.FromSeconds(3));
        source.Deliver(Small, TimeSpan.FromSeconds(4));
        Assert.Equal([true, false, true, false], encoders.Encoded.Select(static encoded => encoded.Forced));
        Assert.Equal([2_000_000, 2_000_000, 700_000, 700_000], encoders.Encoded.Select(static encoded => encoded.Bitrate));
        Assert.Single(encoders.Opened);
        Assert.Equal(700_000, pipeline.GetStatus().TargetBitrateBps);
        Assert.Throws<ArgumentOutOfRangeException>(() => pipeline.SetBitrate(0));
    }

    [Fact]
    public void A_new_frame_size_opens_a_new_encoder_at_the_current_bitrate()
    {
        var source = new FakeSource(Small);
        var encoders = new FakeEncoderRoom();
        using var pipeline = Start(source, encoders);
        pipeline.Hub.Subscribe(new CollectingSubscriber());
        source.Deliver(Small, TimeSpan.FromSeconds(1));
        pipeline.SetBitrate(900_000);
        source.Deliver(Small with { Width = 320 }, TimeSpan.FromSeconds(2));
        Assert.Equal([(256, 2_000_000), (320, 900_000)], encoders.Opened);
        Assert.Equal(1, encoders.Disposed);
        Assert.Equal((320, 144), (pipeline.GetStatus().Width, pipeline.GetStatus().Height));
    }

    [Fact]
    public void A_source_that_fails_is_opened_again_and_the_log_has_one_line_for_each_change()
    {
        var source = new FakeSource(Small);
        var encoders = new FakeEncoderRoom();
        using var loggers = new CollectingLoggers();
        using var pipeline = Start(source, encoders, loggers);
        source.Deliver(Small, TimeSpan.FromSeconds(1));
        source.Fail("/dev/video9: VIDIOC_DQBUF: No such device (19)");
        source.WaitUntilOpened(2);
        Assert.Equal("/dev/video9: VIDIOC_DQBUF: No such device (19)", pipeline.GetStatus().Error);
        Assert.False(pipeline.Hub.IsProducing);
        Assert.Null(pipeline.Hub.ProfileLevelId);
        source.Fail("/dev/video9: VIDIOC_DQBUF: No such device (19)");
        source.WaitUntilOpened(3);
        source.Deliver(Small, TimeSpan.FromSeconds(9));
        var status = pipeline.GetStatus();
        Assert.Null(status.Error);
        Assert.True(status.IsProducing);
        Assert.Equal((2, 2, 2), (status.Restarts, status.FramesCaptured, encoders.Opened.Count));
        Assert.Equal(
            [
                "Camera main: fake YU12 256x144 30 fps → fake, zero copy, 2000000 bit/s, profile-level-id 42e01f; passed over: passthrough (the camera gives no H.264)",
                "Camera main: /dev/video9: VIDIOC_DQBUF: No such device (19); trying again",
                "Camera main: fake YU12 256x144 30 fps → fake, zero copy, 2000000 bit/s, profile-level-id 42e01f; passed over: passthrough (the camera gives no H.264)",
            ],
            loggers.Lines);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void H264_frames_pass_through_as_they_are_and_keyframe_requests_go_to_the_source(bool canRequest)
    {
        var format = Small with { PixelFormat = PixelFormat.H264 };
        var source = new FakeSource(format) { CanRequestKeyFrames = canRequest };
        var encoders = new FakeEncoderRoom();
        using var loggers = new CollectingLoggers();
        using var pipeline = Start(source, encoders, loggers);
        var viewer = new CollectingSubscriber();
        pipeline.Hub.Subscribe(viewer);
        byte[] key = [0, 0, 0, 1, 0x67, .. Convert.FromHexString("42c01ed900a03db011000003000100000300320f162e48"), 0, 0, 1, 0x65, 0x88];
        source.Deliver(format, TimeSpan.FromSeconds(1), key);
        source.Deliver(format, TimeSpan.FromSeconds(2), [0, 0, 1, 0x41, 0x9A]);
        pipeline.Hub.RequestKeyFrame();
        source.Deliver(format, TimeSpan.FromSeconds(3), [0, 0, 1, 0x41, 0x9B]);
        pipeline.Hub.RequestKeyFrame();
        source.Deliver(format, TimeSpan.FromSeconds(4), [0, 0, 1, 0x41, 0x9C]);
        Assert.Equal([key, [0, 0, 1, 0x41, 0x9A], [0, 0, 1, 0x41, 0x9B], [0, 0, 1, 0x41, 0x9C]], viewer.All.Select(static unit => unit.Data));
        // The first picture is one already.
        Assert.Equal(2, source.KeyFrameRequests);
        Assert.Empty(encoders.Opened);
        Assert.Equal(("42c01e", "passthrough"), (pipeline.Hub.ProfileLevelId, pipeline.GetStatus().Encoder));
        Assert.Equal(canRequest ? 0 : 1, loggers.Lines.Count(static line => line.Contains("cannot make keyframes", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_camera_that_sends_its_parameter_sets_once_has_them_put_before_every_IDR()
    {
        using var rig = new PipelineRig(PipelineRig.SmallH264);
        byte[] sps = [0, 0, 0, 1, 0x67, .. Convert.FromHexString("42c01ed900a03db011000003000100000300320f162e48")], pps = [0, 0, 0, 1, 0x68, 0xCE, 0x38, 0x80];
        byte[] idr = [0, 0, 0, 1, 0x65, 0x88];
        rig.Deliver([.. sps, .. pps, .. idr]);
        rig.Deliver(PipelineRig.OtherFrame);
        rig.Deliver(idr);
        Assert.Equal([[.. sps, .. pps, .. idr], PipelineRig.OtherFrame, [.. sps, .. pps, .. idr]], rig.Viewer.All.Select(static unit => unit.Data));
    }

    [Fact]
    public void A_steady_pipeline_allocates_nothing_per_frame()
    {
        var pattern = new TestPattern(Small.Width, Small.Height);
        var source = new FakeSource(Small) { Endless = new PlanarFrame(Small, pattern.Picture), MeasureFrom = 300, MeasureTo = 1300 };
        using var pipeline = new CameraPipeline(TestCamera, NullLoggerFactory.Instance, (_, demand) => source.Reopened(demand), EncoderRungs.Create(NullLogger.Instance), TimeProvider.System);
        pipeline.Hub.Subscribe(new NullSubscriber());
        pipeline.Start();
        Assert.Equal(0, source.WaitForMeasurement());
        Assert.True(pipeline.GetStatus().FramesEncoded >= 1000);
    }

    private sealed class NullSubscriber : IAccessUnitSubscriber
    {
        public void OnAccessUnit(FrameHub hub, AccessUnit accessUnit)
        {
            accessUnit.AddReference();
            accessUnit.Release();
        }
    }
}
