using Agent.Devices.Sources;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Probe;

/// <summary>
/// Knows the nodes of a Raspberry Pi's CSI receivers and image processors: they capture, but what they capture is raw sensor data, and a
/// program has to lead it through the media controller.
/// </summary>
internal static class CsiCamera
{
    public const string Problem = "a CSI camera's raw node, which only libcamera can drive; use source kind rpicam (package rpicam-apps)";

    /// <summary>v4l2_capability.driver of the Raspberry Pi kernel's drivers/media/platform.</summary>
    private static readonly string[] Receivers = ["unicam", "rp1-cfe"];

    private static readonly string[] Processors = ["bcm2835-isp", "pispbe"];

    /// <summary>True unless the receiver gives pictures by itself, as with an HDMI bridge on the CSI port.</summary>
    public static bool IsRaw(V4l2Capability capability, List<FormatReport> formats) =>
        Processors.Contains(capability.Driver)
        || (Receivers.Contains(capability.Driver)
            && ((capability.DeviceCaps & V4L2_CAP_IO_MC) != 0 || !formats.Exists(format => format.IsUsable)));

    /// <summary>True for a receiver, of which each camera has one.</summary>
    public static bool IsReceiver(string driver) => Receivers.Contains(driver);
}
