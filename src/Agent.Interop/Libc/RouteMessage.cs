using System.Runtime.InteropServices;

namespace Agent.Interop.Libc;

/// <summary>What a message of rtnetlink(7) is about.</summary>
public enum RouteMessageKind
{
    /// <summary>Of no interest here.</summary>
    Other,
    AddressAdded,
    AddressRemoved,
    LinkChanged,
    LinkRemoved,
    /// <summary>A dump has come to its end.</summary>
    Done,
    /// <summary>The kernel refuses a request.</summary>
    Error,
}

/// <summary>
/// One message of rtnetlink(7) about an interface or one of its addresses. Numbers are in the host's byte order; names are those of
/// linux/netlink.h, linux/rtnetlink.h, linux/if_addr.h and linux/if.h.
/// </summary>
public readonly ref struct RouteMessage
{
    internal const int NLMSG_ERROR = 2;
    internal const int NLMSG_DONE = 3;
    internal const int RTM_NEWLINK = 16;
    internal const int RTM_DELLINK = 17;
    internal const int RTM_NEWADDR = 20;
    internal const int RTM_DELADDR = 21;
    internal const int IFA_ADDRESS = 1;
    internal const int IFA_LOCAL = 2;
    internal const int IFA_FLAGS = 8;
    internal const int IFF_UP = 0x1;
    internal const int IFF_RUNNING = 0x40;
    internal const uint IFA_F_DADFAILED = 0x08;
    internal const uint IFA_F_DEPRECATED = 0x20;
    internal const uint IFA_F_TENTATIVE = 0x40;

    private const int HeaderLength = 16; // struct nlmsghdr
    private const int LinkLength = 16; // struct ifinfomsg
    private const int AddressLength = 8; // struct ifaddrmsg
    private const int AttributeHeaderLength = 4; // struct rtattr
    private const int NLMSG_ALIGNTO = 4; // and RTA_ALIGNTO

    public RouteMessageKind Kind { get; private init; }

    /// <summary>The interface.</summary>
    public int Index { get; private init; }

    /// <summary>Of a link: it is up and can carry packets (IFF_UP, IFF_RUNNING: RFC 2863's "up" or "unknown").</summary>
    public bool IsRunning { get; private init; }

    /// <summary>Of an address: 4 or 16 bytes in network order.</summary>
    public ReadOnlySpan<byte> Address { get; private init; }

    /// <summary>Of an address: not deprecated, tentative or a duplicate, so that new traffic may leave from it (RFC 4862 §5.4, §5.5.4).</summary>
    public bool IsUsable { get; private init; }

    /// <summary>Of an error: errno.</summary>
    public int ErrorNumber { get; private init; }

    /// <summary>Reads the first message of a buffer.</summary>
    /// <param name="buffer">What was received, less what was read before.</param>
    /// <param name="message">The message; <see cref="RouteMessageKind.Other"/> if it is of no interest or makes no sense.</param>
    /// <param name="consumed">Bytes that it takes with its padding.</param>
    /// <returns>False if there is no whole message.</returns>
    public static bool TryRead(ReadOnlySpan<byte> buffer, out RouteMessage message, out int consumed)
    {
        message = default;
        consumed = 0;
        if (buffer.Length < HeaderLength || MemoryMarshal.Read<uint>(buffer) is not (>= HeaderLength and <= int.MaxValue) || MemoryMarshal.Read<uint>(buffer) > buffer.Length)
            return false;
        var length = (int)MemoryMarshal.Read<uint>(buffer);
        consumed = Math.Min(Align(length), buffer.Length);
        var body = buffer[HeaderLength..length];
        message = MemoryMarshal.Read<ushort>(buffer[sizeof(uint)..]) switch
        {
            NLMSG_DONE => new RouteMessage { Kind = RouteMessageKind.Done },
            NLMSG_ERROR when body.Length >= sizeof(int) => new RouteMessage { Kind = RouteMessageKind.Error, ErrorNumber = -MemoryMarshal.Read<int>(body) },
            RTM_NEWLINK => ReadLink(body, RouteMessageKind.LinkChanged),
            RTM_DELLINK => ReadLink(body, RouteMessageKind.LinkRemoved),
            RTM_NEWADDR => ReadAddress(body, RouteMessageKind.AddressAdded),
            RTM_DELADDR => ReadAddress(body, RouteMessageKind.AddressRemoved),
            _ => default,
        };
        return true;
    }

    private static RouteMessage ReadLink(ReadOnlySpan<byte> body, RouteMessageKind kind)
    {
        if (body.Length < LinkLength)
            return default;
        var flags = MemoryMarshal.Read<uint>(body[8..]);
        return new RouteMessage
        {
            Kind = kind,
            Index = MemoryMarshal.Read<int>(body[4..]),
            IsRunning = (flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING),
        };
    }

    private static RouteMessage ReadAddress(ReadOnlySpan<byte> body, RouteMessageKind kind)
    {
        if (body.Length < AddressLength)
            return default;
        var length = body[0] switch
        {
            SocketConstants.AF_INET => 4,
            SocketConstants.AF_INET6 => 16,
            _ => 0,
        };
        uint flags = body[2];
        ReadOnlySpan<byte> local = default;
        var attributes = body[AddressLength..];
        while (attributes.Length >= AttributeHeaderLength)
        {
            var size = MemoryMarshal.Read<ushort>(attributes);
            if (size < AttributeHeaderLength || size > attributes.Length)
                break;
            var value = attributes[AttributeHeaderLength..size];
            switch (MemoryMarshal.Read<ushort>(attributes[sizeof(ushort)..]))
            {
                // Of a point-to-point interface IFA_ADDRESS is the other end's.
                case IFA_LOCAL when value.Length == length:
                    local = value;
                    break;
                case IFA_ADDRESS when value.Length == length && local.IsEmpty:
                    local = value;
                    break;
                case IFA_FLAGS when value.Length == sizeof(uint):
                    flags = MemoryMarshal.Read<uint>(value);
                    break;
            }

            attributes = attributes[Math.Min(Align(size), attributes.Length)..];
        }

        return local.IsEmpty
            ? default
            : new RouteMessage
            {
                Kind = kind,
                Index = MemoryMarshal.Read<int>(body[4..]),
                Address = local,
                IsUsable = (flags & (IFA_F_DADFAILED | IFA_F_DEPRECATED | IFA_F_TENTATIVE)) == 0,
            };
    }

    private static int Align(int length) => (length + NLMSG_ALIGNTO - 1) & ~(NLMSG_ALIGNTO - 1);
}
