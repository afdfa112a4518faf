using System.Collections.ObjectModel;

namespace Agent.Devices;

/// <summary>Which kind of source a camera reads from.</summary>
public enum VideoSourceKind
{
    Test,
    File,
    V4l2,
    /// <summary>A CSI camera of a Raspberry Pi, through a child process: rpicam-vid or libcamera-vid.</summary>
    Rpicam,
    /// <summary>Any program that writes video to its standard output.</summary>
    Exec,
}

/// <summary>
/// Which H.264 encoder: <c>Auto</c> takes the first that serves, in the order of this list; <c>Passthrough</c> is the source's own.
/// </summary>
public enum VideoEncoderKind
{
    Auto,
    Passthrough,
    V4l2M2m,
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

/// <summary>The size of the stream for thin links beside the camera's own.</summary>
public enum SmallLayerSize
{
    /// <summary>Half of the width and half of the height.</summary>
    Half,
    /// <summary>A quarter of each.</summary>
    Quarter,
    /// <summary>There is none.</summary>
    Off,
}

/// <summary>Whether a camera starts with privacy on.</summary>
public enum PrivacyAtStart
{
    /// <summary>As it was when the agent stopped.</summary>
    Restore,
    Off,
    On,
}

/// <summary>One camera: its source, its encoder, what is looked for in its pictures.</summary>
public sealed record CameraOptions
{
    /// <summary>The name in URLs, topics and the status: letters, digits, '-' and '_'.</summary>
    public required string Name { get; init; }

    public VideoSourceOptions Source { get; init; } = new();

    public VideoEncoderOptions Encoder { get; init; } = new();

    /// <summary>A second, smaller stream, encoded only while a viewer's link is too thin for the first.</summary>
    public SmallLayerSize SmallLayer { get; init; } = SmallLayerSize.Half;

    public PrivacyAtStart Privacy { get; init; } = PrivacyAtStart.Restore;

    public Motion.MotionOptions Motion { get; init; } = new();
}

/// <summary>Where frames come from. Width, height and rate are wishes for v4l2, exact for test, ignored for passed-through files.</summary>
public sealed record VideoSourceOptions
{
    public VideoSourceKind Kind { get; init; } = VideoSourceKind.Test;

    /// <summary>Device node, or one of its links under /dev/v4l (v4l2), or file path (file).</summary>
    public string? Path { get; init; }

    public int Width { get; init; } = 1280;

    public int Height { get; init; } = 720;

    /// <summary>Frames per second.</summary>
    public int FrameRate { get; init; } = 30;

    /// <summary>v4l2: force one of YUYV, NV12, YU12, MJPG, H264; exec and rpicam: what the program writes. <c>null</c> chooses.</summary>
    public string? PixelFormat { get; init; }

    /// <summary>v4l2 only: controls set whenever the device is opened, by name; values as <see cref="Sources.ICameraControls.Set"/> takes them.</summary>
    public IReadOnlyDictionary<string, string> Controls { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>exec only: the program and its arguments; no shell comes between.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>rpicam only: which camera, as <c>rpicam-vid --list-cameras</c> numbers them.</summary>
    public int CameraIndex { get; init; }

    /// <summary>rpicam only: more arguments for the program, such as <c>--hflip</c>.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];
}

/// <summary>How frames are encoded.</summary>
public sealed record VideoEncoderOptions
{
    public VideoEncoderKind Kind { get; init; } = VideoEncoderKind.Auto;

    /// <summary>Target in bit/s; less is made where viewers' links carry less.</summary>
    public int BitrateBps { get; init; } = 2_000_000;

    /// <summary>Never less than this, bit/s, however narrow the links.</summary>
    public int MinimumBitrateBps { get; init; } = 150_000;

    public H264Profile Profile { get; init; } = H264Profile.ConstrainedBaseline;

    /// <summary>Longest distance between IDR pictures; viewers ask for their own in between.</summary>
    public int KeyFrameIntervalSeconds { get; init; } = 10;
}
