using System.Runtime.InteropServices;
using static Agent.Interop.Libc.SocketConstants;

namespace Agent.Interop.Libc;

/// <summary>
/// Preallocated slots for outgoing datagrams, sent together by sendmmsg(2). Consecutive datagrams of one size and one path leave as one
/// message that the kernel or the network card cuts up (UDP_SEGMENT), where that works. One thread owns it.
/// </summary>
public sealed unsafe class SendBatch
{
    private const int UDP_MAX_SEGMENTS = 64; // linux/udp.h, (1 << 6) before Linux 6.9
    private const int MaximumSegmentedBytes = 65535 - 40 - 8; // the IP length field less the larger (IPv6) and the UDP header
    private const int SourceControlSize = 40; // CMSG_SPACE(sizeof(in6_pktinfo)) = 16 + 24
    private const int SourceControlSizeIPv4 = 32; // CMSG_SPACE(sizeof(in_pktinfo)) = 16 + 16
    private const int SegmentControlSize = 24; // CMSG_SPACE(sizeof(__u16)) = 16 + 8
    private const int ControlSize = SourceControlSize + SegmentControlSize;

    private readonly UdpSocket _socket;
    private readonly int _slotSize;
    private readonly byte[] _slots;
    private readonly iovec[] _vectors;
    private readonly mmsghdr[] _messages;
    private readonly sockaddr_in6[] _names;
    private readonly byte[] _control;

    private int _slotCount;
    private int _messageCount;
    private int _messagesSent;
    private int _segmentSize;
    private int _messageBytes;
    private bool _segmentsRefused;

    /// <param name="socket">Where to write.</param>
    /// <param name="capacity">Datagrams at once.</param>
    /// <param name="slotSize">Longest datagram in bytes.</param>
    public SendBatch(UdpSocket socket, int capacity, int slotSize)
    {
        _socket = socket;
        _slotSize = slotSize;
        _slots = GC.AllocateArray<byte>(capacity * slotSize, pinned: true);
        _vectors = GC.AllocateArray<iovec>(capacity, pinned: true);
        _messages = GC.AllocateArray<mmsghdr>(capacity, pinned: true);
        _names = GC.AllocateArray<sockaddr_in6>(capacity, pinned: true);
        _control = GC.AllocateArray<byte>(capacity * ControlSize, pinned: true);
        IsSegmenting = socket.SupportsSegmentation;
        for (var i = 0; i < capacity; i++)
            _vectors[i].iov_base = SocketNames.PointerTo(_slots) + (i * slotSize);
    }

    /// <summary>Whether UDP_SEGMENT is in use; it ends for good when a path turns out not to take it.</summary>
    public bool IsSegmenting { get; internal set; }

    public bool IsEmpty => _slotCount == 0;

    /// <summary>True until <see cref="TryFlush"/> has to make room.</summary>
    public bool HasRoom => _slotCount < _vectors.Length;

    /// <summary>Datagrams that the kernel has taken.</summary>
    public long DatagramsSent { get; private set; }

    /// <summary>
    /// Datagrams that the kernel refused (no route, address gone, firewall, no memory); they are dropped. ENOBUFS is among these: the
    /// socket stays writable then, so waiting for that would spin.
    /// </summary>
    public long SendErrors { get; private set; }

    /// <summary>Where to write the next datagram; it counts once it is added. Only while <see cref="HasRoom"/>.</summary>
    public Span<byte> NextSlot => _slots.AsSpan(_slotCount * _slotSize, _slotSize);

    /// <summary>Adds the next slot's datagram on a new path.</summary>
    /// <param name="length">Bytes of the slot.</param>
    /// <param name="remoteAddress">4 or 16 bytes.</param>
    /// <param name="remotePort">Host order.</param>
    /// <param name="remoteScope">Interface index of a link-local address.</param>
    /// <param name="localAddress">Address to leave from, 4 or 16 bytes; empty leaves it to the kernel.</param>
    public void Add(int length, ReadOnlySpan<byte> remoteAddress, ushort remotePort, uint remoteScope, ReadOnlySpan<byte> localAddress)
    {
        var name = SocketNames.PointerTo(_names) + _messageCount;
        var control = SocketNames.PointerTo(_control) + (_messageCount * ControlSize);
        ref var header = ref AddMessage(length);
        header.msg_name = name;
        header.msg_namelen = SocketNames.Write(name, _socket.IsIPv6, remoteAddress, remotePort, remoteScope);
        header.msg_control = control;
        header.msg_controllen = WriteSource((cmsghdr*)control, localAddress);
    }

    /// <summary>Adds the next slot's datagram on the path of the one before it; only if the batch is not empty.</summary>
    public void AddToSamePath(int length)
    {
        ref var last = ref _messages[_messageCount - 1].msg_hdr;
        if (IsSegmenting && length <= _segmentSize && _messageBytes + length <= MaximumSegmentedBytes && last.msg_iovlen < UDP_MAX_SEGMENTS)
        {
            if (last.msg_iovlen == 1)
                WriteSegmentSize(ref last);
            last.msg_iovlen++;
            _vectors[_slotCount].iov_len = (nuint)length;
            _slotCount++;
            _messageBytes += length;
            if (length < _segmentSize)
                _segmentSize = 0; // only the last segment may be shorter: this message is complete
            return;
        }

        var controlLength = SourceLength(last);
        var name = last.msg_name;
        var nameLength = last.msg_namelen;
        var source = last.msg_control;
        var control = SocketNames.PointerTo(_control) + (_messageCount * ControlSize);
        ref var header = ref AddMessage(length);
        header.msg_name = name;
        header.msg_namelen = nameLength;
        header.msg_control = control;
        header.msg_controllen = controlLength;
        new ReadOnlySpan<byte>(source, (int)controlLength).CopyTo(new Span<byte>(control, ControlSize));
    }

