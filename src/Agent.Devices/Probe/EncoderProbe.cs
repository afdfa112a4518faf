using Agent.Devices.Encoders;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Probe;

/// <summary>Lists the H.264 encoders of this machine.</summary>
public static class EncoderProbe
{
    /// <summary>In the order in which <c>auto</c> tries them: V4L2 stateful encoders, found by what they take and give, then libraries.</summary>
    public static IReadOnlyList<EncoderReport> Enumerate() => Enumerate("/dev");

    internal static IReadOnlyList<EncoderReport> Enumerate(string directory)
    {
        var devices = V4l2M2mDevices.Find(directory, V4L2_PIX_FMT_H264, out _)
            .Select(encoder => new EncoderReport(encoder.Card, "v4l2-m2m", encoder.Path));
        var libraries = SoftwareEncoders.All.Where(encoder => encoder.FindObstacle() is null)
            .Select(encoder => new EncoderReport(encoder.Name, encoder.Library, null));
        return [.. devices, .. libraries];
    }
}
