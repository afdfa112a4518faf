using System.Diagnostics;
using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Sources;

/// <summary>
/// A V4L2 capture node, single- or multi-planar, streamed through mapped buffers (kernel documentation, "Streaming I/O"). Of the
/// frames that wait, the newest is given and the older ones go back; only H264, whose pictures need one another, comes in order.
/// The offer nearest to the wish is chosen: size first, then rate, then NV12, YU12, YUYV, MJPG in this order; H264 only when forced
/// or when there is nothing else.
/// </summary>
public sealed unsafe class V4l2Camera : IVideoSource
{
    /// <summary>One being encoded, one just filled, two for the driver to fill.</summary>
    private const uint BufferCount = 4;

    /// <summary>H264 is never skipped, so a short pause of the reader must fit into the queue.</summary>
    private const uint CompressedStreamBufferCount = 16;

    /// <summary>
    /// A slow reader lets the driver run out of buffers, and then even the newest is old: beyond this age the reader is better served by
    /// the frame that comes next. A fresh frame is up to one interval old where the driver stamps the start of the transfer.
    /// </summary>
    private const int StaleFrameIntervals = 2;

    /// <summary>A camera that is this many frames late has failed: long exposures in the dark cost a factor of ten, not more.</summary>
    private const int StallFrameIntervals = 30;

    /// <summary>The least a stall lasts: USB cameras take up to two seconds to their first frame.</summary>
    private static readonly TimeSpan ShortestStall = TimeSpan.FromSeconds(3);

    private readonly string path;
    private readonly V4l2Device device;
    private readonly V4l2Frame[] frames;
    private readonly uint bufferType;
    private readonly bool isMultiplanar;
    private readonly int memoryPlanes;
    private readonly TimeSpan stallTimeout;
    private readonly TimeSpan staleAge;
    private CancellationToken watchedToken;
    private CancellationTokenRegistration stopRegistration;
    private uint nextSequence;
    private bool hasSequence;
    private int requeueErrno;
    private bool isDisposed;
    private long framesMissed;
    private long framesDamaged;
    private long framesOverwritten;

