using System.Runtime.InteropServices;

namespace Agent.Interop.Libc;

/// <summary>The libc functions behind sockets, eventfd, poll and device nodes, as their manual pages (section 2) declare them.</summary>
internal static unsafe partial class Syscalls
{
    internal const int O_RDWR = 0x2;

    // With the soname: "libc.so" is a linker script where the development files are installed.
    private const string Library = "libc.so.6";

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int socket(int domain, int type, int protocol);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int bind(FileDescriptor sockfd, void* addr, uint addrlen);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int connect(FileDescriptor sockfd, void* addr, uint addrlen);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int listen(FileDescriptor sockfd, int backlog);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int accept4(FileDescriptor sockfd, void* addr, uint* addrlen, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint recv(FileDescriptor sockfd, void* buf, nuint len, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint send(FileDescriptor sockfd, void* buf, nuint len, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int getsockname(FileDescriptor sockfd, void* addr, uint* addrlen);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int setsockopt(FileDescriptor sockfd, int level, int optname, void* optval, uint optlen);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int getsockopt(FileDescriptor sockfd, int level, int optname, void* optval, uint* optlen);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int recvmmsg(FileDescriptor sockfd, mmsghdr* msgvec, uint vlen, int flags, timespec* timeout);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int sendmmsg(FileDescriptor sockfd, mmsghdr* msgvec, uint vlen, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int eventfd(uint initval, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint read(FileDescriptor fd, void* buf, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint write(FileDescriptor fd, void* buf, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int ppoll(pollfd* fds, nuint nfds, timespec* timeout, void* sigmask);

    // An int and not a FileDescriptor: the marshaller would read the 64-bit register, whose upper half C leaves undefined for an int.
    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string pathname, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int ioctl(FileDescriptor fd, nuint request, void* argp);

    /// <summary>ioctl(2), repeated on EINTR. Returns 0 or the errno.</summary>
    internal static int Ioctl<T>(FileDescriptor fd, uint request, ref T argument)
        where T : unmanaged
    {
        fixed (T* pointer = &argument)
        {
            while (ioctl(fd, request, pointer) < 0)
            {
                var errno = Marshal.GetLastPInvokeError();
                if (errno != Errno.EINTR) return errno;
            }
            return 0;
        }
    }

    [LibraryImport(Library)]
    internal static partial int close(int fd);
}
