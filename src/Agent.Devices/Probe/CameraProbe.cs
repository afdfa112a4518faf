using Agent.Devices.Sources;
using Agent.Interop.Gpio;
using Agent.Interop.V4l2;

namespace Agent.Devices.Probe;

/// <summary>Lists the cameras of this machine by asking their drivers; takes no frame and disturbs no running stream.</summary>
public static class CameraProbe
{
    /// <summary>Cameras, encoders, sensors and GPIO chips together.</summary>
    public static ProbeReport Run() => new(Enumerate(), EncoderProbe.Enumerate())
    {
        Sensors = SensorProbe.Enumerate(), I2cBuses = SensorProbe.EnumerateBuses(), GpioChips = GpioProbe.Enumerate(new GpioKernel()),
    };

    /// <summary>Each capture node under /dev in numerical order, and each node that cannot be opened, with its problem.</summary>
    public static IReadOnlyList<CameraReport> Enumerate() => Enumerate("/dev");

    internal static IReadOnlyList<CameraReport> Enumerate(string directory)
    {
        var cameras = new List<CameraReport>();
        DeviceNodes.Visit(directory, (path, device, capability, problem) =>
        {
            if (device is null || capability is null)
            {
                cameras.Add(new CameraReport(path, "", "", "", problem, [], []));
            }
            else if (capability.IsCamera)
            {
                var formats = V4l2Enumeration.Formats(device, capability.CaptureType)
                    .ConvertAll(format => new FormatReport(
                        V4l2Enumeration.FourCcText(format.FourCc),
                        format.Description,
                        V4l2PixelFormat.Supported.Any(supported => supported.FourCc == format.FourCc),
                        V4l2Enumeration.Sizes(device, format.FourCc).ConvertAll(size => Size(device, format.FourCc, size))));
                var isCsi = CsiCamera.IsRaw(capability, formats);
                cameras.Add(new CameraReport(
                    path, capability.Card, capability.Driver, capability.Bus, isCsi ? CsiCamera.Problem : null, formats, V4l2ControlAccess.List(device))
                {
                    StablePath = V4l2Identity.StablePath(path, capability),
                    IsCsi = isCsi,
                });
            }
        });
        return cameras;
    }

    private static SizeReport Size(V4l2Device device, uint fourCc, V4l2SizeRange size)
    {
        var rates = V4l2Enumeration.Intervals(device, fourCc, size.MaxWidth, size.MaxHeight)
            .SelectMany(interval => new[] { Rate(interval.Max), Rate(interval.Min) }).Distinct().ToList();
        return new SizeReport((int)size.MinWidth, (int)size.MinHeight, (int)size.MaxWidth, (int)size.MaxHeight, rates);
    }

    private static double Rate(v4l2_fract interval) => Math.Round(V4l2IntervalRange.FramesPerSecond(interval), 3);
}
