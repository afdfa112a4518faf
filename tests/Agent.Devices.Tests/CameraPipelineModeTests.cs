using System.Collections.Concurrent;
using Agent.Devices.Sources;
using static Agent.Devices.Tests.PipelineRig;

namespace Agent.Devices.Tests;

/// <summary>Size, rate and encoder that are chosen while a camera runs.</summary>
public sealed class CameraPipelineModeTests
{
    private static readonly CameraOptions Options = new() { Name = "porch", Source = new() { Width = 256, Height = 144, FrameRate = 30 } };

    [Fact]
    public void A_choice_opens_the_camera_with_it_and_the_viewer_stays()
    {
        var opened = new ConcurrentQueue<VideoSourceOptions>();
        var source = new FakeSource(Small);
        using var loggers = new CollectingLoggers();
        FakeEncoderRoom[] rooms = [new() { Kind = VideoEncoderKind.Libx264, Name = "x264" }, new() { Kind = VideoEncoderKind.OpenH264, Name = "openh264" }];
        using var pipeline = new CameraPipeline(
            Options, loggers,
            (options, demand) =>
            {
                opened.Enqueue(options);
                return source.Reopened(demand);
            },
            [.. rooms.Select(static room => room.Rung)], TimeProvider.System);
        var viewer = new CollectingSubscriber();
        pipeline.Hub.Subscribe(viewer);
        pipeline.SetMode(new CameraMode { FrameRate = 15 });
        pipeline.Start();
        source.Deliver(Small, Now);
        Assert.Equal((256, 144, 15), Sizes(opened.Last()));
        Assert.Equal("x264", pipeline.GetStatus().Encoder);

        var mode = new CameraMode { Size = new FrameSize(640, 480), FrameRate = 10, Encoder = VideoEncoderKind.OpenH264 };
        pipeline.SetMode(mode);
        source.WaitUntilOpened(2);
        Assert.Equal((640, 480, 10), Sizes(opened.Last()));
        var larger = Small with { Width = 640, Height = 480 };
        source.Deliver(larger, Now);
        viewer.WaitFor(static all => all.Count(unit => unit.Data.AsSpan().SequenceEqual(FakeEncoderRoom.KeyFrame)) >= 2);
        Assert.Equal(("openh264", 640, 480, true), (pipeline.GetStatus().Encoder, pipeline.GetStatus().Width, pipeline.GetStatus().Height, pipeline.GetStatus().IsProducing));
        Assert.Equal(mode, pipeline.Mode);

        // The same again disturbs nobody; the configuration has its say back.
        pipeline.SetMode(mode with { });
        pipeline.SetMode(new CameraMode());
        source.WaitUntilOpened(3);
        source.Deliver(Small, Now);
        Assert.Equal(3, source.OpeningAttempts);
        Assert.Equal((256, 144, 30), Sizes(opened.Last()));
        Assert.Equal("x264", pipeline.GetStatus().Encoder);
        Assert.Equal(0, pipeline.GetStatus().Restarts);

        static (int, int, int) Sizes(VideoSourceOptions options) => (options.Width, options.Height, options.FrameRate);
    }

    [Theory]
    [InlineData("1280x720", 1280, 720)]
    [InlineData("16x2", 16, 2)]
    [InlineData("1280x", 0, 0)]
    [InlineData("0x720", 0, 0)]
    [InlineData("-4x720", 0, 0)]
    [InlineData("1x2x3", 0, 0)]
    [InlineData("99999999999x2", 0, 0)]
    [InlineData("", 0, 0)]
    [InlineData(null, 0, 0)]
    public void A_size_is_read_as_it_is_written(string? text, int width, int height)
    {
        Assert.Equal(width > 0, FrameSize.TryParse(text, out var size));
        if (width == 0) return;
        Assert.Equal(new FrameSize(width, height), size);
        Assert.Equal(text, size.ToString());
    }

    [Fact]
    public void Sizes_come_once_in_order_and_even() =>
        Assert.Equal(
            [new(320, 240), new(640, 360), new(640, 480)],
            FrameSize.Sort([new(640, 480), new(640, 360), new(321, 240), new(320, 241), new(640, 480), new(320, 240)]));
}
