namespace Agent.Devices;

/// <summary>Which kind of source a camera reads from.</summary>
public enum VideoSourceKind
{
    Test,
    File,
    V4l2,
}

/// <summary>Which H.264 encoder: <c>Auto</c> takes the first that this machine has.</summary>
public enum VideoEncoderKind
{
    Auto,
    Libx264,
    OpenH264,
}

/// <summary>H.264 profiles the agent encodes.</summary>
public enum H264Profile
{
    ConstrainedBaseline,
    Main,
    High,
}

/// <summary>One camera: its source, its encoder.</summary>
public sealed record CameraOptions
{
    /// <summary>The name in URLs, topics and the status: letters, digits, '-' and '_'.</summary>
    public required string Name { get; init; }

    public VideoSourceOptions Source { get; init; } = new();

    public VideoEncoderOptions Encoder { get; init; } = new();
}

/// <summary>Where frames come from. Width, height and rate are wishes for v4l2, exact for test, ignored for passed-through files.</summary>
public sealed record VideoSourceOptions
{
    public VideoSourceKind Kind { get; init; } = VideoSourceKind.Test;

    /// <summary>Device node (v4l2) or file path (file).</summary>
    public string? Path { get; init; }

    public int Width { get; init; } = 1280;

    public int Height { get; init; } = 720;

    /// <summary>Frames per second.</summary>
    public int FrameRate { get; init; } = 30;

    /// <summary>v4l2 only: force one of YUYV, NV12, YU12, MJPG, H264; <c>null</c> chooses.</summary>
    public string? PixelFormat { get; init; }
}

/// <summary>How frames are encoded.</summary>
public sealed record VideoEncoderOptions
{
    public VideoEncoderKind Kind { get; init; } = VideoEncoderKind.Auto;

    /// <summary>Target in bit/s.</summary>
    public int BitrateBps { get; init; } = 2_000_000;

    public H264Profile Profile { get; init; } = H264Profile.ConstrainedBaseline;

    /// <summary>Longest distance between IDR pictures; viewers ask for their own in between.</summary>
    public int KeyFrameIntervalSeconds { get; init; } = 10;
}
