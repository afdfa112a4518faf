using Agent.Devices.Sources;
using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Encoders;

/// <summary>What an encoder and the agent have agreed on for the raw frames.</summary>
/// <param name="Raw">Pixel format.</param>
/// <param name="Layout">Where the picture planes of a frame lie.</param>
/// <param name="Sizes">sizeimage of each memory plane.</param>
/// <param name="Height">Lines, as the encoder rounds them.</param>
internal sealed record V4l2M2mFormats(V4l2PixelFormat Raw, V4l2PlaneLayout[] Layout, uint[] Sizes, int Height)
{
    /// <summary>
    /// Sets both formats, the frame interval and the visible rectangle, in the order of the kernel document "Memory-to-Memory Stateful Video
    /// Encoder Interface", section Initialization. Neither queue may have buffers.
    /// </summary>
    /// <param name="device">The encoder, open.</param>
    /// <param name="target">The same, for messages.</param>
    /// <param name="capability">The same, for the kind of its queues.</param>
    /// <param name="raw">Which of its raw formats.</param>
    /// <param name="format">Size, rate and colours of the frames.</param>
    /// <param name="bytesPerLine">Wish for the first plane; 0 leaves it to the driver.</param>
    /// <param name="codedFourCc">What it shall make.</param>
    /// <exception cref="VideoEncoderException">It refuses, or makes something else of it.</exception>
    public static V4l2M2mFormats Agree(
        V4l2Device device, V4l2M2mDevice target, V4l2Capability capability, V4l2PixelFormat raw, VideoFormat format, int bytesPerLine,
        uint codedFourCc)
    {
        var coded = NewFormat(capability, capability.CaptureType, codedFourCc, 1, format);
        Set(device, target, ref coded, codedFourCc, capability.IsMultiplanar);
        var taken = NewFormat(capability, capability.OutputType, raw.FourCc, raw.MemoryPlanes, format);
        if (capability.IsMultiplanar) SetLines(ref taken.fmt.pix_mp, raw, bytesPerLine);
        else taken.fmt.pix.bytesperline = (uint)bytesPerLine;
        Set(device, target, ref taken, raw.FourCc, capability.IsMultiplanar);
        var (single, planar) = (taken.fmt.pix, taken.fmt.pix_mp);
        var (width, height) = capability.IsMultiplanar ? (planar.width, planar.height) : (single.width, single.height);
        if (width < format.Width || height < format.Height)
        {
            throw V4l2M2mFailure.Of(
                target, FormattableString.Invariant($"takes frames of {width}x{height} at most, not {format.Width}x{format.Height}; choose a smaller size"));
        }
        SetInterval(device, target, capability.OutputType, format);
        SetVisible(device, target, format, width, height);
        var memoryPlanes = capability.IsMultiplanar ? planar.num_planes : 1;
        if (memoryPlanes != raw.MemoryPlanes)
            throw V4l2M2mFailure.Of(target, $"wants {V4l2Enumeration.FourCcText(raw.FourCc)} in {memoryPlanes} memory planes");
        ReadOnlySpan<v4l2_plane_pix_format> memory = planar.plane_fmt;
        var sizes = new uint[memoryPlanes];
        for (var i = 0; i < sizes.Length; i++) sizes[i] = capability.IsMultiplanar ? memory[i].sizeimage : single.sizeimage;
        return new V4l2M2mFormats(raw, V4l2PlaneLayout.Of(raw, taken, capability.IsMultiplanar), sizes, (int)height);
    }

    /// <summary>Why the encoder cannot read a frame where it lies, or <c>null</c> if it can.</summary>
    public string? FindMismatch(CapturedFrame frame)
    {
        if (frame.DmabufCount == 0) return "the source does not export DMABUFs";
        if (frame.Format.PixelFormat != Raw.PixelFormat || frame.DmabufCount != Sizes.Length)
            return $"the frames are {frame.Format.PixelFormat} in {frame.DmabufCount} memory planes, the encoder takes {V4l2Enumeration.FourCcText(Raw.FourCc)}";
        for (var i = 0; i < frame.PlaneCount; i++)
        {
            if (frame.GetBytesPerLine(i) != Layout[i].BytesPerLine)
                return $"a line has {frame.GetBytesPerLine(i)} bytes, for the encoder {Layout[i].BytesPerLine}";
        }
        // Where planes share a memory, the second begins after the lines of the first.
        if (frame.PlaneCount > frame.DmabufCount && frame.Format.Height != Height)
            return $"the frames have {frame.Format.Height} lines, for the encoder {Height}";
        for (var i = 0; i < Sizes.Length; i++)
        {
            var dmabuf = frame.GetDmabuf(i);
            // Encoders differ in whether they look at data_offset.
            if (dmabuf.DataOffset != 0) return $"the picture begins {dmabuf.DataOffset} bytes into its buffer";
            if (dmabuf.Length < Sizes[i]) return $"a buffer has {dmabuf.Length} bytes, the encoder wants {Sizes[i]}";
        }
        return null;
    }

