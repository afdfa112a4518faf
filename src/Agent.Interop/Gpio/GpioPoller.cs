using System.Runtime.InteropServices;
using Agent.Interop.Libc;
using static Agent.Interop.Libc.SocketConstants;

namespace Agent.Interop.Gpio;

/// <summary>Waits for changes of any number of lines and for one eventfd. One thread.</summary>
public sealed unsafe class GpioPoller(EventFd wake)
{
    private pollfd[] _descriptors = new pollfd[8];
    private int _count;

    /// <summary>Forgets the lines.</summary>
    public void Clear() => _count = 0;

    internal void Add(FileDescriptor line)
    {
        // One place stays for the eventfd.
        if (_count + 1 == _descriptors.Length) Array.Resize(ref _descriptors, 2 * _descriptors.Length);
        _descriptors[_count++] = new pollfd { fd = (int)line.DangerousGetHandle(), events = POLLIN };
    }

    /// <summary>Waits until a line has changed or its chip is gone, the eventfd is signalled, or time is up.</summary>
    /// <exception cref="LibcException">ppoll(2) has failed.</exception>
    public void Wait(TimeSpan timeout)
    {
        _descriptors[_count] = new pollfd { fd = (int)wake.Descriptor.DangerousGetHandle(), events = POLLIN };
        var limit = new timespec
        {
            tv_sec = timeout.Ticks / TimeSpan.TicksPerSecond,
            tv_nsec = timeout.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick,
        };
        fixed (pollfd* descriptors = _descriptors)
        {
            while (Syscalls.ppoll(descriptors, (nuint)(_count + 1), &limit, null) < 0)
            {
                if (Marshal.GetLastPInvokeError() is not Errno.EINTR) throw LibcException.FromLastError("ppoll");
                // As when the process goes on after a stop: what has changed meanwhile is to be seen before time is looked at.
                limit = default;
            }
        }
        if (_descriptors[_count].revents != 0) wake.Drain();
    }

    /// <summary>Whether there is something to read from a line, if only that its chip is gone.</summary>
    public bool IsReady(int line) => _descriptors[line].revents != 0;
}
