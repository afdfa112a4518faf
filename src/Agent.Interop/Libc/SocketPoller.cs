using System.Runtime.InteropServices;
using static Agent.Interop.Libc.SocketConstants;

namespace Agent.Interop.Libc;

/// <summary>What <see cref="SocketPoller.Wait"/> found ready.</summary>
public readonly record struct PollResult(bool Readable, bool Writable, bool Signaled);

/// <summary>
/// Waits for one socket and one eventfd. ppoll(2) and not epoll: for two descriptors it is one call without bookkeeping, and its
/// time-out has nanoseconds where epoll_wait rounds to milliseconds, which media pacing would feel.
/// </summary>
public sealed unsafe class SocketPoller(UdpSocket socket, EventFd wake)
{
    /// <param name="timeout">How long at most; negative waits for ever.</param>
    /// <param name="forWrite">Also return when the socket can take datagrams again.</param>
    public PollResult Wait(TimeSpan timeout, bool forWrite)
    {
        var descriptors = stackalloc pollfd[2];
        descriptors[0] = new pollfd
        {
            fd = (int)socket.Descriptor.DangerousGetHandle(),
            events = forWrite ? (short)(POLLIN | POLLOUT) : POLLIN,
        };
        descriptors[1] = new pollfd { fd = (int)wake.Descriptor.DangerousGetHandle(), events = POLLIN };
        var limit = new timespec
        {
            tv_sec = timeout.Ticks / TimeSpan.TicksPerSecond,
            tv_nsec = timeout.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick,
        };
        if (Syscalls.ppoll(descriptors, 2, timeout < TimeSpan.Zero ? null : &limit, null) < 0)
        {
            return Marshal.GetLastPInvokeError() is Errno.EINTR ? default : throw LibcException.FromLastError("ppoll");
        }

        // An error condition on the socket (POLLERR, POLLHUP) is reported as readable: reading it is what clears it.
        return new PollResult(
            (descriptors[0].revents & ~POLLOUT) != 0, (descriptors[0].revents & POLLOUT) != 0, descriptors[1].revents != 0);
    }
}