    /// <summary>Opens the device, agrees on a format and starts the stream.</summary>
    /// <param name="options"><c>Path</c> is the device node; size, rate and format are wishes, see <see cref="Format"/> for what they became.</param>
    /// <exception cref="VideoSourceException">No such node, no permission, not a camera, busy, or no format the agent can use.</exception>
    public V4l2Camera(VideoSourceOptions options)
    {
        path = options.Path ?? throw new VideoSourceException("a v4l2 source needs its device node in 'path', for example /dev/video0");
        device = V4l2Device.TryOpen(path, out var errno) ?? throw V4l2Failure.Opening(path, errno);
        try
        {
            errno = V4l2Enumeration.TryQueryCapability(device, out var capability);
            if (errno != 0)
            {
                throw V4l2Failure.NotAVideoDevice(path, errno);
            }

            if (!capability.IsCamera || (capability.DeviceCaps & V4L2_CAP_STREAMING) == 0)
            {
                throw V4l2Failure.NotACamera(path, capability.IsCamera ? $"'{capability.Card}' without streaming I/O" : $"{capability.Kind} ('{capability.Card}')");
            }

            Description = $"v4l2 {path} ({capability.Card}, {capability.Bus})";
            (isMultiplanar, bufferType) = (capability.IsMultiplanar, capability.CaptureType);
            var choice = Choose(options);
            memoryPlanes = isMultiplanar ? choice.Format.MemoryPlanes : 1;
            var negotiated = SetFormat(choice);
            Format = new VideoFormat(
                choice.Format.PixelFormat,
                (int)(isMultiplanar ? negotiated.fmt.pix_mp.width : negotiated.fmt.pix.width),
                (int)(isMultiplanar ? negotiated.fmt.pix_mp.height : negotiated.fmt.pix.height),
                0,
                0);
            var interval = SetInterval(choice.Interval.numerator != 0 ? choice.Interval : new v4l2_fract { numerator = 1, denominator = (uint)options.FrameRate });
            Format = Format with { FrameRateNumerator = (int)interval.denominator, FrameRateDenominator = (int)interval.numerator };
            var frameInterval = TimeSpan.FromSeconds((double)interval.numerator / interval.denominator);
            stallTimeout = frameInterval * StallFrameIntervals > ShortestStall ? frameInterval * StallFrameIntervals : ShortestStall;
            staleAge = frameInterval * StaleFrameIntervals;
            if (Format.PixelFormat == PixelFormat.H264)
            {
                // Viewers join at any IDR, so each must bring its SPS and PPS. Devices without this control repeat them already, or never.
                _ = SetControl(V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER, 1);
            }

            frames = MapBuffers(V4l2PlaneLayout.Of(choice.Format, negotiated, isMultiplanar));
            foreach (var frame in frames)
            {
                Check("VIDIOC_QBUF", Queue(frame));
            }

            var type = bufferType;
            Check("VIDIOC_STREAMON", device.Ioctl(VIDIOC_STREAMON, ref type));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public VideoFormat Format { get; }

    /// <inheritdoc/>
    public string Description { get; }

    /// <inheritdoc/>
    public long FramesDropped => FramesMissed + FramesDamaged + FramesOverwritten;

    /// <summary>Frames the driver had no buffer for: gaps in v4l2_buffer.sequence.</summary>
    public long FramesMissed => Volatile.Read(ref framesMissed);

    /// <summary>Frames thrown away because the driver flagged them (V4L2_BUF_FLAG_ERROR) or they were too short.</summary>
    public long FramesDamaged => Volatile.Read(ref framesDamaged);

    /// <summary>Whole frames given back unread because a newer one was waiting.</summary>
    public long FramesOverwritten => Volatile.Read(ref framesOverwritten);

    /// <inheritdoc/>
    public CapturedFrame? ReadFrame(CancellationToken stop)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        Watch(stop);
        var started = Stopwatch.GetTimestamp();
        var hasSkipped = false;
        while (!stop.IsCancellationRequested)
        {
            if (requeueErrno != 0)
            {
                throw V4l2Failure.Streaming(path, "VIDIOC_QBUF", requeueErrno);
            }

            var remaining = stallTimeout - Stopwatch.GetElapsedTime(started);
            var result = remaining > TimeSpan.Zero ? device.Wait(remaining) : V4l2WaitResult.TimedOut;
            if (result == V4l2WaitResult.TimedOut)
            {
                throw new VideoSourceException(
                    $"camera {path}: no usable frame for {stallTimeout.TotalSeconds:0.#} s ({FramesDamaged} damaged so far); it is reopened by itself, check cable and power if this repeats");
            }

            if (result != V4l2WaitResult.Woken && TakeNewest(out var wasStarved) is { } frame)
            {
                if (!wasStarved || hasSkipped || Stopwatch.GetElapsedTime(0) - frame.CapturedAt < staleAge)
                {
                    return frame;
                }

                hasSkipped = true;
                framesOverwritten++;
                Requeue(frame);
            }

            if (result == V4l2WaitResult.Failed && requeueErrno == 0)
            {
                throw new VideoSourceException($"camera {path}: the stream has stopped (poll: POLLERR); it is reopened by itself, check cable and power if this repeats");
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public bool RequestKeyFrame() =>
        Format.PixelFormat == PixelFormat.H264 && SetControl(V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME, 1) == 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (isDisposed)
        {
            return;
        }

        isDisposed = true;
        stopRegistration.Dispose();
        var type = bufferType;
        // Best effort on a device that may be gone: closing the descriptor stops the stream too.
        _ = device.Ioctl(VIDIOC_STREAMOFF, ref type);
        foreach (var frame in frames ?? [])
        {
            frame?.Unmap();
        }

        device.Dispose();
    }

    /// <summary>Gives a buffer back to the driver; a failure is reported by the next <see cref="ReadFrame"/>, since a lease ends quietly.</summary>
    internal void Requeue(V4l2Frame frame)
    {
        frame.Return();
        var errno = Queue(frame);
        if (errno != 0)
        {
            requeueErrno = errno;
        }
    }

    /// <summary>Takes what is waiting; <paramref name="wasStarved"/> if the driver had no buffer left but the one the reader may hold.</summary>
    private V4l2Frame? TakeNewest(out bool wasStarved)
    {
        V4l2Frame? newest = null;
        var taken = 0;
        wasStarved = false;
        while (TryDequeue(out var frame, out var isDamaged))
        {
            if (isDamaged)
            {
                framesDamaged++;
                Requeue(frame);
                continue;
            }

            if (newest != null)
            {
                framesOverwritten++;
                Requeue(newest);
            }

            newest = frame;
            if (Format.PixelFormat == PixelFormat.H264)
            {
                break;
            }

            wasStarved = ++taken >= frames.Length - 1;
        }

        return newest;
    }

    /// <summary>Takes one filled buffer; false if none is waiting.</summary>
    private bool TryDequeue(out V4l2Frame frame, out bool isDamaged)
    {
        var planes = stackalloc v4l2_plane[(int)VIDEO_MAX_PLANES];
        var buffer = NewBuffer(0, planes);
        var errno = device.Ioctl(VIDIOC_DQBUF, ref buffer);
        if (errno != 0)
        {
            frame = null!;
            isDamaged = false;
            return errno == V4l2Errno.EAGAIN ? false : throw V4l2Failure.Streaming(path, "VIDIOC_DQBUF", errno);
        }

        frame = frames[buffer.index];
        for (var i = 0; i < memoryPlanes; i++)
        {
            frame.SetUsed(i, isMultiplanar ? planes[i].bytesused : buffer.bytesused, isMultiplanar ? planes[i].data_offset : 0);
        }

        // A sequence that steps back is a driver that restarted its count, not two thousand million lost frames.
        if (hasSequence && (int)(buffer.sequence - nextSequence) > 0)
        {
            framesMissed += buffer.sequence - nextSequence;
        }

        (nextSequence, hasSequence) = (buffer.sequence + 1, true);
        frame.Lend((buffer.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC
            ? new TimeSpan((buffer.timestamp.tv_sec * TimeSpan.TicksPerSecond) + (buffer.timestamp.tv_usec * TimeSpan.TicksPerMicrosecond))
            : Stopwatch.GetElapsedTime(0));
        isDamaged = (buffer.flags & V4L2_BUF_FLAG_ERROR) != 0 || !frame.IsComplete;
        return true;
    }

    private int Queue(V4l2Frame frame)
    {
        var planes = stackalloc v4l2_plane[(int)VIDEO_MAX_PLANES];
        var buffer = NewBuffer((uint)frame.Index, planes);
        return device.Ioctl(VIDIOC_QBUF, ref buffer);
    }

    private v4l2_buffer NewBuffer(uint index, v4l2_plane* planes)
    {
        var buffer = new v4l2_buffer { index = index, type = bufferType, memory = V4L2_MEMORY_MMAP };
        if (isMultiplanar)
        {
            buffer.m.planes = planes;
            buffer.length = VIDEO_MAX_PLANES;
        }

        return buffer;
    }

    /// <summary>Has the token's cancellation end a wait. Callers pass the same token each time, so this registers once.</summary>
    private void Watch(CancellationToken stop)
    {
        if (stop != watchedToken)
        {
            stopRegistration.Dispose();
            stopRegistration = stop.UnsafeRegister(static device => ((V4l2Device)device!).Wake(), device);
            watchedToken = stop;
        }
    }

    private V4l2FormatChoice Choose(VideoSourceOptions options)
    {
        var offered = V4l2Enumeration.Formats(device, bufferType);
        return V4l2FormatChoice.Nearest(
            offered.ConvertAll(format => format.FourCc),
            fourCc => V4l2Enumeration.Sizes(device, fourCc),
            (fourCc, width, height) => V4l2Enumeration.Intervals(device, fourCc, width, height),
            options)
            ?? throw new VideoSourceException(
                $"camera {path}: offers {string.Join(", ", offered.Select(format => V4l2Enumeration.FourCcText(format.FourCc)).Distinct().DefaultIfEmpty("no format"))}; "
                + (options.PixelFormat is { } forced ? $"set 'pixelFormat' to one of these instead of {forced}, or leave it out" : "the agent takes NV12, YU12, YUYV, MJPG and H264"));
    }

    private v4l2_format SetFormat(V4l2FormatChoice choice)
    {
        var format = new v4l2_format { type = bufferType };
        if (isMultiplanar)
        {
            format.fmt.pix_mp = new v4l2_pix_format_mplane
            {
                width = choice.Width, height = choice.Height, pixelformat = choice.Format.FourCc, field = V4L2_FIELD_NONE, num_planes = (byte)memoryPlanes,
            };
        }
        else
        {
            format.fmt.pix = new v4l2_pix_format { width = choice.Width, height = choice.Height, pixelformat = choice.Format.FourCc, field = V4L2_FIELD_NONE };
        }

        Check("VIDIOC_S_FMT", device.Ioctl(VIDIOC_S_FMT, ref format));
        var (given, field) = isMultiplanar ? (format.fmt.pix_mp.pixelformat, format.fmt.pix_mp.field) : (format.fmt.pix.pixelformat, format.fmt.pix.field);
        if (given != choice.Format.FourCc)
        {
            throw new VideoSourceException($"camera {path}: lists {V4l2Enumeration.FourCcText(choice.Format.FourCc)} but answers VIDIOC_S_FMT with {V4l2Enumeration.FourCcText(given)}; set 'pixelFormat' to another that it lists");
        }

        return field is V4L2_FIELD_NONE or V4L2_FIELD_INTERLACED or V4L2_FIELD_INTERLACED_TB or V4L2_FIELD_INTERLACED_BT ? format
            : throw new VideoSourceException($"camera {path}: delivers single fields (v4l2_field {field}), not whole frames; choose a progressive input or size");
    }

    /// <summary>Asks for a frame interval; returns the one the driver took, or the asked one where it cannot tell.</summary>
    private v4l2_fract SetInterval(v4l2_fract interval)
    {
        var parameters = new v4l2_streamparm { type = bufferType };
        parameters.parm.capture.timeperframe = interval;
        var errno = device.Ioctl(VIDIOC_S_PARM, ref parameters);
        if (errno is not 0 and not V4l2Errno.ENOTTY)
        {
            throw V4l2Failure.SettingUp(path, "VIDIOC_S_PARM", errno);
        }

        var taken = parameters.parm.capture.timeperframe;
        return errno == 0 && taken.numerator != 0 && taken.denominator != 0 ? taken : interval;
    }

    private V4l2Frame[] MapBuffers(V4l2PlaneLayout[] layout)
    {
        var request = new v4l2_requestbuffers
        {
            count = Format.PixelFormat == PixelFormat.H264 ? CompressedStreamBufferCount : BufferCount, type = bufferType, memory = V4L2_MEMORY_MMAP,
        };
        Check("VIDIOC_REQBUFS", device.Ioctl(VIDIOC_REQBUFS, ref request));
        var mapped = new V4l2Frame[request.count];
        var planes = stackalloc v4l2_plane[(int)VIDEO_MAX_PLANES];
        try
        {
            for (var i = 0; i < mapped.Length; i++)
            {
                var frame = mapped[i] = new V4l2Frame(this, layout, i, memoryPlanes);
                var buffer = NewBuffer((uint)i, planes);
                Check("VIDIOC_QUERYBUF", device.Ioctl(VIDIOC_QUERYBUF, ref buffer));
                for (var plane = 0; plane < memoryPlanes; plane++)
                {
                    Check("mmap", isMultiplanar
                        ? frame.Map(device, plane, planes[plane].length, planes[plane].m.mem_offset)
                        : frame.Map(device, plane, buffer.length, buffer.m.offset));
                }
            }
        }
        catch
        {
            foreach (var frame in mapped)
            {
                frame?.Unmap();
            }

            throw;
        }

        return mapped;
    }

    private int SetControl(uint id, int value)
    {
        var control = new v4l2_ext_control { id = id, value = value };
        var controls = new v4l2_ext_controls { which = V4L2_CTRL_WHICH_CUR_VAL, count = 1, controls = &control };
        return device.Ioctl(VIDIOC_S_EXT_CTRLS, ref controls);
    }

    private void Check(string call, int errno)
    {
        if (errno != 0)
        {
            throw V4l2Failure.SettingUp(path, call, errno);
        }
    }
}
