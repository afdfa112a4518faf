using Agent.Devices.Sources;

namespace Agent.Devices.Tests;

/// <summary>A running pipeline over a <see cref="FakeSource"/> and fake encoders, and a viewer.</summary>
internal sealed class PipelineRig : IDisposable
{
    public static readonly VideoFormat Small = new(PixelFormat.Yu12, 256, 144, 30, 1);
    public static readonly VideoFormat SmallH264 = Small with { PixelFormat = PixelFormat.H264 };

    /// <summary>A slice of a picture that needs the one before.</summary>
    public static readonly byte[] OtherFrame = [0, 0, 1, 0x41, 0x9A];

    private bool _isStopped;

    public PipelineRig(VideoFormat format, VideoEncoderKind kind = VideoEncoderKind.Auto, params FakeEncoderRoom[] rooms)
        : this(new FakeSource(format), kind, rooms)
    {
    }

    public PipelineRig(FakeSource source, VideoEncoderKind kind = VideoEncoderKind.Auto, params FakeEncoderRoom[] rooms)
    {
        Source = source;
        Rooms = rooms.Length > 0 ? rooms : [new FakeEncoderRoom()];
        var options = new CameraOptions { Name = "porch", Encoder = new VideoEncoderOptions { Kind = kind } };
        Pipeline = new CameraPipeline(
            options, Log, (_, demand) => source.Reopened(demand), [.. Rooms.Select(static room => room.Rung)], TimeProvider.System);
        Pipeline.Hub.Subscribe(Viewer);
        Pipeline.Start();
    }

    public FakeSource Source { get; }

    public FakeEncoderRoom[] Rooms { get; }

    public CollectingLoggers Log { get; } = new();

    public CollectingSubscriber Viewer { get; } = new();

    public CameraPipeline Pipeline { get; }

    public CameraStatus Status => Pipeline.GetStatus();

    /// <summary>CLOCK_MONOTONIC, which captured frames are stamped with.</summary>
    public static TimeSpan Now => Pacer.Now(TimeProvider.System);

    /// <summary>Delivers a frame of the source's format that was captured just now.</summary>
    public void Deliver(byte[]? bytes = null) => Source.Deliver(Source.Format, Now, bytes);

    public void Stop()
    {
        if (_isStopped) return;
        _isStopped = true;
        Pipeline.Dispose();
    }

    public void Dispose()
    {
        Stop();
        Log.Dispose();
    }
}
