using Agent.Devices.Sources;
using static Agent.Devices.Tests.PipelineRig;

namespace Agent.Devices.Tests;

/// <summary>Every frame that a source lends comes back, once, before the source is closed.</summary>
public sealed class FrameLeaseTests
{
    [Fact]
    public void When_the_encoder_fails_refuses_and_nobody_watches()
    {
        using var rig = new PipelineRig(Small);
        rig.Rooms[0].FailsAt = static frame => frame is 2 or 3;
        for (var i = 0; i < 4; i++) rig.Deliver();
        rig.Rooms[0].Refusal = "busy";
        rig.Deliver();
        rig.Pipeline.Hub.Unsubscribe(rig.Viewer);
        rig.Deliver();
        AssertAllReturned(rig, 6);
    }

    [Fact]
    public void When_the_format_changes_while_an_encoder_on_another_thread_keeps_frames()
    {
        using var rig = new PipelineRig(Small, VideoEncoderKind.Auto, new FakeEncoderRoom { FramesKept = 2 });
        for (var i = 0; i < 4; i++) rig.Deliver();
        rig.Source.Deliver(Small with { Width = 320 }, Now);
        rig.Source.Deliver(Small with { Width = 320 }, Now);
        AssertAllReturned(rig, 6);
        Assert.Equal(2, rig.Rooms[0].Disposed);
    }

    [Fact]
    public void When_the_source_fails_while_an_encoder_keeps_frames()
    {
        using var rig = new PipelineRig(Small, VideoEncoderKind.Auto, new FakeEncoderRoom { FramesKept = 3, FailsAt = static frame => frame == 7 });
        for (var i = 0; i < 5; i++) rig.Deliver();
        rig.Source.Fail("gone", SourceFailure.Absent);
        rig.Source.WaitUntilOpened(2);
        for (var i = 0; i < 5; i++) rig.Deliver();
        AssertAllReturned(rig, 10);
    }

    [Fact]
    public void When_the_source_gives_h264_and_then_pictures()
    {
        using var rig = new PipelineRig(SmallH264);
        rig.Deliver(FakeEncoderRoom.KeyFrame);
        rig.Source.Deliver(Small, Now);
        rig.Deliver(OtherFrame);
        rig.Deliver(FakeEncoderRoom.KeyFrame);
        Assert.Equal([true, true, true], rig.Viewer.All.Select(static unit => unit.IsKeyFrame));
        AssertAllReturned(rig, 4);
    }

    private static void AssertAllReturned(PipelineRig rig, int lent)
    {
        // Stopped in the middle: the pipeline waits for its next frame.
        rig.Stop();
        Assert.Equal((lent, 0, 0, 0), rig.Source.Leases);
    }
}
