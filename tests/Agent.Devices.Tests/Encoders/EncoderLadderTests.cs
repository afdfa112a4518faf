using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using Agent.Media;
using static Agent.Devices.Tests.PipelineRig;

namespace Agent.Devices.Tests.Encoders;

public sealed class EncoderLadderTests
{
    private static FakeEncoderRoom Device() =>
        new() { Kind = VideoEncoderKind.V4l2M2m, Name = "device", LoadsLibrary = false, ReadInPlace = [PixelFormat.Yu12, PixelFormat.Nv12] };

    private static FakeEncoderRoom Library(VideoEncoderKind kind, string name, params PixelFormat[] formats) =>
        new() { Kind = kind, Name = name, ReadInPlace = formats };

    private static FakeEncoderRoom[] All() =>
        [Device(), Library(VideoEncoderKind.Libx264, "x264", PixelFormat.Nv12, PixelFormat.Yu12), Library(VideoEncoderKind.OpenH264, "openh264", PixelFormat.Yu12)];

    [Theory]
    [InlineData(VideoEncoderKind.Auto, OwnH264Use.WhereItServes, "Yu12 Nv12")]
    [InlineData(VideoEncoderKind.Passthrough, OwnH264Use.Always, "Nv12 Yu12")]
    [InlineData(VideoEncoderKind.V4l2M2m, OwnH264Use.Never, "Yu12 Nv12")]
    [InlineData(VideoEncoderKind.Libx264, OwnH264Use.Never, "Nv12 Yu12")]
    [InlineData(VideoEncoderKind.OpenH264, OwnH264Use.Never, "Yu12")]
    internal void The_source_is_asked_for_what_the_encoder_reads_in_place(VideoEncoderKind kind, OwnH264Use ownH264, string formats)
    {
        var rooms = All();
        var ladder = new EncoderLadder(new VideoEncoderOptions { Kind = kind }, [.. rooms.Select(static room => room.Rung)]);
        var demand = ladder.GetDemand(700_000);
        Assert.Equal((ownH264, formats, 700_000), (demand.OwnH264, string.Join(' ', demand.ReadInPlace), demand.Encoder.BitrateBps));
        // Looking for a library loads it: not before it is needed.
        Assert.Equal(0, rooms[1].Searches + rooms[2].Searches);
    }

    [Fact]
    public void An_absent_camera_does_not_have_devices_looked_for_at_every_attempt()
    {
        var device = Device();
        var ladder = new EncoderLadder(new VideoEncoderOptions(), [device.Rung]);
        for (var i = 0; i < 5; i++) ladder.GetDemand(1);
        Assert.Equal(1, device.Searches);
    }

    [Fact]
    public void The_device_serves_before_any_library_and_the_log_says_so_in_one_line()
    {
        using var rig = new PipelineRig(Small, VideoEncoderKind.Auto, All());
        rig.Deliver();
        Assert.Equal(
            ["Camera porch: fake YU12 256x144 30 fps → device, zero copy, 2000000 bit/s, profile-level-id 42e01f; passed over: passthrough (the camera gives no H.264)"],
            rig.Log.Lines);
        Assert.Equal(("device", 0), (rig.Status.Encoder, rig.Rooms[1].Searches));
    }

    [Fact]
    public void The_cameras_own_h264_serves_before_any_encoder()
    {
        using var rig = new PipelineRig(SmallH264, VideoEncoderKind.Auto, All());
        rig.Deliver(FakeEncoderRoom.KeyFrame);
        Assert.Equal(["Camera porch: fake H264 256x144 30 fps → passthrough, profile-level-id 42e01f"], rig.Log.Lines);
        Assert.Equal(("passthrough", 0, 0), (rig.Status.Encoder, rig.Rooms[0].Opened.Count, rig.Rooms[1].Searches));
    }