    /// <summary>Says that one of so many frames of the format's rate comes; also while the encoder runs. Returns 0 or the errno.</summary>
    public static int TrySetInterval(V4l2Device device, uint outputType, VideoFormat format, int divisor)
    {
        var parameters = new v4l2_streamparm { type = outputType };
        parameters.parm.output.timeperframe =
            new v4l2_fract { numerator = (uint)(format.FrameRateDenominator * divisor), denominator = (uint)format.FrameRateNumerator };
        return device.Ioctl(VIDIOC_S_PARM, ref parameters);
    }

    private static v4l2_format NewFormat(V4l2Capability capability, uint type, uint fourCc, int memoryPlanes, VideoFormat format)
    {
        var isBt709 = format.LumaCoefficients == LumaCoefficients.Bt709;
        var colorspace = isBt709 ? V4L2_COLORSPACE_REC709 : V4L2_COLORSPACE_SMPTE170M;
        var encoding = isBt709 ? V4L2_YCBCR_ENC_709 : V4L2_YCBCR_ENC_601;
        var (width, height) = ((uint)format.Width, (uint)format.Height);
        var wish = new v4l2_format { type = type };
        if (capability.IsMultiplanar)
        {
            wish.fmt.pix_mp = new v4l2_pix_format_mplane
            {
                width = width, height = height, pixelformat = fourCc, field = V4L2_FIELD_NONE, num_planes = (byte)memoryPlanes,
                colorspace = colorspace, ycbcr_enc = (byte)encoding, quantization = (byte)V4L2_QUANTIZATION_LIM_RANGE,
                xfer_func = (byte)V4L2_XFER_FUNC_709,
            };
        }
        else
        {
            wish.fmt.pix = new v4l2_pix_format
            {
                width = width, height = height, pixelformat = fourCc, field = V4L2_FIELD_NONE,
                colorspace = colorspace, ycbcr_enc = encoding, quantization = V4L2_QUANTIZATION_LIM_RANGE, xfer_func = V4L2_XFER_FUNC_709,
            };
        }
        return wish;
    }

    private static void SetLines(ref v4l2_pix_format_mplane planar, V4l2PixelFormat raw, int bytesPerLine)
    {
        for (var i = 0; i < raw.MemoryPlanes; i++)
            planar.plane_fmt[i].bytesperline = (uint)(i > 0 && raw.PixelFormat == PixelFormat.Yu12 ? bytesPerLine / 2 : bytesPerLine);
    }

    private static void Set(V4l2Device device, V4l2M2mDevice target, ref v4l2_format format, uint fourCc, bool isMultiplanar)
    {
        var errno = device.Ioctl(VIDIOC_S_FMT, ref format);
        if (errno != 0) throw V4l2M2mFailure.Calling(target, "VIDIOC_S_FMT", errno);
        var given = isMultiplanar ? format.fmt.pix_mp.pixelformat : format.fmt.pix.pixelformat;
        if (given == fourCc) return;
        throw V4l2M2mFailure.Of(
            target, $"lists {V4l2Enumeration.FourCcText(fourCc)} but answers VIDIOC_S_FMT with {V4l2Enumeration.FourCcText(given)}");
    }

    private static void SetInterval(V4l2Device device, V4l2M2mDevice target, uint outputType, VideoFormat format)
    {
        var errno = TrySetInterval(device, outputType, format, divisor: 1);
        // An encoder without it has no use for the rate.
        if (errno is not 0 and not V4l2Errno.ENOTTY and not V4l2Errno.EINVAL) throw V4l2M2mFailure.Calling(target, "VIDIOC_S_PARM", errno);
    }

    private static void SetVisible(V4l2Device device, V4l2M2mDevice target, VideoFormat format, uint width, uint height)
    {
        var selection = new v4l2_selection
        {
            // Not the multi-planar type, which this ioctl knows only since Linux 4.13.
            type = V4L2_BUF_TYPE_VIDEO_OUTPUT, target = V4L2_SEL_TGT_CROP,
            r = new v4l2_rect { width = (uint)format.Width, height = (uint)format.Height },
        };
        var errno = device.Ioctl(VIDIOC_S_SELECTION, ref selection);
        var isExact = width == format.Width && height == format.Height;
        if (errno == 0 ? selection.r.width == format.Width && selection.r.height == format.Height : isExact) return;
        throw V4l2M2mFailure.Of(
            target, FormattableString.Invariant($"would code {width}x{height} for {format.Width}x{format.Height}; choose a size in steps of 16"));
    }
}
