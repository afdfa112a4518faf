using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static Agent.Interop.Libc.SocketConstants;

namespace Agent.Interop.Libc;

/// <summary>
/// A bound, non-blocking UDP socket that reports the destination address of what it receives (IP_PKTINFO). It is an AF_INET6 socket,
/// dual-stack when bound to ::, that sees IPv4 as v4-mapped addresses; an AF_INET one only on kernels without IPv6.
/// Read with a <see cref="ReceiveBatch"/>, written with a <see cref="SendBatch"/>.
/// </summary>
public sealed unsafe class UdpSocket : IDisposable
{
    private UdpSocket(FileDescriptor descriptor, bool isIPv6)
    {
        Descriptor = descriptor;
        IsIPv6 = isIPv6;
    }

    internal FileDescriptor Descriptor { get; }

    internal bool IsIPv6 { get; }

    /// <summary>The bound port.</summary>
    public ushort Port { get; private init; }

    /// <summary>True where the kernel splits one send into datagrams (UDP_SEGMENT, Linux 4.18).</summary>
    public bool SupportsSegmentation { get; private init; }

    /// <summary>Opens and binds.</summary>
    /// <param name="address">One address, or :: for every IPv4 and IPv6 address.</param>
    /// <param name="port">0 lets the kernel choose.</param>
    /// <param name="bufferBytes">Wish for both socket buffers; the kernel caps it at net.core.rmem_max and wmem_max.</param>
    /// <exception cref="LibcException">No such address on this machine, or the port is taken.</exception>
    public static UdpSocket Bind(IPAddress address, int port, int bufferBytes)
    {
        ArgumentNullException.ThrowIfNull(address);
        var descriptor = new FileDescriptor(Syscalls.socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
        var withoutIPv6 = descriptor.IsInvalid && Marshal.GetLastPInvokeError() == Errno.EAFNOSUPPORT;
        if (withoutIPv6)
            return BindIPv4(address.Equals(IPAddress.IPv6Any) ? IPAddress.Any : address, port, bufferBytes);

        if (descriptor.IsInvalid)
            throw LibcException.FromLastError("socket");
        return Configure(descriptor, true, address, port, bufferBytes);
    }

    /// <summary>For kernels without IPv6 (ipv6.disable=1).</summary>
    internal static UdpSocket BindIPv4(IPAddress address, int port, int bufferBytes)
    {
        if (address.AddressFamily != AddressFamily.InterNetwork)
            throw new LibcException("socket", Errno.EAFNOSUPPORT, $"{address}: this kernel has no IPv6");
        var descriptor = new FileDescriptor(Syscalls.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
        if (descriptor.IsInvalid)
            throw LibcException.FromLastError("socket");
        return Configure(descriptor, false, address, port, bufferBytes);
    }

    public void Dispose() => Descriptor.Dispose();

    private static UdpSocket Configure(FileDescriptor descriptor, bool isIPv6, IPAddress address, int port, int bufferBytes)
    {
        try
        {
            if (isIPv6)
                SocketOptions.Set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0, nameof(IPV6_V6ONLY));
            var (level, option) = isIPv6 ? (IPPROTO_IPV6, IPV6_RECVPKTINFO) : (IPPROTO_IP, IP_PKTINFO);
            SocketOptions.Set(descriptor, level, option, 1, isIPv6 ? nameof(IPV6_RECVPKTINFO) : nameof(IP_PKTINFO));
            SocketOptions.Set(descriptor, SOL_SOCKET, SO_RCVBUF, bufferBytes, nameof(SO_RCVBUF));
            SocketOptions.Set(descriptor, SOL_SOCKET, SO_SNDBUF, bufferBytes, nameof(SO_SNDBUF));

            sockaddr_in6 name;
            var nameLength = SocketNames.Write(&name, isIPv6, address, (ushort)port);
            if (Syscalls.bind(descriptor, &name, nameLength) < 0)
            {
                var errno = Marshal.GetLastPInvokeError(); // formatting the address overwrites it
                throw new LibcException("bind", errno, $"UDP {new IPEndPoint(address, port)}");
            }

            if (Syscalls.getsockname(descriptor, &name, &nameLength) < 0)
                throw LibcException.FromLastError("getsockname");

            int segmentSize;
            uint optionLength = sizeof(int);
            return new UdpSocket(descriptor, isIPv6)
            {
                Port = SocketNames.GetPort(&name),
                SupportsSegmentation = Syscalls.getsockopt(descriptor, IPPROTO_UDP, UDP_SEGMENT, &segmentSize, &optionLength) == 0,
            };
        }
        catch
        {
            descriptor.Dispose();
            throw;
        }
    }
}

/// <summary>Options of sockets that are ints.</summary>
internal static unsafe class SocketOptions
{
    /// <exception cref="LibcException">With the option's <paramref name="name"/>.</exception>
    internal static void Set(FileDescriptor descriptor, int level, int option, int value, string name)
    {
        if (Syscalls.setsockopt(descriptor, level, option, &value, sizeof(int)) < 0)
            throw LibcException.FromLastError("setsockopt", name);
    }
}

/// <summary>Reads and writes sockaddr_in and sockaddr_in6, both within the space of the larger.</summary>
internal static unsafe class SocketNames
{
    private const int MappedPrefixLength = 12; // RFC 4291 §2.5.5.2: ten zero bytes, two of 0xFF

