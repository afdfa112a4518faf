using System.Runtime.InteropServices;
using static Agent.Interop.Libc.SocketConstants;

namespace Agent.Interop.Libc;

/// <summary>
/// One accepted, non-blocking TCP connection that carries live media: no Nagle delay, and little that is not yet sent waits in the kernel,
/// so that what is too old can still be left out.
/// </summary>
public sealed unsafe class TcpSocket : IDisposable
{
    private const int UnsentBytes = 16 * 1024; // TCP_NOTSENT_LOWAT: a dozen packets, 64 ms at 2 Mbit/s

    private readonly byte[] _localAddress;
    private readonly byte[] _remoteAddress;

    internal TcpSocket(FileDescriptor descriptor, bool isIPv6, in sockaddr_in6 remote)
    {
        Descriptor = descriptor;
        fixed (sockaddr_in6* name = &remote)
        {
            _remoteAddress = SocketNames.GetAddress(name).ToArray();
            RemotePort = SocketNames.GetPort(name);
            RemoteScope = isIPv6 ? name->sin6_scope_id : 0;
        }

        sockaddr_in6 local;
        var length = (uint)sizeof(sockaddr_in6);
        _localAddress = Syscalls.getsockname(descriptor, &local, &length) == 0 ? SocketNames.GetAddress(&local).ToArray() : [];
        LocalScope = isIPv6 && _localAddress.Length > 0 ? local.sin6_scope_id : 0;

        // A connection that the peer has reset takes no options; reading it will tell.
        var one = 1;
        var unsent = UnsentBytes;
        _ = Syscalls.setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(int));
        _ = Syscalls.setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(int));
    }

    internal FileDescriptor Descriptor { get; }

    /// <summary>The address connected to, 4 or 16 bytes, IPv4 may be v4-mapped; empty if the connection is broken already.</summary>
    public ReadOnlySpan<byte> LocalAddress => _localAddress;

    /// <summary>The interface index of a link-local address, otherwise 0.</summary>
    public uint LocalScope { get; }

    /// <summary>The peer's address, 4 or 16 bytes; IPv4 may be v4-mapped.</summary>
    public ReadOnlySpan<byte> RemoteAddress => _remoteAddress;

    public ushort RemotePort { get; }

    /// <summary>The interface index of a link-local peer, otherwise 0.</summary>
    public uint RemoteScope { get; }

    /// <summary>Takes what has arrived, without waiting.</summary>
    /// <param name="buffer">Not empty.</param>
    /// <param name="count">Bytes; 0 when no more were there.</param>
    /// <returns>False when the connection has ended, by the peer or by an error.</returns>
    public bool TryReceive(Span<byte> buffer, out int count)
    {
        fixed (byte* bytes = buffer)
        {
            count = (int)Syscalls.recv(Descriptor, bytes, (nuint)buffer.Length, 0);
        }

        if (count > 0)
            return true;
        var mayGoOn = count < 0 && Marshal.GetLastPInvokeError() is Errno.EAGAIN or Errno.EINTR;
        count = 0;
        return mayGoOn;
    }

    /// <summary>Hands bytes to the kernel without waiting.</summary>
    /// <param name="bytes">Which.</param>
    /// <param name="count">How many of them the kernel took.</param>
    /// <returns>False when the connection is broken.</returns>
    public bool TrySend(ReadOnlySpan<byte> bytes, out int count)
    {
        fixed (byte* first = bytes)
        {
            count = (int)Syscalls.send(Descriptor, first, (nuint)bytes.Length, MSG_NOSIGNAL);
        }

        if (count >= 0)
            return true;
        count = 0;
        return Marshal.GetLastPInvokeError() is Errno.EAGAIN or Errno.EINTR or Errno.ENOBUFS;
    }

    public void Dispose() => Descriptor.Dispose();
}
