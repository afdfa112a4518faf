using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.UvcH264;
using static Agent.Interop.V4l2.Uvcvideo;

namespace Agent.Devices.Sources;

/// <summary>The H.264 extension unit of a USB camera, reached through uvcvideo (kernel documentation, "The Linux USB Video Class driver").</summary>
internal sealed unsafe class UvcH264Unit
{
    /// <summary>A device descriptor and the longest set of configurations sysfs shows, 16 bits long.</summary>
    private const int LongestDescriptors = 18 + ushort.MaxValue;

    /// <summary>dwFrameInterval counts 100 ns.</summary>
    private const double IntervalsPerSecond = 10_000_000;

    private readonly V4l2Device device;
    private readonly byte unit;

    private UvcH264Unit(V4l2Device device, byte unit)
    {
        (this.device, this.unit) = (device, unit);
        CanMakeKeyFrames = CanSet(UVCX_PICTURE_TYPE_CONTROL);
        CanSetBitrate = CanSet(UVCX_BITRATE_LAYERS);
    }

    public bool CanMakeKeyFrames { get; }

    public bool CanSetBitrate { get; }

    /// <summary>The unit of the camera behind an open node; <c>null</c> if it has none.</summary>
    public static UvcH264Unit? TryFind(V4l2Device device, string node)
    {
        if (V4l2Sysfs.Find(Path.GetFileName(node))?.Usb is not { } usb)
        {
            return null;
        }

        try
        {
            // The file is shorter than it says.
            using var file = File.OpenHandle(Path.Combine(usb.Directory, "descriptors"));
            var descriptors = new byte[LongestDescriptors];
            int length = 0, read;
            while ((read = RandomAccess.Read(file, descriptors.AsSpan(length), length)) > 0)
            {
                length += read;
            }

            return UvcDescriptors.TryFindExtensionUnit(descriptors.AsSpan(0, length), usb.Interface, GuidUvcxH264Xu, out var unit)
                ? new UvcH264Unit(device, unit) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Unplugged just now: whatever is done with it next says so.
            return null;
        }
    }

    /// <summary>Before the stream starts: agrees on bitrate and keyframe distance. False if the camera keeps to its own.</summary>
    /// <param name="format">As agreed with VIDIOC_S_FMT.</param>
    /// <param name="bitsPerSecond">Target.</param>
    /// <param name="keyFrameMilliseconds">From one IDR to the next.</param>
    public bool TryConfigure(VideoFormat format, int bitsPerSecond, ushort keyFrameMilliseconds)
    {
        var config = default(uvcx_video_config_probe_commit_t);
        if (Query(UVC_GET_CUR, UVCX_VIDEO_CONFIG_PROBE, ref config) != 0)
        {
            return false;
        }

        config.bmHints = BMHINTS_RESOLUTION | BMHINTS_FRAME_INTERVAL | BMHINTS_BITRATE | BMHINTS_IFRAMEPERIOD;
        (config.wWidth, config.wHeight) = ((ushort)format.Width, (ushort)format.Height);
        config.dwFrameInterval = (uint)Math.Round(IntervalsPerSecond / format.FramesPerSecond);
        config.dwBitRate = (uint)bitsPerSecond;
        config.wIFramePeriod = keyFrameMilliseconds;
        // The camera answers with what it can do of the wish, and that is put in force (§3.3.1).
        return Query(UVC_SET_CUR, UVCX_VIDEO_CONFIG_PROBE, ref config) == 0
            && Query(UVC_GET_CUR, UVCX_VIDEO_CONFIG_PROBE, ref config) == 0
            && config.wIFramePeriod is > 0 and var period && period <= keyFrameMilliseconds
            && Query(UVC_SET_CUR, UVCX_VIDEO_CONFIG_COMMIT, ref config) == 0;
    }

    /// <summary>Has the next picture be an IDR with SPS and PPS; false if the camera refuses.</summary>
    public bool RequestKeyFrame()
    {
        var request = new uvcx_picture_type_control_t { wPicType = PICTYPE_IDR_WITH_PPS_SPS };
        return CanMakeKeyFrames && Query(UVC_SET_CUR, UVCX_PICTURE_TYPE_CONTROL, ref request) == 0;
    }

    /// <summary>Changes the bitrate of the running stream; false if the camera refuses.</summary>
    public bool SetBitrate(int bitsPerSecond)
    {
        var rates = new uvcx_bitrate_layers_t { dwPeakBitrate = (uint)bitsPerSecond, dwAverageBitrate = (uint)bitsPerSecond };
        return CanSetBitrate && Query(UVC_SET_CUR, UVCX_BITRATE_LAYERS, ref rates) == 0;
    }

    private bool CanSet(byte selector)
    {
        byte info = 0;
        return Query(UVC_GET_INFO, selector, ref info) == 0 && (info & UVC_CONTROL_CAP_SET) != 0;
    }

    /// <summary>Returns 0 or the errno.</summary>
    private int Query<T>(byte query, byte selector, ref T data)
        where T : unmanaged
    {
        fixed (T* pointer = &data)
        {
            var request = new uvc_xu_control_query { unit = unit, selector = selector, query = query, size = (ushort)sizeof(T), data = (byte*)pointer };
            return device.Ioctl(UVCIOC_CTRL_QUERY, ref request);
        }
    }
}