    /// <param name="name">Receives the name.</param>
    /// <param name="isIPv6">The socket's family; an IPv4 address is written v4-mapped for IPv6.</param>
    /// <param name="address">4 or 16 bytes, network order.</param>
    /// <param name="port">Host order.</param>
    /// <param name="scopeId">Interface index of a link-local address.</param>
    /// <returns>Bytes of name.</returns>
    internal static uint Write(sockaddr_in6* name, bool isIPv6, ReadOnlySpan<byte> address, ushort port, uint scopeId)
    {
        *name = default;
        var networkPort = (ushort)IPAddress.HostToNetworkOrder((short)port);
        if (!isIPv6)
        {
            var ipv4 = (sockaddr_in*)name;
            ipv4->sin_family = AF_INET;
            ipv4->sin_port = networkPort;
            address[^4..].CopyTo(new Span<byte>(&ipv4->sin_addr, 4));
            return (uint)sizeof(sockaddr_in);
        }

        name->sin6_family = AF_INET6;
        name->sin6_port = networkPort;
        name->sin6_scope_id = scopeId;
        WriteIPv6Address(name->sin6_addr, address);
        return (uint)sizeof(sockaddr_in6);
    }

    /// <inheritdoc cref="Write(sockaddr_in6*, bool, ReadOnlySpan{byte}, ushort, uint)"/>
    internal static uint Write(sockaddr_in6* name, bool isIPv6, IPAddress address, ushort port)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var written);
        var scope = address.AddressFamily == AddressFamily.InterNetworkV6 ? (uint)address.ScopeId : 0;
        return Write(name, isIPv6, bytes[..written], port, scope);
    }

    internal static void WriteIPv6Address(Span<byte> destination, ReadOnlySpan<byte> address)
    {
        if (address.Length == 4)
        {
            destination[..(MappedPrefixLength - 2)].Clear();
            destination[(MappedPrefixLength - 2)..MappedPrefixLength].Fill(0xFF);
            address.CopyTo(destination[MappedPrefixLength..]);
        }
        else
        {
            address.CopyTo(destination);
        }
    }

    internal static ushort GetPort(sockaddr_in6* name) => (ushort)IPAddress.NetworkToHostOrder((short)name->sin6_port);

    internal static ReadOnlySpan<byte> GetAddress(sockaddr_in6* name) => name->sin6_family == AF_INET
        ? new ReadOnlySpan<byte>(&((sockaddr_in*)name)->sin_addr, 4)
        : new ReadOnlySpan<byte>(&name->sin6_addr, 16);

    /// <summary>A pointer into an array of the pinned object heap.</summary>
    internal static T* PointerTo<T>(T[] pinned)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));
}
