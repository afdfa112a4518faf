using Agent.Devices.Sources;
using Agent.Interop.LibAv;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices;

/// <summary>Lists the H.264 encoders of this machine.</summary>
public static class EncoderProbe
{
    /// <summary>The encoders of libavcodec that the agent can use, by their FFmpeg names and in the order <c>auto</c> tries them.</summary>
    private static readonly string[] LibavEncoders = ["libx264", "libopenh264"];

    /// <summary>libavcodec's encoders, then V4L2 stateful encoders, found by what they take and give.</summary>
    public static IReadOnlyList<EncoderReport> Enumerate() => Enumerate("/dev");

    internal static IReadOnlyList<EncoderReport> Enumerate(string directory)
    {
        var encoders = LibavEncoders.Where(name => LibAvLibrary.HasEncoder(name, out _))
            .Select(name => new EncoderReport(name, "libavcodec", null)).ToList();
        ProbeDeviceNodes.Visit(directory, (path, device, capability, _) =>
        {
            if (device is not null && capability is { IsMemoryToMemory: true }
                && V4l2Enumeration.Formats(device, capability.CaptureType).Exists(format => format.FourCc == V4L2_PIX_FMT_H264))
            {
                encoders.Add(new EncoderReport(capability.Card, "v4l2-m2m", path));
            }
        });
        return encoders;
    }
}
