using Agent.Devices.Encoders;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Probe;

/// <summary>Lists the H.264 encoders of this machine.</summary>
public static class EncoderProbe
{
    /// <summary>Software encoders in the order <c>auto</c> tries them, then V4L2 stateful encoders, found by what they take and give.</summary>
    public static IReadOnlyList<EncoderReport> Enumerate() => Enumerate("/dev");

    internal static IReadOnlyList<EncoderReport> Enumerate(string directory)
    {
        var encoders = SoftwareEncoders.All.Where(encoder => encoder.FindObstacle() is null)
            .Select(encoder => new EncoderReport(encoder.Name, encoder.Library, null)).ToList();
        encoders.AddRange(V4l2M2mDevices.Find(directory, V4L2_PIX_FMT_H264, out _)
            .Select(encoder => new EncoderReport(encoder.Card, "v4l2-m2m", encoder.Path)));
        return encoders;
    }
}
