namespace Agent.Devices.Probe;

/// <summary>What this machine has: its cameras, its H.264 encoders, its sensors and its GPIO chips.</summary>
public sealed record ProbeReport(IReadOnlyList<CameraReport> Cameras, IReadOnlyList<EncoderReport> Encoders)
{
    public IReadOnlyList<SensorDeviceReport> Sensors { get; init; } = [];

    public IReadOnlyList<I2cBusReport> I2cBuses { get; init; } = [];

    public IReadOnlyList<GpioChipReport> GpioChips { get; init; } = [];
}

/// <summary>A GPIO chip, or one that cannot be looked into and why.</summary>
/// <param name="Path">Device node.</param>
/// <param name="Label">What its driver calls it.</param>
/// <param name="Problem">What keeps it from being used, and the mend; <c>null</c> if nothing does.</param>
/// <param name="Lines">By offset.</param>
public sealed record GpioChipReport(string Path, string Label, string? Problem, IReadOnlyList<GpioLineReport> Lines);

/// <summary>A line of a GPIO chip.</summary>
/// <param name="Offset">On the chip, from 0.</param>
/// <param name="Name">Empty if it has none.</param>
/// <param name="UsedBy">Who has it, <c>null</c> if it is free.</param>
public sealed record GpioLineReport(int Offset, string Name, string? UsedBy);

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

/// <summary>A device that measures.</summary>
/// <param name="Kind">iio, hwmon or w1, as in <c>sensors.NAME.kind</c>.</param>
/// <param name="Name">The driver's name for it; of a 1-Wire thermometer its id.</param>
/// <param name="Place">The device that it belongs to, such as 1-0076; empty if there is none.</param>
/// <param name="Node">Its folder in sysfs, such as iio:device0, which may be another's after the next start.</param>
/// <param name="Channels">What it measures.</param>
public sealed record SensorDeviceReport(string Kind, string Name, string Place, string Node, IReadOnlyList<SensorChannelReport> Channels);

/// <summary>Something that a device measures.</summary>
/// <param name="Channel">As in <c>sensors.NAME.channel</c>.</param>
/// <param name="Label">The driver's words for it, empty if it has none.</param>
/// <param name="Value">Now; <c>null</c> if it cannot be read.</param>
/// <param name="Unit">Empty for a number without one.</param>
/// <param name="DeviceClass">Home Assistant's, <c>null</c> for a quantity that it has none for.</param>
/// <param name="Problem">Why it cannot be read.</param>
public sealed record SensorChannelReport(string Channel, string Label, double? Value, string Unit, string? DeviceClass, string? Problem);

/// <summary>An I2C bus.</summary>
/// <param name="Path">Device node.</param>
/// <param name="Name">The adapter's name.</param>
/// <param name="Devices">Chips on it that kernel drivers know of.</param>
public sealed record I2cBusReport(string Path, string Name, IReadOnlyList<string> Devices);
