using System.Runtime.InteropServices;
using static Agent.Interop.Libc.SocketConstants;

namespace Agent.Interop.Libc;

/// <summary>Preallocated room for the datagrams of one recvmmsg(2). One thread owns it; spans into it last until the next receive.</summary>
public sealed unsafe class ReceiveBatch
{
    private const int ControlSize = 40; // CMSG_SPACE(sizeof(in6_pktinfo)) = 16 + 24

    private readonly UdpSocket _socket;
    private readonly int _slotSize;
    private readonly byte[] _slots;
    private readonly mmsghdr[] _messages;
    private readonly iovec[] _vectors;
    private readonly sockaddr_in6[] _names;
    private readonly byte[] _control;

    /// <param name="socket">Where to read.</param>
    /// <param name="capacity">Datagrams at once.</param>
    /// <param name="slotSize">Longest datagram in bytes; longer ones come truncated.</param>
    public ReceiveBatch(UdpSocket socket, int capacity, int slotSize)
    {
        _socket = socket;
        _slotSize = slotSize;
        _slots = GC.AllocateArray<byte>(capacity * slotSize, pinned: true);
        _messages = GC.AllocateArray<mmsghdr>(capacity, pinned: true);
        _vectors = GC.AllocateArray<iovec>(capacity, pinned: true);
        _names = GC.AllocateArray<sockaddr_in6>(capacity, pinned: true);
        _control = GC.AllocateArray<byte>(capacity * ControlSize, pinned: true);
        for (var i = 0; i < capacity; i++)
        {
            _vectors[i].iov_base = SocketNames.PointerTo(_slots) + (i * slotSize);
            _vectors[i].iov_len = (nuint)slotSize;
            _messages[i].msg_hdr.msg_iov = SocketNames.PointerTo(_vectors) + i;
            _messages[i].msg_hdr.msg_iovlen = 1;
            _messages[i].msg_hdr.msg_name = SocketNames.PointerTo(_names) + i;
            _messages[i].msg_hdr.msg_control = SocketNames.PointerTo(_control) + (i * ControlSize);
        }
    }

    /// <summary>Datagrams at once.</summary>
    public int Capacity => _messages.Length;

    /// <summary>Takes what has arrived, without waiting.</summary>
    /// <returns>How many datagrams; fewer than <see cref="Capacity"/> when no more were there.</returns>
    public int Receive()
    {
        // The kernel overwrote these lengths with those of the last datagrams.
        foreach (ref var message in _messages.AsSpan())
        {
            message.msg_hdr.msg_namelen = (uint)sizeof(sockaddr_in6);
            message.msg_hdr.msg_controllen = ControlSize;
        }

        var count = Syscalls.recvmmsg(_socket.Descriptor, SocketNames.PointerTo(_messages), (uint)_messages.Length, 0, null);
        if (count >= 0)
            return count;

        // Other errors are those of an earlier send (ICMP) that the kernel reports here; the datagrams behind it come with the next call.
        return Marshal.GetLastPInvokeError() switch
        {
            Errno.EAGAIN or Errno.EINTR => 0,
            var errno when IsNetworkError(errno) => 0,
            _ => throw LibcException.FromLastError("recvmmsg"),
        };
    }

    /// <summary>True if the datagram was longer than its slot or its local address did not come with it.</summary>
    public bool IsTruncated(int index) => (_messages[index].msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;

    public Span<byte> GetDatagram(int index) =>
        _slots.AsSpan(index * _slotSize, (int)Math.Min(_messages[index].msg_len, (uint)_slotSize));

    /// <summary>The sender's address, 4 or 16 bytes; IPv4 may be v4-mapped.</summary>
    public ReadOnlySpan<byte> GetRemoteAddress(int index) => SocketNames.GetAddress(SocketNames.PointerTo(_names) + index);

    public ushort GetRemotePort(int index) => SocketNames.GetPort(SocketNames.PointerTo(_names) + index);

    /// <summary>The interface index of a link-local sender, otherwise 0.</summary>
    public uint GetRemoteScope(int index) => _socket.IsIPv6 ? _names[index].sin6_scope_id : 0;

    /// <summary>The address that the datagram was sent to, 4 or 16 bytes, IPv4 may be v4-mapped; empty if the kernel did not say.</summary>
    public ReadOnlySpan<byte> GetLocalAddress(int index)
    {
        if (_messages[index].msg_hdr.msg_controllen < (nuint)sizeof(cmsghdr))
            return default;
        var header = (cmsghdr*)_messages[index].msg_hdr.msg_control;
        return (header->cmsg_level, header->cmsg_type) switch
        {
            (IPPROTO_IPV6, IPV6_PKTINFO) => new ReadOnlySpan<byte>(&((in6_pktinfo*)(header + 1))->ipi6_addr, 16),
            (IPPROTO_IP, IP_PKTINFO) => new ReadOnlySpan<byte>(&((in_pktinfo*)(header + 1))->ipi_addr, 4),
            _ => default,
        };
    }

    /// <summary>The interface index of a link-local address that the datagram was sent to, otherwise 0.</summary>
    public uint GetLocalScope(int index)
    {
        var address = GetLocalAddress(index);
        var isLinkLocal = address.Length == 16 && address[0] == 0xFE && (address[1] & 0xC0) == 0x80; // fe80::/10 (RFC 4291 §2.5.6)
        return isLinkLocal ? (uint)((in6_pktinfo*)((cmsghdr*)_messages[index].msg_hdr.msg_control + 1))->ipi6_ifindex : 0;
    }

    // asm-generic/errno.h: ENETDOWN (100) to EHOSTUNREACH (113) are about the network, not about the call.
    private static bool IsNetworkError(int errno) => errno is >= 100 and <= 113;
}
