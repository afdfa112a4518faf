using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using Agent.Media;
using Microsoft.Extensions.Logging.Abstractions;
using static Agent.Devices.Tests.PipelineRig;

namespace Agent.Devices.Tests;

/// <summary>What viewers and the status see when a camera or its encoder fails, and how it comes back.</summary>
public sealed class CameraPipelineFailureTests
{
    private static readonly VideoSourceException Absent = new("camera /dev/video9: no such device node") { Failure = SourceFailure.Absent };

    [Fact]
    public void Viewers_of_a_camera_that_goes_away_see_a_notice_within_a_second_and_then_its_picture_again()
    {
        using var rig = new PipelineRig(Small);
        rig.Deliver();
        rig.Deliver();
        rig.Source.OpeningFailure = Absent;
        var failedAt = Now;
        rig.Source.Fail("camera /dev/video9: unplugged", SourceFailure.Absent);
        var units = rig.Viewer.WaitFor(5);
        Assert.True(units[2].IsKeyFrame);
        Assert.InRange(units[2].CapturedAt - failedAt, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.False(units[3].IsKeyFrame);
        Assert.InRange((units[4].CapturedAt - units[3].CapturedAt).TotalSeconds, 0.4, 1.5);
        Assert.True(SpsReader.TryRead(units[2].Data.AsSpan(4), out var sps));
        Assert.Equal((256, 144, 31), (sps.Width, sps.Height, sps.LevelIdc));
        Assert.Equal("unplugged", rig.Status.Notice);
        Assert.False(rig.Pipeline.Hub.IsProducing);
        Assert.Null(rig.Pipeline.Hub.ProfileLevelId);
        Assert.Null(rig.Pipeline.DeliveringSince);

        // A viewer that joins now, or has lost a packet, gets an IDR of its own.
        rig.Pipeline.Hub.RequestKeyFrame();
        rig.Viewer.WaitFor(static all => all.Count(static unit => unit.IsKeyFrame) == 3);

        rig.Source.OpeningFailure = null;
        var before = Now;
        rig.Source.WaitUntilOpened(2);
        Assert.InRange(Now - before, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        var notices = rig.Viewer.All.Count;
        rig.Deliver();
        rig.Deliver();
        units = rig.Viewer.WaitFor(static all => all.Count(static unit => unit.Data.AsSpan().SequenceEqual(FakeEncoderRoom.KeyFrame)) == 2);
        Assert.InRange(units.Count - notices, 2, 3);
        Assert.Equal((null, true, 1), (rig.Status.Notice, rig.Status.IsProducing, rig.Status.Restarts));
        Assert.NotNull(rig.Pipeline.DeliveringSince);
        for (var i = 1; i < units.Count; i++) Assert.True(units[i].CapturedAt > units[i - 1].CapturedAt);
        Assert.Single(rig.Log.Lines, static line => line.Contains("unplugged", StringComparison.Ordinal));
        Assert.Single(rig.Log.Lines, static line => line.Contains("no such device node", StringComparison.Ordinal));
    }

    [Fact]
    public void The_stream_decodes_from_the_first_picture_through_the_notice_to_the_picture_after_it()
    {
        var pattern = new TestPattern(Small.Width, Small.Height);
        var source = new FakeSource(Small);
        using var log = new CollectingLoggers();
        using var pipeline = new CameraPipeline(
            new CameraOptions { Name = "porch" }, log, (_, demand) => source.Reopened(demand), EncoderRungs.Create(NullLogger.Instance), TimeProvider.System);
        var viewer = new CollectingSubscriber();
        pipeline.Hub.Subscribe(viewer);
        pipeline.Start();
        source.Deliver(Small, Now, pattern.Picture.ToArray());
        source.Fail("camera /dev/video9: unplugged", SourceFailure.Absent);
        viewer.WaitFor(3);
        source.WaitUntilOpened(2);
        source.Deliver(Small, Now, pattern.Picture.ToArray());
        var units = viewer.WaitFor(static all => all.Count(static unit => unit.IsKeyFrame) == 3);
        var size = Small.Width * Small.Height * 3 / 2;
        var decoded = FfmpegTool.Decode(viewer.Stream);
        Assert.Equal(units.Count, decoded.Length / size);
        Assert.True(Encoders.Pictures.PeakSignalToNoise(pattern.Picture.Span, decoded.AsSpan(0, size)) > 28);
        // The notice: its corner is dark, the test pattern's is not.
        Assert.InRange(decoded[size], 16, 60);
        Assert.True(Encoders.Pictures.PeakSignalToNoise(pattern.Picture.Span, decoded.AsSpan((units.Count - 1) * size, size)) > 28);
    }

    [Fact]
    public void A_stream_that_comes_encoded_goes_on_with_its_next_keyframe_which_is_asked_for()
    {
        var source = new FakeSource(SmallH264) { CanRequestKeyFrames = true };
        using var rig = new PipelineRig(source);
        rig.Deliver(OtherFrame);
        Assert.Empty(rig.Viewer.All);
        Assert.False(rig.Pipeline.Hub.IsProducing);
        rig.Deliver(FakeEncoderRoom.KeyFrame);
        Assert.Equal(1, source.KeyFrameRequests);
        source.Fail("camera /dev/video9: the stream broke off", SourceFailure.Stopped);
        rig.Viewer.WaitFor(2);
        Assert.Equal("stopped", rig.Status.Notice);
        source.WaitUntilOpened(2);
        rig.Deliver(OtherFrame);
        Assert.Equal("stopped", rig.Status.Notice);
        Assert.Equal(2, source.KeyFrameRequests);
        rig.Deliver(FakeEncoderRoom.KeyFrame);
        rig.Deliver(OtherFrame);
        var units = rig.Viewer.All;
        Assert.Equal(FakeEncoderRoom.KeyFrame, units[^2].Data);
        Assert.Equal(OtherFrame, units[^1].Data);
        Assert.Null(rig.Status.Notice);
    }

    [Fact]
    public void Nothing_is_published_in_place_of_a_camera_that_nobody_watches_or_that_never_delivered()
    {
        using var rig = new PipelineRig(new FakeSource(Small) { OpeningFailure = Absent });
        Wait.Until(() => rig.Source.OpeningAttempts >= 2, "opening tried again");
        Assert.Null(rig.Status.Notice);
        rig.Source.OpeningFailure = null;
        rig.Deliver();
        rig.Pipeline.Hub.Unsubscribe(rig.Viewer);
        rig.Source.Fail("gone", SourceFailure.Absent);
        rig.Source.WaitUntilOpened(2);
        Assert.Equal("unplugged", rig.Status.Notice);
        Assert.Single(rig.Viewer.All);
    }

    [Fact]
    public void An_absent_camera_is_looked_for_twice_a_second_and_one_that_does_not_work_ever_less()
    {
        var delay = new ReopenDelay();
        Assert.Equal([0.5, 1, 2, 4, 8, 10, 10], Enumerable.Range(0, 7).Select(_ => delay.Next(SourceFailure.Stopped).TotalSeconds));
        Assert.Equal([0.5, 0.5], Enumerable.Range(0, 2).Select(_ => delay.Next(SourceFailure.Absent).TotalSeconds));
        Assert.Equal([0.5, 1], Enumerable.Range(0, 2).Select(_ => delay.Next(SourceFailure.InUse).TotalSeconds));
    }

    [Fact]
    public void One_camera_that_fails_is_nothing_to_another()
    {
        using var failing = new PipelineRig(Small);
        using var other = new PipelineRig(Small);
        failing.Deliver();
        other.Deliver();
        failing.Source.OpeningFailure = Absent;
        failing.Source.Fail("gone", SourceFailure.Absent);
        failing.Viewer.WaitFor(4);
        for (var i = 0; i < 20; i++) other.Deliver();
        Assert.Equal(21, other.Viewer.All.Count);
        Assert.Equal((true, null, 0), (other.Status.IsProducing, other.Status.Error, other.Status.Restarts));
        Assert.All(other.Viewer.All.Skip(1), static unit => Assert.Equal(OtherFrame, unit.Data));
        Assert.Equal("unplugged", failing.Status.Notice);
    }

    [Fact]
    public void A_capture_thread_that_hangs_is_told_once_and_viewers_see_a_notice_until_it_goes_on()
    {
        var clock = new SteppedTime();
        var source = new FakeSource(Small);
        using var log = new CollectingLoggers();
        var room = new FakeEncoderRoom();
        using var pipeline = new CameraPipeline(new CameraOptions { Name = "porch" }, log, (_, demand) => source.Reopened(demand), [room.Rung], clock);
        var viewer = new CollectingSubscriber();
        pipeline.Hub.Subscribe(viewer);
        pipeline.Start();
        source.Deliver(Small, Now);
        source.Deliver(Small, Now);
        Assert.True(pipeline.CheckProgress());
        clock.Advance(CameraPipeline.LongestCall + TimeSpan.FromSeconds(1));
        Assert.False(pipeline.CheckProgress());
        Assert.False(pipeline.CheckProgress());
        Assert.Equal((1, "stopped", false), (pipeline.GetStatus().Hangs, pipeline.GetStatus().Notice, pipeline.Hub.IsProducing));
        Assert.Single(log.Lines, static line => line.Contains("reading a frame has hung", StringComparison.Ordinal));
        viewer.WaitFor(3);
        source.Deliver(Small, Pacer.Now(clock));
        Assert.True(pipeline.CheckProgress());
        Assert.Null(pipeline.GetStatus().Notice);
        // The same encoder goes on, with an IDR.
        Assert.Single(room.Opened);
        Assert.True(room.Encoded.ElementAt(2).Forced);
    }

    [Fact]
    public void An_encoder_that_fails_is_opened_again_while_the_camera_stays_open()
    {
        using var rig = new PipelineRig(Small);
        rig.Rooms[0].FailsAt = static frame => frame == 3;
        for (var i = 0; i < 5; i++) rig.Deliver();
        Assert.Equal(4, rig.Viewer.All.Count);
        Assert.Equal([true, false, true, false], rig.Viewer.All.Select(static unit => unit.IsKeyFrame));
        Assert.Equal((2, 1, 1), (rig.Rooms[0].Opened.Count, rig.Source.OpeningAttempts, (int)rig.Status.EncoderFailures));
        Assert.Single(rig.Log.Lines, static line => line.Contains("fake has failed", StringComparison.Ordinal));
    }

    [Fact]
    public void While_no_encoder_works_the_camera_stays_open_viewers_see_a_notice_and_the_status_says_why()
    {
        using var rig = new PipelineRig(Small);
        rig.Deliver();
        rig.Rooms[0].Refusal = "no encoder: install ffmpeg";
        rig.Rooms[0].FailsAt = static frame => frame == 2;
        rig.Deliver();
        rig.Deliver();
        Assert.Equal(("no encoder: install ffmpeg", "encoder failed", false), (rig.Status.Error, rig.Status.Notice, rig.Status.IsProducing));
        rig.Viewer.WaitFor(2);
        rig.Rooms[0].Refusal = null;
        Wait.Until(
            () =>
            {
                rig.Deliver();
                return rig.Status.IsProducing;
            },
            "encoding again");
        Assert.Equal((null, null, 1), (rig.Status.Error, rig.Status.Notice, rig.Source.OpeningAttempts));
        Assert.Single(rig.Log.Lines, static line => line.Contains("install ffmpeg", StringComparison.Ordinal));
    }
}
