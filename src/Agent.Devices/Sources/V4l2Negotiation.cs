using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Sources;

/// <summary>What a capture node and the agent have agreed on.</summary>
/// <param name="Format">As delivered.</param>
/// <param name="FourCc">Its V4L2 code.</param>
/// <param name="MemoryPlanes">Separate memories each buffer has.</param>
/// <param name="Layout">Where the picture planes lie in them.</param>
internal sealed record V4l2Negotiation(VideoFormat Format, uint FourCc, int MemoryPlanes, V4l2PlaneLayout[] Layout)
{
    /// <summary>Checks that the node is a camera, chooses from its offer (<see cref="V4l2FormatChoice.Nearest"/>) and sets that.</summary>
    /// <exception cref="VideoSourceException">It is no camera, is busy, or offers nothing the agent can use.</exception>
    public static V4l2Negotiation Agree(V4l2Device device, VideoSourceOptions options, SourceDemand demand, out V4l2Capability capability)
    {
        var path = options.Path!;
        var errno = V4l2Enumeration.TryQueryCapability(device, out capability);
        if (errno != 0)
        {
            throw V4l2Failure.NotAVideoDevice(path, errno);
        }

        if (!capability.IsCamera)
        {
            throw V4l2Failure.NotACamera(path, $"{capability.Kind} ('{capability.Card}')");
        }

        if ((capability.DeviceCaps & V4L2_CAP_STREAMING) == 0)
        {
            throw V4l2Failure.NotACamera(path, $"'{capability.Card}' without streaming I/O");
        }

        V4l2DigitalInput.Follow(device, path);
        var choice = Choose(device, capability, options, demand);
        var negotiated = SetFormat(device, path, capability, choice);
        var asked = new v4l2_fract { numerator = 1, denominator = (uint)options.FrameRate };
        var interval = SetInterval(device, path, capability, choice.Interval.numerator != 0 ? choice.Interval : asked);
        var (single, planar) = (negotiated.fmt.pix, negotiated.fmt.pix_mp);
        var (width, height, colorspace, encoding) = capability.IsMultiplanar
            ? (planar.width, planar.height, planar.colorspace, planar.ycbcr_enc)
            : (single.width, single.height, single.colorspace, single.ycbcr_enc);
        var format = new VideoFormat(choice.Format.PixelFormat, (int)width, (int)height, (int)interval.denominator, (int)interval.numerator)
        {
            LumaCoefficients = IsBt709(colorspace, encoding) ? LumaCoefficients.Bt709 : LumaCoefficients.Bt601,
        };
        var layout = V4l2PlaneLayout.Of(choice.Format, negotiated, capability.IsMultiplanar);
        return new V4l2Negotiation(format, choice.Format.FourCc, capability.IsMultiplanar ? choice.Format.MemoryPlanes : 1, layout);
    }

    /// <summary>Makes sure, once buffers are allocated and keep others from changing it, that the format is still the one agreed on.</summary>
    /// <exception cref="VideoSourceException">Another program has changed it in the meantime.</exception>
    public void CheckStillSet(V4l2Device device, string path, V4l2Capability capability)
    {
        var format = new v4l2_format { type = capability.CaptureType };
        var errno = device.Ioctl(VIDIOC_G_FMT, ref format);
        if (errno != 0)
        {
            throw V4l2Failure.SettingUp(path, "VIDIOC_G_FMT", errno);
        }

        var (single, planar) = (format.fmt.pix, format.fmt.pix_mp);
        var (width, height, fourCc) = capability.IsMultiplanar
            ? (planar.width, planar.height, planar.pixelformat)
            : (single.width, single.height, single.pixelformat);
        if ((width, height, fourCc) != ((uint)Format.Width, (uint)Format.Height, FourCc))
        {
            throw V4l2Failure.FormatTaken(path, $"{V4l2Enumeration.FourCcText(fourCc)} {width}x{height}");
        }
    }

    /// <summary>As V4L2_MAP_YCBCR_ENC_DEFAULT of linux/videodev2.h resolves a default encoding.</summary>
    private static bool IsBt709(uint colorspace, uint encoding) =>
        encoding is V4L2_YCBCR_ENC_709 or V4L2_YCBCR_ENC_XV709
        || (encoding == V4L2_YCBCR_ENC_DEFAULT && colorspace is V4L2_COLORSPACE_REC709 or V4L2_COLORSPACE_DCI_P3);

    private static V4l2FormatChoice Choose(V4l2Device device, V4l2Capability capability, VideoSourceOptions options, SourceDemand demand)
    {
        var offered = V4l2Enumeration.Formats(device, capability.CaptureType).ConvertAll(format => format.FourCc);
        return V4l2FormatChoice.Nearest(
            offered,
            fourCc => V4l2Enumeration.Sizes(device, fourCc),
            (fourCc, width, height) => V4l2Enumeration.Intervals(device, fourCc, width, height),
            options,
            demand) ?? throw V4l2Failure.NoFormat(options, demand.OwnH264, offered, capability.Driver);
    }

    private static v4l2_format SetFormat(V4l2Device device, string path, V4l2Capability capability, V4l2FormatChoice choice)
    {
        var (wished, width, height) = (choice.Format.FourCc, choice.Width, choice.Height);
        var format = new v4l2_format { type = capability.CaptureType };
        if (capability.IsMultiplanar)
        {
            var planes = (byte)choice.Format.MemoryPlanes;
            format.fmt.pix_mp = new()
            {
                width = width, height = height, pixelformat = wished, field = V4L2_FIELD_NONE, num_planes = planes,
            };
        }
        else
        {
            format.fmt.pix = new() { width = width, height = height, pixelformat = wished, field = V4L2_FIELD_NONE };
        }

        var errno = device.Ioctl(VIDIOC_S_FMT, ref format);
        if (errno != 0)
        {
            throw V4l2Failure.SettingUp(path, "VIDIOC_S_FMT", errno);
        }

        var (given, field) = capability.IsMultiplanar
            ? (format.fmt.pix_mp.pixelformat, format.fmt.pix_mp.field)
            : (format.fmt.pix.pixelformat, format.fmt.pix.field);
        if (given != wished)
        {
            throw new VideoSourceException(
                $"camera {path}: lists {V4l2Enumeration.FourCcText(wished)} but answers VIDIOC_S_FMT with {V4l2Enumeration.FourCcText(given)}; "
                + "set 'pixelFormat' to another that it lists");
        }

        return field is V4L2_FIELD_NONE or V4L2_FIELD_INTERLACED or V4L2_FIELD_INTERLACED_TB or V4L2_FIELD_INTERLACED_BT ? format
            : throw new VideoSourceException(
                $"camera {path}: delivers single fields (v4l2_field {field}), not whole frames; choose a progressive input or size");
    }

    /// <summary>Asks for a frame interval; returns the one the driver took, or the asked one where it cannot tell.</summary>
    private static v4l2_fract SetInterval(V4l2Device device, string path, V4l2Capability capability, v4l2_fract interval)
    {
        var parameters = new v4l2_streamparm { type = capability.CaptureType };
        parameters.parm.capture.timeperframe = interval;
        var errno = device.Ioctl(VIDIOC_S_PARM, ref parameters);
        if (errno is not 0 and not V4l2Errno.ENOTTY)
        {
            throw V4l2Failure.SettingUp(path, "VIDIOC_S_PARM", errno);
        }

        var taken = parameters.parm.capture.timeperframe;
        return errno == 0 && taken.numerator != 0 && taken.denominator != 0 ? taken : interval;
    }
}
