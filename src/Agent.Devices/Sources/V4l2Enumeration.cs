using System.Text;
using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Sources;

/// <summary>A frame size the driver offers, or a range of them; a single size has equal bounds.</summary>
internal readonly record struct V4l2SizeRange(uint MinWidth, uint MaxWidth, uint StepWidth, uint MinHeight, uint MaxHeight, uint StepHeight)
{
    public (uint Width, uint Height) Nearest(int width, int height) =>
        (Nearest((uint)width, MinWidth, MaxWidth, StepWidth), Nearest((uint)height, MinHeight, MaxHeight, StepHeight));

    private static uint Nearest(uint wish, uint min, uint max, uint step) =>
        min + ((Math.Clamp(wish, min, max) - min) / Math.Max(step, 1) * Math.Max(step, 1));
}

/// <summary>A frame interval in seconds the driver offers, or a range of them; a single interval has equal bounds.</summary>
internal readonly record struct V4l2IntervalRange(v4l2_fract Min, v4l2_fract Max)
{
    public static double FramesPerSecond(v4l2_fract interval) =>
        interval.numerator == 0 ? 0 : (double)interval.denominator / interval.numerator;

    public v4l2_fract Nearest(int framesPerSecond) =>
        framesPerSecond > FramesPerSecond(Min) ? Min
        : framesPerSecond < FramesPerSecond(Max) ? Max
        : new v4l2_fract { numerator = 1, denominator = (uint)framesPerSecond };
}

/// <summary>What VIDIOC_QUERYCAP says, as text, and the capabilities of this very node.</summary>
internal sealed record V4l2Capability(string Driver, string Card, string Bus, uint DeviceCaps)
{
    private const uint CaptureCaps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE;
    private const uint OutputCaps = V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_VIDEO_OUTPUT_MPLANE;
    private const uint MultiplanarCaps = V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_VIDEO_OUTPUT_MPLANE | V4L2_CAP_VIDEO_M2M_MPLANE;

    /// <summary>A codec or converter: takes frames and gives frames (some old drivers announce the two halves separately).</summary>
    public bool IsMemoryToMemory =>
        (DeviceCaps & (V4L2_CAP_VIDEO_M2M | V4L2_CAP_VIDEO_M2M_MPLANE)) != 0
        || ((DeviceCaps & CaptureCaps) != 0 && (DeviceCaps & OutputCaps) != 0);

    public bool IsCamera => (DeviceCaps & CaptureCaps) != 0 && !IsMemoryToMemory;

    public bool IsMultiplanar => (DeviceCaps & MultiplanarCaps) != 0;

    public uint CaptureType => IsMultiplanar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE;

    public uint OutputType => IsMultiplanar ? V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE : V4L2_BUF_TYPE_VIDEO_OUTPUT;

    /// <summary>What kind of node this is, for people.</summary>
    public string Kind =>
        IsMemoryToMemory ? "a video codec or converter (memory to memory)"
        : IsCamera ? "a video capture device"
        : (DeviceCaps & OutputCaps) != 0 ? "a video output device"
        : (DeviceCaps & V4L2_CAP_META_CAPTURE) != 0 ? "a metadata node"
        : (DeviceCaps & (V4L2_CAP_VBI_CAPTURE | V4L2_CAP_VBI_OUTPUT)) != 0 ? "a VBI (teletext) node"
        : (DeviceCaps & V4L2_CAP_RADIO) != 0 ? "a radio"
        : (DeviceCaps & V4L2_CAP_SDR_CAPTURE) != 0 ? "a software-defined radio"
        : (DeviceCaps & V4L2_CAP_TOUCH) != 0 ? "a touch sensor"
        : $"a V4L2 node with capabilities 0x{DeviceCaps:x8}";
}

/// <summary>Reads out what a V4L2 device offers; each method ends its list at the errno the kernel ends it with.</summary>
internal static unsafe class V4l2Enumeration
{
    /// <summary>Reads VIDIOC_QUERYCAP. Returns 0 or the errno (ENOTTY: not a V4L2 device).</summary>
    public static int TryQueryCapability(V4l2Device device, out V4l2Capability capability)
    {
        var raw = default(v4l2_capability);
        var errno = device.Ioctl(VIDIOC_QUERYCAP, ref raw);
        var caps = (raw.capabilities & V4L2_CAP_DEVICE_CAPS) != 0 ? raw.device_caps : raw.capabilities;
        capability = new V4l2Capability(Text(raw.driver, 16), Text(raw.card, 32), Text(raw.bus_info, 32), caps);
        return errno;
    }

    public static List<(uint FourCc, string Description)> Formats(V4l2Device device, uint bufferType)
    {
        var formats = new List<(uint, string)>();
        var raw = new v4l2_fmtdesc { type = bufferType };
        for (; device.Ioctl(VIDIOC_ENUM_FMT, ref raw) == 0; raw.index++)
        {
            formats.Add((raw.pixelformat, Text(raw.description, 32)));
        }

        return formats;
    }

    /// <summary>Empty if the driver does not list sizes.</summary>
    public static List<V4l2SizeRange> Sizes(V4l2Device device, uint fourCc)
    {
        var sizes = new List<V4l2SizeRange>();
        var raw = new v4l2_frmsizeenum { pixel_format = fourCc };
        for (; device.Ioctl(VIDIOC_ENUM_FRAMESIZES, ref raw) == 0; raw.index++)
        {
            var (size, step) = (raw.discrete, raw.stepwise);
            sizes.Add(raw.type == V4L2_FRMSIZE_TYPE_DISCRETE
                ? new V4l2SizeRange(size.width, size.width, 1, size.height, size.height, 1)
                : new V4l2SizeRange(step.min_width, step.max_width, step.step_width, step.min_height, step.max_height, step.step_height));
        }

        return sizes;
    }

    /// <summary>Empty if the driver does not list rates.</summary>
    public static List<V4l2IntervalRange> Intervals(V4l2Device device, uint fourCc, uint width, uint height)
    {
        var intervals = new List<V4l2IntervalRange>();
        var raw = new v4l2_frmivalenum { pixel_format = fourCc, width = width, height = height };
        for (; device.Ioctl(VIDIOC_ENUM_FRAMEINTERVALS, ref raw) == 0; raw.index++)
        {
            intervals.Add(raw.type == V4L2_FRMIVAL_TYPE_DISCRETE
                ? new V4l2IntervalRange(raw.discrete, raw.discrete)
                : new V4l2IntervalRange(raw.stepwise.min, raw.stepwise.max));
        }

        return intervals;
    }

    /// <summary>The four characters of a V4L2 format code.</summary>
    public static string FourCcText(uint fourCc) =>
        string.Create(4, fourCc & 0x7fffffff, static (text, code) =>
        {
            for (var i = 0; i < 4; i++)
            {
                text[i] = (char)((code >> (8 * i)) & 0xff);
            }
        }).TrimEnd();

    /// <summary>A NUL-terminated string in a fixed array of <paramref name="capacity"/> bytes.</summary>
    public static string Text(byte* bytes, int capacity)
    {
        var span = new ReadOnlySpan<byte>(bytes, capacity);
        var end = span.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? span : span[..end]);
    }
}
