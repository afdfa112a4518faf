using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using static Agent.Interop.Libc.SocketConstants;

namespace Agent.Interop.Libc;

/// <summary>What <see cref="TcpListenSocket.Accept"/> came to.</summary>
public enum AcceptResult
{
    Accepted,
    /// <summary>Nobody is waiting.</summary>
    None,
    /// <summary>The process or the system has no descriptor or memory for it; whoever waits goes on waiting.</summary>
    Exhausted,
}

/// <summary>A bound, listening, non-blocking TCP socket: AF_INET6, dual-stack when bound to ::; AF_INET only on kernels without IPv6.</summary>
public sealed unsafe class TcpListenSocket : IDisposable
{
    private const int Backlog = 64; // connections of all viewers that may wait for one turn of the loop

    private readonly bool _isIPv6;

    private TcpListenSocket(FileDescriptor descriptor, bool isIPv6)
    {
        Descriptor = descriptor;
        _isIPv6 = isIPv6;
    }

    internal FileDescriptor Descriptor { get; }

    /// <summary>Opens, binds and listens.</summary>
    /// <param name="address">One address, or :: for every IPv4 and IPv6 address.</param>
    /// <param name="port">Which; others may be waiting to close on it (SO_REUSEADDR).</param>
    /// <exception cref="LibcException">No such address on this machine, or the port is taken.</exception>
    public static TcpListenSocket Bind(IPAddress address, ushort port)
    {
        ArgumentNullException.ThrowIfNull(address);
        var isIPv6 = true;
        var descriptor = new FileDescriptor(Syscalls.socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
        if (descriptor.IsInvalid && Marshal.GetLastPInvokeError() == Errno.EAFNOSUPPORT
            && (address.AddressFamily == AddressFamily.InterNetwork || address.Equals(IPAddress.IPv6Any)))
        {
            isIPv6 = false;
            address = address.Equals(IPAddress.IPv6Any) ? IPAddress.Any : address;
            descriptor = new FileDescriptor(Syscalls.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
        }

        if (descriptor.IsInvalid)
            throw LibcException.FromLastError("socket");
        try
        {
            if (isIPv6)
                SocketOptions.Set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0, nameof(IPV6_V6ONLY));
            SocketOptions.Set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1, nameof(SO_REUSEADDR));
            sockaddr_in6 name;
            var nameLength = SocketNames.Write(&name, isIPv6, address, port);
            if (Syscalls.bind(descriptor, &name, nameLength) < 0)
            {
                var errno = Marshal.GetLastPInvokeError(); // formatting the address overwrites it
                throw new LibcException("bind", errno, $"TCP {new IPEndPoint(address, port)}");
            }

            if (Syscalls.listen(descriptor, Backlog) < 0)
            {
                var errno = Marshal.GetLastPInvokeError();
                throw new LibcException("listen", errno, $"TCP {new IPEndPoint(address, port)}");
            }

            return new TcpListenSocket(descriptor, isIPv6);
        }
        catch
        {
            descriptor.Dispose();
            throw;
        }
    }

    /// <summary>Takes one connection without waiting; those that broke while they waited are passed over.</summary>
    public AcceptResult Accept(out TcpSocket? socket)
    {
        socket = null;
        while (true)
        {
            sockaddr_in6 name;
            var nameLength = (uint)sizeof(sockaddr_in6);
            var descriptor = new FileDescriptor(Syscalls.accept4(Descriptor, &name, &nameLength, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (!descriptor.IsInvalid)
            {
                socket = new TcpSocket(descriptor, _isIPv6, name);
                return AcceptResult.Accepted;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Errno.EAGAIN:
                    return AcceptResult.None;
                case Errno.EMFILE or Errno.ENFILE or Errno.ENOBUFS or Errno.ENOMEM:
                    return AcceptResult.Exhausted;
                case Errno.EBADF or Errno.EINVAL or Errno.ENOTSOCK or Errno.EOPNOTSUPP or Errno.EFAULT:
                    throw LibcException.FromLastError("accept4");
                // accept(2): errors of the network that wait on the new socket are those of that connection.
                default:
                    continue;
            }
        }
    }

    public void Dispose() => Descriptor.Dispose();
}
