using Agent.Devices.Sources;
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
        for (var i = 1; i < units.Count; i++)
            Assert.Equal(1 / 30.0, (units[i].CapturedAt - units[i - 1].CapturedAt).TotalSeconds, 0.001);
        var picture = FfmpegTool.Decode(subscriber.Stream).AsSpan(0, 320 * 240 * 3 / 2);
        Assert.True(Timecode.TryRead(picture, 320, 320, 240, out var timecode));
        Assert.InRange(DateTimeOffset.UtcNow - DateTimeOffset.FromUnixTimeMilliseconds(timecode.UnixMilliseconds), TimeSpan.Zero, TimeSpan.FromMinutes(1));
    }
}
