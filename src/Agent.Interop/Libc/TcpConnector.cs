using System.Runtime.InteropServices;
using static Agent.Interop.Libc.SocketConstants;

namespace Agent.Interop.Libc;

/// <summary>Outgoing TCP connections, without waiting.</summary>
public static unsafe class TcpConnector
{
    /// <summary>Begins to connect; the socket becomes writable when that has come to an end.</summary>
    /// <param name="address">4 or 16 bytes.</param>
    /// <param name="port">Host order.</param>
    /// <param name="scope">Interface index of a link-local address.</param>
    /// <param name="error">Why there is no socket, in words.</param>
    /// <returns><c>null</c> if it failed at once.</returns>
    /// <exception cref="LibcException">The process has no descriptors left.</exception>
    public static TcpSocket? Begin(ReadOnlySpan<byte> address, ushort port, uint scope, out string? error)
    {
        const int ipv6Length = 16;
        var isIPv6 = address.Length == ipv6Length;
        error = null;
        var descriptor = new FileDescriptor(Syscalls.socket(isIPv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
        if (descriptor.IsInvalid)
        {
            if (Marshal.GetLastPInvokeError() != Errno.EAFNOSUPPORT)
                throw LibcException.FromLastError("socket");
            error = Marshal.GetPInvokeErrorMessage(Errno.EAFNOSUPPORT);
            return null;
        }

        sockaddr_in6 name;
        var length = SocketNames.Write(&name, isIPv6, address, port, scope);
        if (Syscalls.connect(descriptor, &name, length) < 0 && Marshal.GetLastPInvokeError() is var errno and not (Errno.EINPROGRESS or Errno.EINTR))
        {
            descriptor.Dispose();
            error = Marshal.GetPInvokeErrorMessage(errno);
            return null;
        }

        return new TcpSocket(descriptor, isIPv6, name);
    }

    /// <summary>Why a socket that has become writable or readable is not connected, in words; <c>null</c> if it is.</summary>
    public static string? GetError(TcpSocket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        int errno;
        uint length = sizeof(int);
        if (Syscalls.getsockopt(socket.Descriptor, SOL_SOCKET, SO_ERROR, &errno, &length) < 0)
            errno = Marshal.GetLastPInvokeError();
        return errno == 0 ? null : Marshal.GetPInvokeErrorMessage(errno);
    }
}
