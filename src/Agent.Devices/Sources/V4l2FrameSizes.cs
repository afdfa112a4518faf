using Agent.Interop.V4l2;

namespace Agent.Devices.Sources;

/// <summary>The sizes to choose from that a camera offers.</summary>
internal static class V4l2FrameSizes
{
    /// <summary>Those of every format that the agent can take, or of the one that is forced; of ranges the common sizes within.</summary>
    /// <param name="device">Open.</param>
    /// <param name="capability">Its.</param>
    /// <param name="pixelFormat">The format forced, or <c>null</c>.</param>
    /// <param name="present">The size in use, which is always among them.</param>
    public static IReadOnlyList<FrameSize> List(V4l2Device device, V4l2Capability capability, string? pixelFormat, FrameSize present)
    {
        var formats = V4l2Enumeration.Formats(device, capability.CaptureType).ConvertAll(format => format.FourCc);
        var usable = V4l2PixelFormat.Supported.Where(format => formats.Contains(format.FourCc) && format.IsWished(pixelFormat));
        return FrameSize.Sort(usable.SelectMany(format => V4l2Enumeration.Sizes(device, format.FourCc)).SelectMany(Choices).Append(present));
    }

    private static IEnumerable<FrameSize> Choices(V4l2SizeRange range) =>
        (range.MinWidth, range.MinHeight) == (range.MaxWidth, range.MaxHeight)
            ? [new FrameSize((int)range.MaxWidth, (int)range.MaxHeight)]
            : FrameSize.Common.Where(size => range.Nearest(size.Width, size.Height) == ((uint)size.Width, (uint)size.Height));
}
