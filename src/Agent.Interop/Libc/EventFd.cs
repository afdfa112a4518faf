using System.Runtime.InteropServices;
using static Agent.Interop.Libc.SocketConstants;

namespace Agent.Interop.Libc;

/// <summary>An eventfd(2): any thread signals, one thread polls and drains.</summary>
public sealed unsafe class EventFd : IDisposable
{
    internal FileDescriptor Descriptor { get; } = new(Syscalls.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));

    /// <exception cref="LibcException">The process has no descriptors left.</exception>
    public EventFd()
    {
        if (Descriptor.IsInvalid)
            throw LibcException.FromLastError("eventfd");
    }

    /// <summary>Makes the descriptor readable. A counter at its maximum (EAGAIN) is readable already.</summary>
    public void Signal()
    {
        ulong one = 1;
        if (Syscalls.write(Descriptor, &one, sizeof(ulong)) < 0 && Marshal.GetLastPInvokeError() is not Errno.EAGAIN)
            throw LibcException.FromLastError("write", "eventfd");
    }

    /// <summary>Makes it unreadable until the next signal.</summary>
    public void Drain()
    {
        ulong count;
        if (Syscalls.read(Descriptor, &count, sizeof(ulong)) < 0 && Marshal.GetLastPInvokeError() is not Errno.EAGAIN)
            throw LibcException.FromLastError("read", "eventfd");
    }

    public void Dispose() => Descriptor.Dispose();
}
