using System.Runtime.InteropServices;
using Agent.Interop.Libc;

namespace Agent.Interop.V4l2;

/// <summary>The libc calls that only a V4L2 device needs, with their constants of asm-generic (the same on x86-64 and arm64).</summary>
internal static unsafe partial class V4l2Libc
{
    public const int O_RDWR = 0x2;
    public const int O_NONBLOCK = 0x800;
    public const int O_CLOEXEC = 0x80000;
    public const int PROT_READ = 0x1;
    public const int PROT_WRITE = 0x2;
    public const int MAP_SHARED = 0x1;
    public const short POLLIN = 0x1;
    public const short POLLPRI = 0x2;
    public const short POLLOUT = 0x4;
    public const short POLLERR = 0x8;
    public const short POLLHUP = 0x10;

    // With the soname: "libc.so" is a linker script where the development files are installed.
    private const string Library = "libc.so.6";

    /// <summary>MAP_FAILED of sys/mman.h.</summary>
    public static void* MapFailed => (void*)-1;

    [LibraryImport(Library, SetLastError = true)]
    public static partial void* mmap(void* addr, nuint length, int prot, int flags, FileDescriptor fd, nint offset);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int munmap(void* addr, nuint length);
}