    [Fact]
    public void An_encoder_that_is_not_here_is_passed_over_with_its_reason()
    {
        var rooms = All();
        rooms[0].Obstacle = "no V4L2 encoder";
        rooms[1].Obstacle = "libavcodec is not installed";
        using var rig = new PipelineRig(Small, VideoEncoderKind.Auto, rooms);
        rig.Deliver();
        Assert.EndsWith(
            "→ openh264, zero copy, 2000000 bit/s, profile-level-id 42e01f; passed over: passthrough (the camera gives no H.264), "
            + "device (no V4L2 encoder), x264 (libavcodec is not installed)",
            Assert.Single(rig.Log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_that_refuses_gives_way_with_one_warning_until_the_camera_is_opened_anew()
    {
        var rooms = All();
        rooms[0].Refusal = "device /dev/video11: VIDIOC_S_FMT: Invalid argument (22)";
        using var rig = new PipelineRig(Small, VideoEncoderKind.Auto, rooms);
        rig.Deliver();
        rooms[0].Refusal = null;
        rig.Deliver();
        Assert.Equal("x264", rig.Status.Encoder);
        rig.Source.Fail("gone");
        rig.Source.WaitUntilOpened(2);
        rig.Deliver();
        Assert.Equal("device", rig.Status.Encoder);
        Assert.Single(rig.Log.Lines, static line => line.Contains("Invalid argument (22); the next encoder takes over", StringComparison.Ordinal));
        Assert.Equal((0, 0), (rig.Rooms[2].Searches, rig.Rooms[2].Opened.Count));
    }

    [Fact]
    public void A_device_that_fails_twice_gives_way_without_a_gap()
    {
        var rooms = All();
        rooms[0].FailsAt = static frame => frame is 2 or 3;
        using var rig = new PipelineRig(Small, VideoEncoderKind.Auto, rooms);
        for (var i = 0; i < 5; i++) rig.Deliver();
        Assert.Equal(("x264", 2, null), (rig.Status.Encoder, (int)rig.Status.EncoderFailures, rig.Status.Notice));
        Assert.Equal((2, 1), (rooms[0].Opened.Count, rig.Source.OpeningAttempts));
        Assert.Equal([true, true, false], rig.Viewer.All.Select(static unit => unit.IsKeyFrame));
        Assert.Single(rig.Log.Lines, static line => line.Contains("the next encoder takes over", StringComparison.Ordinal));
        Assert.Contains("passed over: passthrough (the camera gives no H.264), device (device has failed)", rig.Log.Lines.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_encoder_that_was_chosen_is_not_replaced_by_another()
    {
        var rooms = All();
        rooms[0].Refusal = "device is busy";
        using var rig = new PipelineRig(Small, VideoEncoderKind.V4l2M2m, rooms);
        rig.Deliver();
        Assert.Equal((null, "device is busy"), (rig.Status.Encoder, rig.Status.Error));
        Assert.Equal(0, rooms[1].Searches + rooms[2].Searches);
    }

    [Theory]
    [InlineData(VideoEncoderKind.Passthrough, PixelFormat.Yu12, "encoder.kind is passthrough, but fake gives Yu12 pictures and no H.264 of its own: set encoder.kind to auto")]
    [InlineData(VideoEncoderKind.Libx264, PixelFormat.H264, "fake gives H.264, which Libx264 cannot encode again: set encoder.kind to auto or passthrough")]
    public void A_camera_that_does_not_fit_the_choice_is_told_with_the_mend(VideoEncoderKind kind, PixelFormat given, string error)
    {
        using var rig = new PipelineRig(Small with { PixelFormat = given }, kind, All());
        rig.Deliver();
        Assert.Equal((error, false), (rig.Status.Error, rig.Status.IsProducing));
    }

    [Fact]
    public void Without_any_encoder_every_reason_is_told()
    {
        var rooms = All();
        foreach (var room in rooms) room.Obstacle = $"no {room.Name} here";
        var ladder = new EncoderLadder(new VideoEncoderOptions(), [.. rooms.Select(static room => room.Rung)]);
        var exception = Assert.Throws<VideoEncoderException>(() => ladder.Open("fake", Small, 1, new AccessUnitPool(), static _ => { }, static _ => { }));
        Assert.Equal("no H.264 encoder: no device here; no x264 here; no openh264 here", exception.Message);
    }
}
