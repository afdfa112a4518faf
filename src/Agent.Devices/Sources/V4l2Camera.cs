using System.Diagnostics;
using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Sources;

/// <summary>
/// A V4L2 capture node, single- or multi-planar, streamed through mapped buffers (kernel documentation, "Streaming I/O"). Of the
/// frames that wait, the newest is given and the older ones go back; only H264, whose pictures need one another, comes in order.
/// The offer nearest to the wish is chosen: size first, then rate, then format (<see cref="V4l2FormatChoice"/>). Opened, read and disposed
/// by one thread; frames come back, and the counters may be read, from any.
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

    private readonly V4l2CaptureClock clock = new();
    private readonly V4l2SequenceGaps gaps = new();
    private readonly string path;
    private readonly V4l2Device device;
    private readonly UsbUnplugging? unplugging;
    private readonly V4l2Frame[] frames;
    private readonly V4l2CameraControls controls;
    private readonly V4l2OwnEncoder? ownEncoder;
    private readonly uint bufferType;
    private readonly bool isMultiplanar;
    private readonly int memoryPlanes;
    private readonly TimeSpan stallTimeout;
    private readonly TimeSpan staleAge;

    /// <summary>Held while a buffer goes back and while the camera ends, so that no buffer goes back afterwards.</summary>
    private readonly Lock ending = new();
    private CancellationToken watchedToken;
    private CancellationTokenRegistration stopRegistration;
    private volatile int requeueErrno;

    private volatile bool isDisposed;
    private long framesDamaged;
    private long framesOverwritten;

    /// <summary>Opens the device, agrees on a format and starts the stream.</summary>
    /// <param name="options">
    /// <c>Path</c> is the device node, a link to it, or <c>serial:…</c> or <c>bus:…</c> with a USB serial number or a bus_info; size, rate and
    /// format are wishes, see <see cref="Format"/> for what they became.
    /// </param>
    /// <param name="demand">What the encoders would like.</param>
    /// <exception cref="VideoSourceException">No such node, no permission, not a camera, busy, or no format the agent can use.</exception>
    public V4l2Camera(VideoSourceOptions options, SourceDemand demand)
        : this(options, demand, new V4l2Identity())
    {
    }

    /// <summary>As above, for a camera that may have been open before.</summary>
    internal V4l2Camera(VideoSourceOptions options, SourceDemand demand, V4l2Identity identity)
    {
        path = options.Path ?? throw new VideoSourceException("a v4l2 source needs its device node in 'path', for example /dev/video0");
        var node = identity.Locate(path);
        device = V4l2Device.TryOpen(node, out var errno) ?? throw V4l2Failure.Opening(path, identity, errno);
        try
        {
            identity.Check(path, node);
            unplugging = UsbUnplugging.Of(node);
            var negotiated = V4l2Negotiation.Agree(device, options, demand, out var capability);
            Description = $"v4l2 {(path == node ? path : $"{path} at {node}")} ({capability.Card}, {capability.Bus})";
            (isMultiplanar, bufferType) = (capability.IsMultiplanar, capability.CaptureType);
            (Format, memoryPlanes) = (negotiated.Format, negotiated.MemoryPlanes);
            var frameInterval = TimeSpan.FromSeconds(1 / Format.FramesPerSecond);
            stallTimeout = frameInterval * StallFrameIntervals > ShortestStall ? frameInterval * StallFrameIntervals : ShortestStall;
            staleAge = frameInterval * StaleFrameIntervals;
            Sizes = V4l2FrameSizes.List(device, capability, options.PixelFormat, new(Format.Width, Format.Height));
            controls = new V4l2CameraControls(device);
            Notes = controls.Apply(options.Controls);
            if (Format.PixelFormat == PixelFormat.H264)
            {
                ownEncoder = new V4l2OwnEncoder(device, node, Format, demand.Encoder);
                Notes = [.. Notes, .. ownEncoder.Notes];
                Description += $", {ownEncoder.Description}";
            }

            // Drivers whose input never changes by itself refuse this, and need no such event.
            var subscription = new v4l2_event_subscription { type = V4L2_EVENT_SOURCE_CHANGE };
            _ = device.Ioctl(VIDIOC_SUBSCRIBE_EVENT, ref subscription);
            frames = MapBuffers(negotiated.Layout);
            negotiated.CheckStillSet(device, path, capability);
            foreach (var frame in frames)
            {
                Check("VIDIOC_QBUF", Queue(frame));
            }

            var type = bufferType;
            errno = device.Ioctl(VIDIOC_STREAMON, ref type);
            if (errno != 0)
            {
                throw V4l2Failure.Starting(path, capability.Driver, errno);
            }

            identity.Remember(node);
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
    public ICameraControls Controls => controls;

    /// <inheritdoc/>
    public IReadOnlyList<string> Notes { get; }

    /// <inheritdoc/>
    public IReadOnlyList<FrameSize> Sizes { get; }

    /// <inheritdoc/>
    public long FramesDropped => FramesMissed + FramesDamaged + FramesOverwritten;

    /// <summary>Frames the driver had no buffer for: gaps in v4l2_buffer.sequence.</summary>
    public long FramesMissed => gaps.Missed;

    /// <summary>Frames thrown away because the driver flagged them (V4L2_BUF_FLAG_ERROR) or they were too short.</summary>
    public long FramesDamaged => Volatile.Read(ref framesDamaged);

    /// <summary>Whole frames given back unread because a newer one was there or about to come.</summary>
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
                throw V4l2Failure.Stopped(path, $"no usable frame for {stallTimeout.TotalSeconds:0.#} s ({FramesDamaged} damaged so far)");
            }

            if (result == V4l2WaitResult.Event)
            {
                // Only this one is subscribed to, and a stream does not survive it (kernel documentation, V4L2_EVENT_SOURCE_CHANGE).
                throw V4l2Failure.Stopped(path, "the signal at its input changed");
            }

            if (result != V4l2WaitResult.Woken && TakeNewest(out var wasStarved) is { } frame)
            {
                if (!wasStarved || hasSkipped || Stopwatch.GetElapsedTime(0) - frame.CapturedAt < staleAge)
                {
                    return frame;
                }

                hasSkipped = true;
                framesOverwritten++;
                frame.Dispose();
            }

            if (result == V4l2WaitResult.Failed && requeueErrno == 0)
            {
                throw V4l2Failure.Stopped(path, "the stream has stopped (poll: POLLERR)");
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public bool RequestKeyFrame() => ownEncoder?.RequestKeyFrame() ?? false;

    /// <inheritdoc/>
    public bool SetBitrate(int bitsPerSecond) => ownEncoder?.SetBitrate(bitsPerSecond) ?? false;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (isDisposed)
        {
            return;
        }

        stopRegistration.Dispose();
        var type = bufferType;
        // Best effort on a device that may be gone: closing the descriptor stops the stream too.
        _ = device.Ioctl(VIDIOC_STREAMOFF, ref type);
        // A mapped buffer keeps the node open as well.
        unplugging?.WaitForDriver(TimeProvider.System);
        lock (ending)
        {
            isDisposed = true;
            foreach (var frame in frames ?? [])
            {
                // Whoever still reads one unmaps it by giving it back.
                if (!frame.IsLent)
                {
                    frame.Unmap();
                }
            }
        }

        device.Dispose();
    }

    /// <summary>Any thread: gives a buffer back; a failure is reported by the next <see cref="ReadFrame"/>, since a lease ends quietly.</summary>
    internal void Requeue(V4l2Frame frame)
    {
        lock (ending)
        {
            if (isDisposed)
            {
                frame.Unmap();
                return;
            }

            var errno = Queue(frame);
            if (errno != 0)
            {
                requeueErrno = errno;
            }
        }
    }

    /// <summary>Takes what is waiting.</summary>
    /// <param name="wasStarved">True if the driver had no buffer left, but for one that may have come back just now.</param>
    private V4l2Frame? TakeNewest(out bool wasStarved)
    {
        V4l2Frame? newest = null;
        var taken = 0;
        foreach (var frame in frames)
        {
            taken += frame.IsLent ? 1 : 0;
        }

        wasStarved = false;
        while (TryDequeue(out var frame))
        {
            if (frame is null)
            {
                continue;
            }

            if (newest != null)
            {
                framesOverwritten++;
                newest.Dispose();
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

    /// <summary>Takes one filled buffer; false if none is waiting. The frame is <c>null</c> if it was no good and went back.</summary>
    private bool TryDequeue(out V4l2Frame? frame)
    {
        frame = null;
        var planes = stackalloc v4l2_plane[(int)VIDEO_MAX_PLANES];
        var buffer = NewBuffer(0, planes);
        var errno = device.Ioctl(VIDIOC_DQBUF, ref buffer);
        if (errno != 0)
        {
            return errno == V4l2Errno.EAGAIN ? false : throw V4l2Failure.Streaming(path, "VIDIOC_DQBUF", errno);
        }

        var taken = frames[buffer.index];
        for (var i = 0; i < memoryPlanes; i++)
        {
            taken.SetUsed(i, isMultiplanar ? planes[i].bytesused : buffer.bytesused, isMultiplanar ? planes[i].data_offset : 0);
        }

        var isLate = gaps.IsLate(buffer.sequence, frames.Length);
        var isDamaged = (buffer.flags & V4L2_BUF_FLAG_ERROR) != 0 || !taken.IsComplete;
        if (isLate || isDamaged)
        {
            framesDamaged += isDamaged ? 1 : 0;
            framesOverwritten += isDamaged ? 0 : 1;
            Requeue(taken);
            return true;
        }

        taken.Lend(clock.CapturedAt(buffer));
        frame = taken;
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

    private V4l2Frame[] MapBuffers(V4l2PlaneLayout[] layout)
    {
        var request = new v4l2_requestbuffers
        {
            count = Format.PixelFormat == PixelFormat.H264 ? CompressedStreamBufferCount : BufferCount,
            type = bufferType,
            memory = V4L2_MEMORY_MMAP,
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

                frame.Export(device, bufferType);
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

    private void Check(string call, int errno)
    {
        if (errno != 0)
        {
            throw V4l2Failure.SettingUp(path, call, errno);
        }
    }
}
