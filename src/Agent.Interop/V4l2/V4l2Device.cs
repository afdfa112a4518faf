using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Agent.Interop.V4l2;

/// <summary>What ended <see cref="V4l2Device.Wait"/>.</summary>
public enum V4l2WaitResult
{
    TimedOut,
    /// <summary>A buffer can be taken.</summary>
    Ready,
    /// <summary><see cref="V4l2Device.Wake"/> was called.</summary>
    Woken,
    /// <summary>POLLERR or POLLHUP: the stream has failed or the device is gone; VIDIOC_DQBUF tells the errno.</summary>
    Failed,
}

/// <summary>
/// An open V4L2 device node (non-blocking) with an eventfd that ends a wait. Methods return 0 or the errno; only
/// <see cref="Wake"/> may be called from another thread.
/// </summary>
public sealed unsafe class V4l2Device : SafeHandleMinusOneIsInvalid
{
    private readonly int wakeDescriptor;

    private V4l2Device(int descriptor, int wakeDescriptor)
        : base(ownsHandle: true)
    {
        SetHandle(descriptor);
        this.wakeDescriptor = wakeDescriptor;
    }

    /// <summary>Opens a node for reading and writing; <c>null</c> and the errno of open(2) or eventfd(2) when that fails.</summary>
    public static V4l2Device? TryOpen(string path, out int errno)
    {
        errno = 0;
        var descriptor = V4l2Libc.open(path, V4l2Libc.O_RDWR | V4l2Libc.O_NONBLOCK | V4l2Libc.O_CLOEXEC);
        if (descriptor < 0)
        {
            errno = Marshal.GetLastPInvokeError();
            return null;
        }

        var wake = V4l2Libc.eventfd(0, V4l2Libc.EFD_CLOEXEC | V4l2Libc.EFD_NONBLOCK);
        if (wake < 0)
        {
            errno = Marshal.GetLastPInvokeError();
            _ = V4l2Libc.close(descriptor);
            return null;
        }

        return new V4l2Device(descriptor, wake);
    }

    /// <summary>ioctl(2), repeated on EINTR. Returns 0 or the errno.</summary>
    public int Ioctl<T>(uint request, ref T argument)
        where T : unmanaged
    {
        fixed (T* pointer = &argument)
        {
            while (V4l2Libc.ioctl((int)handle, request, pointer) < 0)
            {
                var errno = Marshal.GetLastPInvokeError();
                if (errno != V4l2Libc.EINTR)
                {
                    return errno;
                }
            }

            return 0;
        }
    }

    /// <summary>Maps a buffer of the device, readable and writable. Returns 0 or the errno.</summary>
    public int Map(uint length, uint offset, out byte* address)
    {
        var mapped = V4l2Libc.mmap(null, length, V4l2Libc.PROT_READ | V4l2Libc.PROT_WRITE, V4l2Libc.MAP_SHARED, (int)handle, (nint)offset);
        address = mapped == V4l2Libc.MapFailed ? null : (byte*)mapped;
        return address == null ? Marshal.GetLastPInvokeError() : 0;
    }

    /// <summary>Takes back what <see cref="Map"/> gave. Returns 0 or the errno.</summary>
    public static int Unmap(byte* address, uint length) =>
        V4l2Libc.munmap(address, length) < 0 ? Marshal.GetLastPInvokeError() : 0;

    /// <summary>Waits until a captured buffer can be taken, the device fails, <see cref="Wake"/> is called or time is up.</summary>
    public V4l2WaitResult Wait(int timeoutMilliseconds)
    {
        var descriptors = stackalloc V4l2Libc.PollFd[2];
        descriptors[0] = new V4l2Libc.PollFd { fd = (int)handle, events = V4l2Libc.POLLIN };
        descriptors[1] = new V4l2Libc.PollFd { fd = wakeDescriptor, events = V4l2Libc.POLLIN };
        if (V4l2Libc.poll(descriptors, 2, timeoutMilliseconds) < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            // A signal ends poll(2) early: the caller looks at its clock and waits again.
            return errno == V4l2Libc.EINTR ? V4l2WaitResult.Woken : throw new System.ComponentModel.Win32Exception(errno, $"poll: {ErrorText(errno)}");
        }

        if (descriptors[1].revents != 0)
        {
            ulong count;
            _ = V4l2Libc.read(wakeDescriptor, &count, sizeof(ulong));
            return V4l2WaitResult.Woken;
        }

        // Error before data: vivid and uvcvideo keep reporting old buffers next to POLLERR once the device is gone.
        return (descriptors[0].revents & (V4l2Libc.POLLERR | V4l2Libc.POLLHUP)) != 0 ? V4l2WaitResult.Failed
            : descriptors[0].revents != 0 ? V4l2WaitResult.Ready
            : V4l2WaitResult.TimedOut;
    }

    /// <summary>Any thread: ends the present <see cref="Wait"/>, or else the next.</summary>
    public void Wake()
    {
        var one = 1UL;
        // The only failure is EAGAIN at the counter's maximum, and then the descriptor is readable already.
        _ = V4l2Libc.write(wakeDescriptor, &one, sizeof(ulong));
    }

    /// <summary>The C library's text for an errno.</summary>
    public static string ErrorText(int errno) => Marshal.GetPInvokeErrorMessage(errno);

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => (V4l2Libc.close(wakeDescriptor) | V4l2Libc.close((int)handle)) == 0;
}
