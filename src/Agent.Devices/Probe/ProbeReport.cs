namespace Agent.Devices.Probe;

/// <summary>What this machine has: its cameras and its H.264 encoders.</summary>
public sealed record ProbeReport(IReadOnlyList<CameraReport> Cameras, IReadOnlyList<EncoderReport> Encoders);

/// <summary>One V4L2 capture node, or one that cannot be looked into and why.</summary>
/// <param name="Path">Device node.</param>
/// <param name="Card">Name of the device.</param>
/// <param name="Driver">Kernel driver.</param>
/// <param name="Bus">Where it is plugged in: the same camera on the same socket keeps it.</param>
/// <param name="Problem">What keeps it from being used, and the mend; <c>null</c> if nothing does.</param>
/// <param name="Formats">In the driver's order.</param>
/// <param name="Controls">In the driver's order.</param>
public sealed record CameraReport(
    string Path, string Card, string Driver, string Bus, string? Problem,
    IReadOnlyList<FormatReport> Formats, IReadOnlyList<ControlReport> Controls)
{
    /// <summary>What to write into <c>source.path</c>: leads to this camera even when it comes back as another node.</summary>
    public string StablePath { get; init; } = Path;

    /// <summary>Whether it is a raw node of a Raspberry Pi's CSI camera, which only libcamera can drive.</summary>
    public bool IsCsi { get; init; }
}

/// <summary>A pixel format of a camera.</summary>
/// <param name="FourCc">Its V4L2 code.</param>
/// <param name="Description">The driver's words.</param>
/// <param name="IsUsable">Whether the agent can stream it.</param>
/// <param name="Sizes">Empty if the driver lists none.</param>
public sealed record FormatReport(string FourCc, string Description, bool IsUsable, IReadOnlyList<SizeReport> Sizes);

/// <summary>A frame size, or a range of sizes from Width × Height to MaxWidth × MaxHeight.</summary>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="MaxWidth">Pixels; equal to Width for a single size.</param>
/// <param name="MaxHeight">Pixels; equal to Height for a single size.</param>
/// <param name="FrameRates">Frames per second (at the largest size of a range); a range of rates gives its two ends.</param>
public sealed record SizeReport(int Width, int Height, int MaxWidth, int MaxHeight, IReadOnlyList<double> FrameRates);

/// <summary>A control of a camera.</summary>
/// <param name="Id">V4L2_CID_….</param>
/// <param name="Key">Its name in the configuration, spelt as v4l2-ctl does: <c>power_line_frequency</c>.</param>
/// <param name="Name">The driver's name.</param>
/// <param name="Type">integer, boolean, menu, button, bitmask or other.</param>
/// <param name="Minimum">Lowest value.</param>
/// <param name="Maximum">Highest value; of a bitmask all bits that can be set.</param>
/// <param name="Step">Distance between values.</param>
/// <param name="Default">Value after plugging in.</param>
/// <param name="Value">Value now; <c>null</c> if it cannot be read.</param>
/// <param name="Choices">A menu's entries, else empty.</param>
/// <param name="Obstacle">What keeps it from being set now, and the mend; <c>null</c> if nothing does.</param>
public sealed record ControlReport(
    uint Id, string Key, string Name, string Type, long Minimum, long Maximum, long Step, long Default, long? Value,
    IReadOnlyList<ControlChoice> Choices, string? Obstacle);

/// <summary>One entry of a menu control.</summary>
public sealed record ControlChoice(long Value, string Name);

/// <summary>An H.264 encoder.</summary>
/// <param name="Name">libx264, libopenh264 or the device's card name.</param>
/// <param name="Kind">"libavcodec", "libopenh264" or "v4l2-m2m".</param>
/// <param name="Path">Device node of a v4l2-m2m encoder, else <c>null</c>.</param>
public sealed record EncoderReport(string Name, string Kind, string? Path);
