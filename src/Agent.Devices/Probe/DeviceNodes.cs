using System.Globalization;
using Agent.Devices.Sources;
using Agent.Interop.V4l2;

namespace Agent.Devices.Probe;

/// <summary>Walks the video device nodes of the machine.</summary>
internal static class DeviceNodes
{
    /// <summary>Opens each videoN under a directory in the order of N; the device is closed after the visit.</summary>
    /// <param name="directory">"/dev", or a test's directory.</param>
    /// <param name="visit">Gets the path, and the device with its capability or else the problem.</param>
    public static void Visit(string directory, Action<string, V4l2Device?, V4l2Capability?, string?> visit)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(directory, "video*").Where(path => Number(path) >= 0).OrderBy(Number))
        {
            using var device = V4l2Device.TryOpen(path, out var errno);
            if (device is null)
            {
                visit(path, null, null, V4l2Failure.Opening(path, errno).Message);
                continue;
            }

            errno = V4l2Enumeration.TryQueryCapability(device, out var capability);
            if (errno == 0)
            {
                visit(path, device, capability, null);
            }
            else
            {
                visit(path, null, null, V4l2Failure.NotAVideoDevice(path, errno).Message);
            }
        }
    }

    private static int Number(string path)
    {
        var digits = Path.GetFileName(path.AsSpan())["video".Length..];
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
    }
}
