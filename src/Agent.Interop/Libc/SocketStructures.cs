using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

#pragma warning disable CS8981 // the C headers' names are lower case

namespace Agent.Interop.Libc;

/// <summary>Constants of the socket interface, named as in the headers in parentheses.</summary>
internal static class SocketConstants
{
    internal const int AF_INET = 2; // bits/socket.h
    internal const int AF_INET6 = 10; // bits/socket.h
    internal const int AF_NETLINK = 16; // bits/socket.h
    internal const int SOCK_RAW = 3; // bits/socket_type.h
    internal const int NETLINK_ROUTE = 0; // linux/netlink.h
    internal const uint RTMGRP_LINK = 1; // linux/rtnetlink.h
    internal const uint RTMGRP_IPV4_IFADDR = 0x10; // linux/rtnetlink.h
    internal const uint RTMGRP_IPV6_IFADDR = 0x100; // linux/rtnetlink.h
    internal const int SOCK_STREAM = 1; // bits/socket_type.h
    internal const int SOCK_DGRAM = 2; // bits/socket_type.h
    internal const int SOCK_CLOEXEC = 0x80000; // bits/socket_type.h
    internal const int SOCK_NONBLOCK = 0x800; // bits/socket_type.h
    internal const int SOL_SOCKET = 1; // asm-generic/socket.h
    internal const int SO_REUSEADDR = 2; // asm-generic/socket.h
    internal const int SO_ERROR = 4; // asm-generic/socket.h
    internal const int SO_SNDBUF = 7; // asm-generic/socket.h
    internal const int SO_RCVBUF = 8; // asm-generic/socket.h
    internal const int IPPROTO_IP = 0; // netinet/in.h
    internal const int IPPROTO_TCP = 6; // netinet/in.h
    internal const int IPPROTO_UDP = 17; // netinet/in.h
    internal const int IPPROTO_IPV6 = 41; // netinet/in.h
    internal const int IP_PKTINFO = 8; // bits/in.h
    internal const int IPV6_V6ONLY = 26; // bits/in.h
    internal const int IPV6_RECVPKTINFO = 49; // bits/in.h
    internal const int IPV6_PKTINFO = 50; // bits/in.h
    internal const int UDP_SEGMENT = 103; // linux/udp.h
    internal const int TCP_NODELAY = 1; // linux/tcp.h
    internal const int TCP_NOTSENT_LOWAT = 25; // linux/tcp.h
    internal const int MSG_CTRUNC = 0x08; // bits/socket.h
    internal const int MSG_TRUNC = 0x20; // bits/socket.h
    internal const int MSG_NOSIGNAL = 0x4000; // bits/socket.h
    internal const int EFD_CLOEXEC = 0x80000; // bits/eventfd.h
    internal const int EFD_NONBLOCK = 0x800; // bits/eventfd.h
    internal const short POLLIN = 0x001; // bits/poll.h
    internal const short POLLOUT = 0x004; // bits/poll.h
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct iovec
{
    internal byte* iov_base;
    internal nuint iov_len;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct msghdr
{
    internal void* msg_name;
    internal uint msg_namelen;
    internal iovec* msg_iov;
    internal nuint msg_iovlen;
    internal void* msg_control;
    internal nuint msg_controllen;
    internal int msg_flags;
}

[StructLayout(LayoutKind.Sequential)]
internal struct mmsghdr
{
    internal msghdr msg_hdr;
    internal uint msg_len;
}

[StructLayout(LayoutKind.Sequential)]
internal struct cmsghdr
{
    internal nuint cmsg_len;
    internal int cmsg_level;
    internal int cmsg_type;
}

[InlineArray(16)]
internal struct in6_addr
{
    private byte s6_addr;
}

[StructLayout(LayoutKind.Sequential)]
internal struct sockaddr_in
{
    internal ushort sin_family;
    internal ushort sin_port;
    internal uint sin_addr;
    internal ulong sin_zero;
}

[StructLayout(LayoutKind.Sequential)]
internal struct sockaddr_nl
{
    internal ushort nl_family;
    internal ushort nl_pad;
    internal uint nl_pid;
    internal uint nl_groups;
}

[StructLayout(LayoutKind.Sequential)]
internal struct sockaddr_in6
{
    internal ushort sin6_family;
    internal ushort sin6_port;
    internal uint sin6_flowinfo;
    internal in6_addr sin6_addr;
    internal uint sin6_scope_id;
}

[StructLayout(LayoutKind.Sequential)]
internal struct in_pktinfo
{
    internal int ipi_ifindex;
    internal uint ipi_spec_dst;
    internal uint ipi_addr;
}

[StructLayout(LayoutKind.Sequential)]
internal struct in6_pktinfo
{
    internal in6_addr ipi6_addr;
    internal int ipi6_ifindex;
}

[StructLayout(LayoutKind.Sequential)]
internal struct pollfd
{
    internal int fd;
    internal short events;
    internal short revents;
}

[StructLayout(LayoutKind.Sequential)]
internal struct timespec
{
    internal long tv_sec;
    internal long tv_nsec;
}
