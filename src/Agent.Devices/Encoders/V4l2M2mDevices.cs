using Agent.Devices.Probe;
using Agent.Devices.Sources;
using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Encoders;

/// <summary>A V4L2 stateful encoder.</summary>
/// <param name="Path">Device node.</param>
/// <param name="Card">Name of the device.</param>
/// <param name="Bus">Where it is.</param>
/// <param name="RawFormats">What it takes of what the agent knows, best first; never empty.</param>
/// <param name="Sizes">Of the coded pictures; empty if the driver lists none.</param>
internal sealed record V4l2M2mDevice(
    string Path, string Card, string Bus, IReadOnlyList<V4l2PixelFormat> RawFormats, IReadOnlyList<V4l2SizeRange> Sizes)
{
    /// <summary>The formats as sources name them, best first.</summary>
    public IReadOnlyList<PixelFormat> PixelFormats { get; } = [.. RawFormats.Select(format => format.PixelFormat).Distinct()];

    /// <summary>False if the driver says that pictures of this size are not for it.</summary>
    public bool Takes(int width, int height) =>
        Sizes.Count == 0 || Sizes.Any(size => width >= size.MinWidth && width <= size.MaxWidth && height >= size.MinHeight && height <= size.MaxHeight);

    /// <summary>
    /// The encoder that a node is, or <c>null</c>: its coded side must list the coded format and its raw side a known raw one, so that
    /// decoders (the reverse), converters and JPEG encoders are left out.
    /// </summary>
    public static V4l2M2mDevice? Recognize(
        string path, V4l2Capability capability, IReadOnlyCollection<uint> captureFormats, IReadOnlyCollection<uint> outputFormats,
        IReadOnlyList<V4l2SizeRange> sizes, uint codedFourCc)
    {
        if (!capability.IsMemoryToMemory || !captureFormats.Contains(codedFourCc)) return null;
        var raw = V4l2PixelFormat.Supported.Where(format => !format.IsCompressed && outputFormats.Contains(format.FourCc)).ToList();
        return raw.Count == 0 ? null : new V4l2M2mDevice(path, capability.Card, capability.Bus, raw, sizes);
    }
}

/// <summary>Finds the V4L2 stateful encoders of this machine by what they take and give, whatever their nodes are called.</summary>
internal static class V4l2M2mDevices
{
    /// <summary>Every H.264 encoder, in the order of the nodes' numbers.</summary>
    public static IReadOnlyList<V4l2M2mDevice> Find() => Find("/dev", V4L2_PIX_FMT_H264, out _);

    /// <summary>Why there is none, with the mend where there is one; <c>null</c> if there is one.</summary>
    public static string? FindObstacle()
    {
        var found = Find("/dev", V4L2_PIX_FMT_H264, out var obstacle);
        return found.Count > 0 ? null : obstacle;
    }

    internal static IReadOnlyList<V4l2M2mDevice> Find(string directory, uint codedFourCc, out string obstacle)
    {
        var found = new List<V4l2M2mDevice>();
        var denied = new List<string>();
        var jpegOnly = new List<string>();
        DeviceNodes.Visit(directory, (path, device, capability, _) =>
        {
            if (device is null || capability is null)
            {
                if (IsDenied(path)) denied.Add(path);
                return;
            }
            if (!capability.IsMemoryToMemory) return;
            var captureFormats = V4l2Enumeration.Formats(device, capability.CaptureType).ConvertAll(format => format.FourCc);
            var outputFormats = V4l2Enumeration.Formats(device, capability.OutputType).ConvertAll(format => format.FourCc);
            var sizes = V4l2Enumeration.Sizes(device, codedFourCc);
            if (V4l2M2mDevice.Recognize(path, capability, captureFormats, outputFormats, sizes, codedFourCc) is { } encoder) found.Add(encoder);
            else if (captureFormats.Contains(V4L2_PIX_FMT_JPEG) || captureFormats.Contains(V4L2_PIX_FMT_MJPEG)) jpegOnly.Add($"{path} ({capability.Card})");
        });
        obstacle = Obstacle(denied, jpegOnly);
        return found;
    }

    internal static string Obstacle(IReadOnlyCollection<string> denied, IReadOnlyCollection<string> jpegOnly) =>
        "no V4L2 device here encodes H.264"
        + (jpegOnly.Count == 0 ? "" : $"; {string.Join(" and ", jpegOnly)} makes JPEG pictures only")
        + (denied.Count == 0
            ? ""
            : $"; permission denied for {string.Join(", ", denied)}, so add the agent's user to group video (sudo usermod -aG video USER) and start it anew");

    private static bool IsDenied(string path)
    {
        using var device = V4l2Device.TryOpen(path, out var errno);
        return errno is V4l2Errno.EACCES or V4l2Errno.EPERM;
    }
}
