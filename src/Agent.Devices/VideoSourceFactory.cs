using Agent.Devices.Sources;

namespace Agent.Devices;

/// <summary>Opens the source that a camera's options name, again and again; one for each camera. One thread.</summary>
internal sealed class VideoSourceFactory
{
    private readonly V4l2Identity _identity = new();

    /// <exception cref="VideoSourceException">It cannot be opened.</exception>
    public IVideoSource Open(VideoSourceOptions options, SourceDemand demand) => options.Kind switch
    {
        VideoSourceKind.Test => new TestVideoSource(options),
        VideoSourceKind.File => new FileVideoSource(options, demand.OwnH264),
        VideoSourceKind.V4l2 => new V4l2Camera(options, demand, _identity),
        VideoSourceKind.Exec => ExecCamera.Open(options),
        VideoSourceKind.Rpicam => RpicamCamera.Open(options, demand),
        _ => throw new ArgumentOutOfRangeException(nameof(options), options.Kind, "no such kind of source"),
    };
}
