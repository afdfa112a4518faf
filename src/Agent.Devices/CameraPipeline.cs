using Agent.Media;
using Microsoft.Extensions.Logging;

namespace Agent.Devices;

/// <summary>What a camera is doing, for the status and the metrics.</summary>
public sealed record CameraStatus(
    string Name, string Source, string? Encoder, bool IsProducing, string? Error, int Width, int Height, double FramesPerSecond,
    long BitrateBps, int TargetBitrateBps, string? ProfileLevelId, long FramesCaptured, long FramesEncoded, long FramesDropped,
    long KeyFrames, long Restarts);

/// <summary>
/// One camera from source to hub: a capture thread that reads, encodes or passes through, and publishes; reopens a failed source with
/// back-off. <see cref="Start"/> and <see cref="Dispose"/> are called once, the rest from any thread.
/// </summary>
public sealed class CameraPipeline : IDisposable
{
    public CameraPipeline(CameraOptions options, ILoggerFactory loggers)
    {
        Options = options;
        _ = loggers;
        Hub = new FrameHub(options.Name);
    }

    public CameraOptions Options { get; }

    public FrameHub Hub { get; }

    public void Start() => throw new NotImplementedException();

    /// <summary>Changes the encoder's target at run time, in bit/s.</summary>
    public void SetBitrate(int bitsPerSecond) => throw new NotImplementedException();

    public CameraStatus GetStatus() => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