    /// <summary>Hands everything to the kernel without waiting.</summary>
    /// <returns>False if the socket's buffer is full: the rest stays, in order, for the next call when the socket is writable.</returns>
    public bool TryFlush()
    {
        while (_messagesSent < _messageCount)
        {
            ref var first = ref _messages[_messagesSent].msg_hdr;
            var peel = first.msg_iovlen > 1 && (!IsSegmenting || _segmentsRefused);
            var done = peel ? TrySendOneSegment(ref first) : TrySendMessages();
            if (!done)
                return false;
        }

        _slotCount = _messageCount = _messagesSent = 0;
        return true;
    }

    private bool TrySendMessages()
    {
        var count = _messageCount - _messagesSent;
        if (!IsSegmenting)
        {
            count = 0;
            while (_messagesSent + count < _messageCount && _messages[_messagesSent + count].msg_hdr.msg_iovlen == 1)
                count++;
        }

        var sent = Syscalls.sendmmsg(_socket.Descriptor, SocketNames.PointerTo(_messages) + _messagesSent, (uint)count, 0);
        if (sent < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            ref var refused = ref _messages[_messagesSent].msg_hdr;
            if (errno is Errno.EINTR)
                return true;
            if (errno is Errno.EAGAIN)
                return false;
            if (refused.msg_iovlen > 1 && errno is Errno.EIO or Errno.EINVAL)
            {
                // EIO: the device cannot checksum segments; EINVAL: the path takes smaller ones, or the source address is gone.
                // A plain datagram tells which.
                _segmentsRefused = true;
                return true;
            }

            SendErrors += (long)refused.msg_iovlen;
            _messagesSent++;
            return true;
        }

        for (var i = 0; i < sent; i++)
            DatagramsSent += (long)_messages[_messagesSent + i].msg_hdr.msg_iovlen;
        _messagesSent += sent;
        return true;
    }

    /// <summary>Sends the first datagram of a message that was built for segmentation, and shortens the message by it.</summary>
    private bool TrySendOneSegment(ref msghdr header)
    {
        var count = header.msg_iovlen;
        header.msg_controllen = SourceLength(header);
        if (header.msg_controllen == 0)
            header.msg_control = null;
        header.msg_iovlen = 1;
        var sent = Syscalls.sendmmsg(_socket.Descriptor, SocketNames.PointerTo(_messages) + _messagesSent, 1, 0);
        header.msg_iovlen = count;
        var errno = sent < 0 ? Marshal.GetLastPInvokeError() : 0;
        if (errno is Errno.EINTR)
            return true;
        if (errno is Errno.EAGAIN)
            return false;
        if (errno == 0)
        {
            DatagramsSent++;
            IsSegmenting &= !_segmentsRefused;
        }
        else
        {
            SendErrors++;
        }

        header.msg_iov++;
        header.msg_iovlen--;
        _segmentsRefused &= header.msg_iovlen > 1;
        return true;
    }

    private ref msghdr AddMessage(int length)
    {
        ref var header = ref _messages[_messageCount].msg_hdr;
        header = default;
        header.msg_iov = SocketNames.PointerTo(_vectors) + _slotCount;
        header.msg_iovlen = 1;
        _vectors[_slotCount].iov_len = (nuint)length;
        _slotCount++;
        _messageCount++;
        _segmentSize = _messageBytes = length;
        return ref header;
    }

    private nuint SourceLength(in msghdr header)
    {
        // A control buffer begins with the source, if there is one, and the segment size follows.
        if (header.msg_controllen < (nuint)sizeof(cmsghdr) || ((cmsghdr*)header.msg_control)->cmsg_level == IPPROTO_UDP)
            return 0;
        return (nuint)(_socket.IsIPv6 ? SourceControlSize : SourceControlSizeIPv4);
    }

    private nuint WriteSource(cmsghdr* header, ReadOnlySpan<byte> localAddress)
    {
        if (localAddress.IsEmpty)
            return 0;
        if (_socket.IsIPv6)
        {
            header->cmsg_len = (nuint)(sizeof(cmsghdr) + sizeof(in6_pktinfo));
            header->cmsg_level = IPPROTO_IPV6;
            header->cmsg_type = IPV6_PKTINFO;
            var info = (in6_pktinfo*)(header + 1);
            *info = default;
            SocketNames.WriteIPv6Address(info->ipi6_addr, localAddress);
            return SourceControlSize;
        }

        header->cmsg_len = (nuint)(sizeof(cmsghdr) + sizeof(in_pktinfo));
        header->cmsg_level = IPPROTO_IP;
        header->cmsg_type = IP_PKTINFO;
        var info4 = (in_pktinfo*)(header + 1);
        *info4 = default;
        localAddress[^4..].CopyTo(new Span<byte>(&info4->ipi_spec_dst, 4));
        return SourceControlSizeIPv4;
    }

    private void WriteSegmentSize(ref msghdr message)
    {
        var header = (cmsghdr*)((byte*)message.msg_control + message.msg_controllen);
        header->cmsg_len = (nuint)(sizeof(cmsghdr) + sizeof(ushort));
        header->cmsg_level = IPPROTO_UDP;
        header->cmsg_type = UDP_SEGMENT;
        *(ushort*)(header + 1) = (ushort)_segmentSize;
        message.msg_controllen += SegmentControlSize;
    }
}
