using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Agent.Interop.Libc;

namespace Agent.Interop.Tests.Libc;

public sealed class StructureLayoutTests
{
    [Fact]
    public void Structures_and_constants_are_those_of_the_system_headers()
    {
        var program = new StringBuilder("""
            #define _GNU_SOURCE
            #include <stddef.h>
            #include <sys/socket.h>
            #include <sys/uio.h>
            #include <sys/eventfd.h>
            #include <netinet/in.h>
            #include <netinet/udp.h>
            #include <netinet/tcp.h>
            #include <linux/rtnetlink.h>
            #include <linux/if_addr.h>
            #include <net/if.h>
            #include <poll.h>
            #include <errno.h>
            #include <time.h>
            #include <fcntl.h>
            #include <signal.h>
            #include <spawn.h>
            #include <sys/wait.h>
            #ifndef UDP_SEGMENT
            #include <linux/udp.h>
            #endif

            """);
        Expect<iovec>(program, "iov_base", "iov_len");
        Expect<msghdr>(program, "msg_name", "msg_namelen", "msg_iov", "msg_iovlen", "msg_control", "msg_controllen", "msg_flags");
        Expect<mmsghdr>(program, "msg_hdr", "msg_len");
        Expect<cmsghdr>(program, "cmsg_len", "cmsg_level", "cmsg_type");
        Expect<sockaddr_in>(program, "sin_family", "sin_port", "sin_addr", "sin_zero");
        Expect<sockaddr_in6>(program, "sin6_family", "sin6_port", "sin6_flowinfo", "sin6_addr", "sin6_scope_id");
        Expect<in_pktinfo>(program, "ipi_ifindex", "ipi_spec_dst", "ipi_addr");
        Expect<in6_pktinfo>(program, "ipi6_addr", "ipi6_ifindex");
        Expect<sockaddr_nl>(program, "nl_family", "nl_pad", "nl_pid", "nl_groups");
        Expect<pollfd>(program, "fd", "events", "revents");
        Expect<timespec>(program, "tv_sec", "tv_nsec");
        program.AppendLine($"_Static_assert(sizeof(posix_spawn_file_actions_t) == {Unsafe.SizeOf<posix_spawn_file_actions_t>()}, \"posix_spawn_file_actions_t\");");
        program.AppendLine($"_Static_assert(sizeof(posix_spawnattr_t) == {Unsafe.SizeOf<posix_spawnattr_t>()}, \"posix_spawnattr_t\");");
        program.AppendLine($"_Static_assert(sizeof(sigset_t) == {Unsafe.SizeOf<sigset_t>()}, \"sigset_t\");");
        program.AppendLine("_Static_assert(WEXITSTATUS(0x1200) == 0x12 && WTERMSIG(0x4b) == 0x4b, \"wait status\");");
        foreach (var (name, value) in Constants)
            program.AppendLine($"_Static_assert({name} == {value}, \"{name}\");");
        program.AppendLine("_Static_assert(CMSG_SPACE(sizeof(struct in6_pktinfo)) == 40, \"CMSG_SPACE in6_pktinfo\");");
        program.AppendLine("_Static_assert(CMSG_SPACE(sizeof(struct in_pktinfo)) == 32, \"CMSG_SPACE in_pktinfo\");");
        program.AppendLine("_Static_assert(CMSG_SPACE(sizeof(unsigned short)) == 24, \"CMSG_SPACE __u16\");");

        using var compiler = Process.Start(new ProcessStartInfo("cc", "-x c -fsyntax-only -")
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        })!;
        compiler.StandardInput.Write(program);
        compiler.StandardInput.Close();
        var complaints = compiler.StandardError.ReadToEnd();
        compiler.WaitForExit();
        Assert.True(compiler.ExitCode == 0, complaints);
    }

    private static IEnumerable<(string Name, int Value)> Constants =>
    [
        ("AF_INET", SocketConstants.AF_INET), ("AF_INET6", SocketConstants.AF_INET6), ("SOCK_DGRAM", SocketConstants.SOCK_DGRAM),
        ("SOCK_CLOEXEC", SocketConstants.SOCK_CLOEXEC), ("SOCK_NONBLOCK", SocketConstants.SOCK_NONBLOCK),
        ("SOL_SOCKET", SocketConstants.SOL_SOCKET), ("SO_SNDBUF", SocketConstants.SO_SNDBUF), ("SO_RCVBUF", SocketConstants.SO_RCVBUF),
        ("IPPROTO_IP", SocketConstants.IPPROTO_IP), ("IPPROTO_UDP", SocketConstants.IPPROTO_UDP),
        ("IPPROTO_IPV6", SocketConstants.IPPROTO_IPV6), ("IP_PKTINFO", SocketConstants.IP_PKTINFO),
        ("IPV6_V6ONLY", SocketConstants.IPV6_V6ONLY), ("IPV6_RECVPKTINFO", SocketConstants.IPV6_RECVPKTINFO),
        ("IPV6_PKTINFO", SocketConstants.IPV6_PKTINFO), ("UDP_SEGMENT", SocketConstants.UDP_SEGMENT),
        ("MSG_CTRUNC", SocketConstants.MSG_CTRUNC), ("MSG_TRUNC", SocketConstants.MSG_TRUNC),
        ("EFD_CLOEXEC", SocketConstants.EFD_CLOEXEC), ("EFD_NONBLOCK", SocketConstants.EFD_NONBLOCK),
        ("AF_NETLINK", SocketConstants.AF_NETLINK), ("SOCK_RAW", SocketConstants.SOCK_RAW), ("NETLINK_ROUTE", SocketConstants.NETLINK_ROUTE),
        ("RTMGRP_LINK", (int)SocketConstants.RTMGRP_LINK), ("RTMGRP_IPV4_IFADDR", (int)SocketConstants.RTMGRP_IPV4_IFADDR),
        ("RTMGRP_IPV6_IFADDR", (int)SocketConstants.RTMGRP_IPV6_IFADDR), ("NLMSG_ERROR", RouteMessage.NLMSG_ERROR),
        ("NLMSG_DONE", RouteMessage.NLMSG_DONE), ("RTM_NEWLINK", RouteMessage.RTM_NEWLINK), ("RTM_DELLINK", RouteMessage.RTM_DELLINK),
        ("RTM_NEWADDR", RouteMessage.RTM_NEWADDR), ("RTM_DELADDR", RouteMessage.RTM_DELADDR), ("IFA_ADDRESS", RouteMessage.IFA_ADDRESS),
        ("IFA_LOCAL", RouteMessage.IFA_LOCAL), ("IFA_FLAGS", RouteMessage.IFA_FLAGS), ("IFF_UP", RouteMessage.IFF_UP),
        ("IFF_RUNNING", RouteMessage.IFF_RUNNING), ("IFA_F_DADFAILED", (int)RouteMessage.IFA_F_DADFAILED),
        ("IFA_F_DEPRECATED", (int)RouteMessage.IFA_F_DEPRECATED), ("IFA_F_TENTATIVE", (int)RouteMessage.IFA_F_TENTATIVE),
        ("RTM_GETLINK", RouteSocket.RTM_GETLINK), ("RTM_GETADDR", RouteSocket.RTM_GETADDR), ("NLM_F_REQUEST", RouteSocket.NLM_F_REQUEST),
        ("NLM_F_DUMP", RouteSocket.NLM_F_DUMP), ("ETIMEDOUT", Errno.ETIMEDOUT),
        ("SOCK_STREAM", SocketConstants.SOCK_STREAM), ("SO_REUSEADDR", SocketConstants.SO_REUSEADDR),
        ("IPPROTO_TCP", SocketConstants.IPPROTO_TCP), ("TCP_NODELAY", SocketConstants.TCP_NODELAY),
        ("TCP_NOTSENT_LOWAT", SocketConstants.TCP_NOTSENT_LOWAT), ("MSG_NOSIGNAL", SocketConstants.MSG_NOSIGNAL),
        ("EBADF", Errno.EBADF), ("ENOMEM", Errno.ENOMEM), ("EFAULT", Errno.EFAULT), ("ENFILE", Errno.ENFILE), ("EMFILE", Errno.EMFILE),
        ("ENOTSOCK", Errno.ENOTSOCK), ("EOPNOTSUPP", Errno.EOPNOTSUPP), ("ENOBUFS", Errno.ENOBUFS),
        ("POLLIN", SocketConstants.POLLIN), ("POLLOUT", SocketConstants.POLLOUT),
        ("EINTR", Errno.EINTR), ("ENXIO", Errno.ENXIO), ("EIO", Errno.EIO), ("EAGAIN", Errno.EAGAIN), ("EINVAL", Errno.EINVAL),
        ("ENOENT", Errno.ENOENT), ("EACCES", Errno.EACCES), ("EBUSY", Errno.EBUSY), ("ENODEV", Errno.ENODEV), ("EROFS", Errno.EROFS), ("ERANGE", Errno.ERANGE),
        ("O_RDWR", Syscalls.O_RDWR), ("O_RDONLY", SpawnFunctions.O_RDONLY), ("O_NONBLOCK", SpawnFunctions.O_NONBLOCK), ("O_CLOEXEC", SpawnFunctions.O_CLOEXEC),
        ("F_SETFL", SpawnFunctions.F_SETFL), ("F_SETPIPE_SZ", SpawnFunctions.F_SETPIPE_SZ), ("WNOHANG", SpawnFunctions.WNOHANG),
        ("POSIX_SPAWN_SETPGROUP", SpawnFunctions.POSIX_SPAWN_SETPGROUP), ("POSIX_SPAWN_SETSIGDEF", SpawnFunctions.POSIX_SPAWN_SETSIGDEF),
        ("POSIX_SPAWN_SETSIGMASK", SpawnFunctions.POSIX_SPAWN_SETSIGMASK), ("SIGKILL", SpawnFunctions.SIGKILL), ("SIGTERM", SpawnFunctions.SIGTERM),
        ("EAFNOSUPPORT", Errno.EAFNOSUPPORT), ("EADDRINUSE", Errno.EADDRINUSE),
        ("ENXIO", Errno.ENXIO), ("EOPNOTSUPP", Errno.EOPNOTSUPP), ("EREMOTEIO", Errno.EREMOTEIO),
    ];

    private static void Expect<T>(StringBuilder program, params string[] fields)
        where T : struct
    {
        var name = typeof(T).Name;
        program.AppendLine($"_Static_assert(sizeof(struct {name}) == {Marshal.SizeOf<T>()}, \"sizeof {name}\");");
        foreach (var field in fields)
            program.AppendLine($"_Static_assert(offsetof(struct {name}, {field}) == {Marshal.OffsetOf<T>(field)}, \"{name}.{field}\");");
    }
}
