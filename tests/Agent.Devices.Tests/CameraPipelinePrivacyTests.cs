using Agent.Devices.Snapshots;
using Agent.Devices.Sources;
using Agent.Media;
using Microsoft.Extensions.Logging.Abstractions;
using static Agent.Devices.Tests.PipelineRig;

namespace Agent.Devices.Tests;

/// <summary>A camera that is turned off for privacy: its device is closed, nothing of it is seen, and it comes back.</summary>
public sealed class CameraPipelinePrivacyTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static bool IsCameraPicture(CollectingSubscriber.Collected unit) => unit.Data.AsSpan().SequenceEqual(FakeEncoderRoom.KeyFrame);

    [Fact]
    public async Task Its_source_is_closed_and_viewers_see_a_notice_until_its_picture_is_back()
    {
        using var rig = new PipelineRig(Small);
        var changes = new List<bool>();
        rig.Pipeline.PrivacyChanged += changes.Add;
        rig.Deliver();
        rig.Deliver();
        rig.Pipeline.SetPrivacy(true);
        Assert.True(await rig.Pipeline.WaitForPrivacyAsync(Patience, default));
        Assert.Equal(1, rig.Source.Closed);
        Assert.Equal((0, 0), (rig.Source.Leases.Lost, rig.Source.Leases.KeptBeyondSource));
        Assert.Equal((true, false, null, "camera is off"), (rig.Status.IsPrivate, rig.Status.IsProducing, rig.Status.Error, rig.Status.Notice));
        Assert.Equal("42e01f", rig.Pipeline.Hub.StandInProfileLevelId);
        Assert.Null(rig.Pipeline.DeliveringSince);
        var units = rig.Viewer.WaitFor(4);
        Assert.True(SpsReader.TryRead(units[2].Data.AsSpan(4), out var sps));
        Assert.Equal((256, 144), (sps.Width, sps.Height));
        Assert.Equal(1, rig.Source.OpeningAttempts);
        Assert.True(rig.Pipeline.CheckProgress());

        rig.Pipeline.SetPrivacy(false);
        rig.Source.WaitUntilOpened(2);
        Assert.Null(rig.Pipeline.Hub.StandInProfileLevelId);
        rig.Deliver();
        rig.Viewer.WaitFor(static all => all.Count(IsCameraPicture) == 2);
        Assert.Equal((false, true, null), (rig.Status.IsPrivate, rig.Status.IsProducing, rig.Status.Notice));
        Assert.Equal([true, false], changes);
        Assert.False(await rig.Pipeline.WaitForPrivacyAsync(Patience, default));
    }

    [Fact]
    public async Task Switched_on_before_the_start_its_source_is_never_opened_and_the_notice_has_the_size_configured()
    {
        var source = new FakeSource(Small);
        using var pipeline = new CameraPipeline(
            new CameraOptions { Name = "porch", Source = new VideoSourceOptions { Width = 640, Height = 360 } }, NullLoggerFactory.Instance,
            (_, demand) => source.Reopened(demand), [new FakeEncoderRoom().Rung], TimeProvider.System);
        var viewer = new CollectingSubscriber();
        pipeline.Hub.Subscribe(viewer);
        pipeline.SetPrivacy(true);
        pipeline.Start();
        Assert.True(await pipeline.WaitForPrivacyAsync(Patience, default));
        var units = viewer.WaitFor(2);
        Assert.True(SpsReader.TryRead(units[0].Data.AsSpan(4), out var sps));
        Assert.Equal((640, 360), (sps.Width, sps.Height));
        Assert.Equal((0, true), (source.OpeningAttempts, pipeline.GetStatus().IsPrivate));
        var snapshot = await new SnapshotTaker(pipeline).TakeAsync(default);
        Assert.Null(snapshot.Jpeg);
        Assert.Contains("privacy is on", snapshot.Problem, StringComparison.Ordinal);
        pipeline.SetPrivacy(false);
        source.WaitUntilOpened(1);
    }

    [Fact]
    public void Nothing_is_published_after_the_switch_though_the_encoder_still_has_a_picture()
    {
        using var rig = new PipelineRig(Small);
        rig.Deliver();
        rig.Pipeline.SetPrivacy(true);
        var before = rig.Viewer.All.Count(IsCameraPicture);
        rig.Source.Post(Small, Now);
        rig.Viewer.WaitFor(static all => all.Count(static unit => !IsCameraPicture(unit)) >= 3);
        Assert.Equal(before, rig.Viewer.All.Count(IsCameraPicture));
    }

    [Fact]
    public async Task A_camera_that_is_away_can_be_turned_off_and_is_no_longer_looked_for()
    {
        using var rig = new PipelineRig(Small);
        rig.Source.OpeningFailure = new VideoSourceException("camera /dev/video9: no such device node") { Failure = SourceFailure.Absent };
        rig.Source.Fail("unplugged", SourceFailure.Absent);
        rig.Pipeline.SetPrivacy(true);
        Assert.True(await rig.Pipeline.WaitForPrivacyAsync(Patience, default));
        var attempts = rig.Source.OpeningAttempts;
        Assert.Null(rig.Status.Error);
        rig.Viewer.WaitFor(3);
        Assert.Equal(attempts, rig.Source.OpeningAttempts);
    }

    [Fact]
    public async Task Until_a_call_in_the_driver_returns_the_camera_is_not_said_to_be_private_but_viewers_see_nothing()
    {
        using var entered = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        var source = new FakeSource(Small);
        using var pipeline = new CameraPipeline(
            new CameraOptions { Name = "porch" }, NullLoggerFactory.Instance,
            (_, demand) =>
            {
                entered.Set();
                release.Wait(Patience);
                return source.Reopened(demand);
            },
            [new FakeEncoderRoom().Rung], TimeProvider.System);
        pipeline.Start();
        Assert.True(entered.Wait(Patience));
        pipeline.SetPrivacy(true);
        Assert.False(await pipeline.WaitForPrivacyAsync(TimeSpan.FromMilliseconds(50), default));
        Assert.Equal((false, true), (pipeline.GetStatus().IsPrivate, pipeline.WantsPrivacy));
        Assert.Equal("camera is off", pipeline.GetStatus().Notice);
        release.Set();
        Assert.True(await pipeline.WaitForPrivacyAsync(Patience, default));
        Assert.Equal((1, 0), (source.Closed, source.Leases.Lent));
    }

    [Fact]
    public void Reopening_gives_the_viewers_a_notice_and_then_the_picture_of_the_newly_opened_source()
    {
        using var rig = new PipelineRig(Small);
        rig.Deliver();
        rig.Pipeline.Reopen();
        rig.Source.WaitUntilOpened(2);
        rig.Deliver();
        rig.Viewer.WaitFor(static all => all.Count(IsCameraPicture) == 2);
        Assert.Equal((1, 0L, null), (rig.Source.Closed, rig.Status.Restarts, rig.Status.Error));
    }

    [Fact]
    public void The_pipeline_ends_while_it_is_private()
    {
        using var rig = new PipelineRig(Small);
        rig.Deliver();
        rig.Pipeline.SetPrivacy(true);
        rig.Stop();
        Assert.Equal(1, rig.Source.Closed);
    }

    [Fact]
    public void Switching_to_and_fro_from_two_threads_ends_in_one_state_and_never_shows_a_picture_while_private()
    {
        using var rig = new PipelineRig(Small);
        Parallel.For(0, 2, thread =>
        {
            for (var i = 0; i < 200; i++) rig.Pipeline.SetPrivacy((i + thread) % 2 == 0);
        });
        rig.Pipeline.SetPrivacy(true);
        Wait.Until(() => rig.Status.IsPrivate, "private");
        Assert.Equal("camera is off", rig.Status.Notice);
        Assert.NotNull(rig.Pipeline.Hub.StandInProfileLevelId);
        rig.Pipeline.SetPrivacy(false);
        Wait.Until(() => !rig.Status.IsPrivate, "not private");
        Assert.Null(rig.Pipeline.Hub.StandInProfileLevelId);
        rig.Deliver();
        Wait.Until(() => rig.Status.IsProducing, "producing");
    }
}
