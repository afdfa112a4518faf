using System.Runtime.InteropServices;
using Agent.Interop.Libc;

namespace Agent.Interop.V4l2;

/// <summary>What ended <see cref="V4l2Device.Wait"/>.</summary>
public enum V4l2WaitResult
{
    TimedOut,
    /// <summary>A buffer can be taken.</summary>
    Ready,
    /// <summary>POLLPRI: an event that was subscribed to waits; VIDIOC_DQEVENT gives it.</summary>
    Event,
    /// <summary><see cref="V4l2Device.Wake"/> was called, or a signal came.</summary>
    Woken,
    /// <summary>POLLERR or POLLHUP: the stream has failed or the device is gone; VIDIOC_DQBUF tells the errno.</summary>
    Failed,
}

/// <summary>
/// An open V4L2 device node (non-blocking) with an eventfd that ends a wait. Methods return 0 or the errno. One thread waits; ioctls, which
/// the kernel takes one at a time, and <see cref="Wake"/> may come from any.
/// </summary>
public sealed unsafe class V4l2Device : IDisposable
{
    private readonly FileDescriptor descriptor = new();
    private readonly EventFd wake = new();

    private V4l2Device(int descriptor) => Marshal.InitHandle(this.descriptor, descriptor);

    /// <summary>Opens a node for reading and writing; <c>null</c> and the errno of open(2) when that fails.</summary>
    public static V4l2Device? TryOpen(string path, out int errno)
    {
        var descriptor = Syscalls.open(path, V4l2Libc.O_RDWR | V4l2Libc.O_NONBLOCK | V4l2Libc.O_CLOEXEC);
        errno = descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
        return errno == 0 ? new V4l2Device(descriptor) : null;
    }

    /// <summary>ioctl(2), repeated on EINTR. Returns 0 or the errno.</summary>
    /// <exception cref="ObjectDisposedException">The device is closed; it is not closed under a call.</exception>
    public int Ioctl<T>(uint request, ref T argument)
        where T : unmanaged => Syscalls.Ioctl(descriptor, request, ref argument);

    /// <summary>Maps a buffer of the device, readable and writable. Returns 0 or the errno.</summary>
    public int Map(uint length, uint offset, out byte* address)
    {
        var mapped = V4l2Libc.mmap(null, length, V4l2Libc.PROT_READ | V4l2Libc.PROT_WRITE, V4l2Libc.MAP_SHARED, descriptor, (nint)offset);
        address = mapped == V4l2Libc.MapFailed ? null : (byte*)mapped;
        return address == null ? Marshal.GetLastPInvokeError() : 0;
    }

    /// <summary>Takes back what <see cref="Map"/> gave. Returns 0 or the errno.</summary>
    public static int Unmap(byte* address, uint length) =>
        V4l2Libc.munmap(address, length) < 0 ? Marshal.GetLastPInvokeError() : 0;

    /// <summary>
    /// Exports one memory plane of a buffer that was requested with V4L2_MEMORY_MMAP as a DMABUF (VIDIOC_EXPBUF), readable and writable.
    /// Returns 0 or the errno; <see cref="CloseDmabuf"/> takes the descriptor back.
    /// </summary>
    public int Export(uint bufferType, uint index, uint plane, out int dmabuf)
    {
        var request = new v4l2_exportbuffer { type = bufferType, index = index, plane = plane, flags = V4l2Libc.O_CLOEXEC | V4l2Libc.O_RDWR };
        var errno = Ioctl(Videodev2.VIDIOC_EXPBUF, ref request);
        dmabuf = errno == 0 ? request.fd : -1;
        return errno;
    }

    /// <summary>Closes a descriptor that <see cref="Export"/> gave; whoever has imported the buffer keeps it.</summary>
    public static void CloseDmabuf(int dmabuf) => _ = Syscalls.close(dmabuf);

    /// <summary>Waits until a captured buffer can be taken, an event waits, the device fails, <see cref="Wake"/> is called or time is up.</summary>
    /// <exception cref="LibcException">ppoll(2) has failed.</exception>
    public V4l2WaitResult Wait(TimeSpan timeout) => Poll(timeout, V4l2Libc.POLLIN | V4l2Libc.POLLPRI);

    /// <summary>
    /// The same for a memory-to-memory device: until either queue has a buffer that can be taken or an event waits. Negative waits for ever.
    /// </summary>
    /// <exception cref="LibcException">ppoll(2) has failed.</exception>
    public V4l2WaitResult WaitForCodec(TimeSpan timeout) => Poll(timeout, V4l2Libc.POLLIN | V4l2Libc.POLLOUT | V4l2Libc.POLLPRI);

    private V4l2WaitResult Poll(TimeSpan timeout, short events)
    {
        var descriptors = stackalloc pollfd[2];
        descriptors[0] = new pollfd { fd = (int)descriptor.DangerousGetHandle(), events = events };
        descriptors[1] = new pollfd { fd = (int)wake.Descriptor.DangerousGetHandle(), events = V4l2Libc.POLLIN };
        var limit = new timespec
        {
            tv_sec = timeout.Ticks / TimeSpan.TicksPerSecond,
            tv_nsec = timeout.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick,
        };
        if (Syscalls.ppoll(descriptors, 2, timeout < TimeSpan.Zero ? null : &limit, null) < 0)
        {
            return Marshal.GetLastPInvokeError() == V4l2Errno.EINTR ? V4l2WaitResult.Woken : throw LibcException.FromLastError("ppoll");
        }

        if (descriptors[1].revents != 0)
        {
            wake.Drain();
            return V4l2WaitResult.Woken;
        }

        return (descriptors[0].revents & (V4l2Libc.POLLERR | V4l2Libc.POLLHUP)) != 0 ? V4l2WaitResult.Failed
            : (descriptors[0].revents & V4l2Libc.POLLPRI) != 0 ? V4l2WaitResult.Event
            : descriptors[0].revents != 0 ? V4l2WaitResult.Ready
            : V4l2WaitResult.TimedOut;
    }

    /// <summary>Any thread: ends the present <see cref="Wait"/>, or else the next.</summary>
    public void Wake() => wake.Signal();

    /// <summary>The C library's text for an errno.</summary>
    public static string ErrorText(int errno) => Marshal.GetPInvokeErrorMessage(errno);

    /// <inheritdoc/>
    public void Dispose()
    {
        descriptor.Dispose();
        wake.Dispose();
    }
}
