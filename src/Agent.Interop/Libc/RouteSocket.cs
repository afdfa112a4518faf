using System.Runtime.InteropServices;
using static Agent.Interop.Libc.SocketConstants;

namespace Agent.Interop.Libc;

/// <summary>A non-blocking rtnetlink(7) socket that is told when interfaces and their addresses change.</summary>
public sealed unsafe class RouteSocket : IDisposable
{
    internal const int RTM_GETLINK = 18; // linux/rtnetlink.h
    internal const int RTM_GETADDR = 22; // linux/rtnetlink.h
    internal const ushort NLM_F_REQUEST = 0x01; // linux/netlink.h
    internal const ushort NLM_F_DUMP = 0x300; // linux/netlink.h: NLM_F_ROOT | NLM_F_MATCH
    private const uint Groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;

    /// <exception cref="LibcException">The process may not open one (systemd's RestrictAddressFamilies= lacks AF_NETLINK).</exception>
    public RouteSocket()
    {
        Descriptor = new FileDescriptor(Syscalls.socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
        if (Descriptor.IsInvalid)
            throw LibcException.FromLastError("socket", "AF_NETLINK");
        var name = new sockaddr_nl { nl_family = AF_NETLINK, nl_groups = Groups };
        if (Syscalls.bind(Descriptor, &name, (uint)sizeof(sockaddr_nl)) < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            Descriptor.Dispose();
            throw new LibcException("bind", errno, "AF_NETLINK");
        }
    }

    internal FileDescriptor Descriptor { get; }

    /// <summary>Asks for all interfaces; <see cref="RouteMessageKind.Done"/> ends the answer, and one dump is asked for at a time.</summary>
    public void RequestLinks() => Request(RTM_GETLINK);

    /// <summary>Asks for all addresses.</summary>
    public void RequestAddresses() => Request(RTM_GETADDR);

    /// <summary>Takes one datagram of messages, without waiting.</summary>
    /// <param name="buffer">8 KiB at least: what a dump's datagrams have, see netlink(7).</param>
    /// <param name="count">Bytes; 0 when no more are there.</param>
    /// <returns>False if messages were lost (ENOBUFS): ask for everything anew.</returns>
    public bool TryReceive(Span<byte> buffer, out int count)
    {
        fixed (byte* bytes = buffer)
        {
            count = (int)Syscalls.recv(Descriptor, bytes, (nuint)buffer.Length, 0);
        }

        if (count >= 0)
            return true;
        count = 0;
        return Marshal.GetLastPInvokeError() switch
        {
            Errno.EAGAIN or Errno.EINTR => true,
            Errno.ENOBUFS => false,
            _ => throw LibcException.FromLastError("recv", "AF_NETLINK"),
        };
    }

    public void Dispose() => Descriptor.Dispose();

    private void Request(ushort type)
    {
        var request = new dump_request
        {
            nlmsg_len = (uint)sizeof(dump_request), nlmsg_type = type, nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
        };
        if (Syscalls.send(Descriptor, &request, (nuint)sizeof(dump_request), 0) < 0)
            throw LibcException.FromLastError("send", "AF_NETLINK");
    }

    /// <summary>struct nlmsghdr and a struct ifinfomsg of zeros: of any family, which begins ifaddrmsg as well.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct dump_request
    {
        public uint nlmsg_len;
        public ushort nlmsg_type;
        public ushort nlmsg_flags;
        public uint nlmsg_seq;
        public uint nlmsg_pid;
        public ulong ifinfomsg_first;
        public ulong ifinfomsg_second;
    }
}
