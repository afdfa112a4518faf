using System.Runtime.InteropServices;
using static Agent.Interop.Libc.SocketConstants;

namespace Agent.Interop.Libc;

/// <summary>
/// Waits for descriptors that are named anew each time, so that none has to be taken out when it is closed. ppoll(2) and not epoll: for the
/// few there are one call is as fast, and its time-out has nanoseconds where epoll_wait rounds to milliseconds, which media pacing would feel.
/// </summary>
public sealed unsafe class SocketPoller
{
    private const int InitialCapacity = 16;

    private pollfd[] _descriptors = GC.AllocateArray<pollfd>(InitialCapacity, pinned: true);
    private int _count;

    /// <summary>Forgets all descriptors and what was found.</summary>
    public void Clear() => _count = 0;

    /// <returns>What to ask <see cref="IsReadable"/> for.</returns>
    public int Add(EventFd wake) => Add(wake.Descriptor, forWrite: false);

    /// <param name="socket">Always watched for datagrams.</param>
    /// <param name="forWrite">Also for room.</param>
    /// <returns>What to ask <see cref="IsReadable"/> and <see cref="IsWritable"/> for.</returns>
    public int Add(UdpSocket socket, bool forWrite) => Add(socket.Descriptor, forWrite);

    /// <inheritdoc cref="Add(UdpSocket, bool)"/>
    public int Add(TcpSocket socket, bool forWrite) => Add(socket.Descriptor, forWrite);

    /// <returns>What to ask <see cref="IsReadable"/> for.</returns>
    public int Add(TcpListenSocket socket) => Add(socket.Descriptor, forWrite: false);

    /// <returns>What to ask <see cref="IsReadable"/> for.</returns>
    public int Add(RouteSocket socket) => Add(socket.Descriptor, forWrite: false);

    /// <summary>Waits until one of them is ready.</summary>
    /// <param name="timeout">How long at most; negative waits for ever.</param>
    public void Wait(TimeSpan timeout)
    {
        var limit = new timespec
        {
            tv_sec = timeout.Ticks / TimeSpan.TicksPerSecond,
            tv_nsec = timeout.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick,
        };
        if (Syscalls.ppoll(SocketNames.PointerTo(_descriptors), (nuint)_count, timeout < TimeSpan.Zero ? null : &limit, null) < 0)
        {
            if (Marshal.GetLastPInvokeError() is not Errno.EINTR)
                throw LibcException.FromLastError("ppoll");
            foreach (ref var descriptor in _descriptors.AsSpan(0, _count))
                descriptor.revents = 0;
        }
    }

    /// <summary>True also for an error condition (POLLERR, POLLHUP): reading is what clears or tells it.</summary>
    public bool IsReadable(int index) => (_descriptors[index].revents & ~POLLOUT) != 0;

    public bool IsWritable(int index) => (_descriptors[index].revents & POLLOUT) != 0;

    private int Add(FileDescriptor descriptor, bool forWrite)
    {
        if (_count == _descriptors.Length)
        {
            var larger = GC.AllocateArray<pollfd>(_count * 2, pinned: true);
            _descriptors.CopyTo(larger, 0);
            _descriptors = larger;
        }

        _descriptors[_count] = new pollfd
        {
            fd = (int)descriptor.DangerousGetHandle(),
            events = forWrite ? (short)(POLLIN | POLLOUT) : POLLIN,
        };
        return _count++;
    }
}
