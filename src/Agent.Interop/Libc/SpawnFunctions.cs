using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

#pragma warning disable CS8981 // the C headers' names are lower case

namespace Agent.Interop.Libc;

/// <summary>The libc functions that start, watch and end another program, as their manual pages (sections 2 and 3) declare them.</summary>
internal static unsafe partial class SpawnFunctions
{
    internal const int O_RDONLY = 0; // asm-generic/fcntl.h
    internal const int O_NONBLOCK = 0x800; // asm-generic/fcntl.h
    internal const int O_CLOEXEC = 0x80000; // asm-generic/fcntl.h
    internal const int F_SETFL = 4; // asm-generic/fcntl.h
    internal const int F_SETPIPE_SZ = 1031; // linux/fcntl.h
    internal const short POSIX_SPAWN_SETPGROUP = 0x02; // spawn.h
    internal const short POSIX_SPAWN_SETSIGDEF = 0x04; // spawn.h
    internal const short POSIX_SPAWN_SETSIGMASK = 0x08; // spawn.h
    internal const int SIGKILL = 9; // asm-generic/signal.h
    internal const int SIGTERM = 15; // asm-generic/signal.h
    internal const int WNOHANG = 1; // bits/waitflags.h

    // With the soname: "libc.so" is a linker script where the development files are installed.
    private const string Library = "libc.so.6";

    // The posix_spawn family returns the errno and does not set it.
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int posix_spawn(
        int* pid, string path, posix_spawn_file_actions_t* file_actions, posix_spawnattr_t* attrp, byte** argv, byte** envp);

    [LibraryImport(Library)]
    internal static partial int posix_spawn_file_actions_init(posix_spawn_file_actions_t* file_actions);

    [LibraryImport(Library)]
    internal static partial int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t* file_actions);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int posix_spawn_file_actions_addopen(
        posix_spawn_file_actions_t* file_actions, int fd, string path, int oflag, uint mode);

    [LibraryImport(Library)]
    internal static partial int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t* file_actions, int fd, int newfd);

    [LibraryImport(Library)]
    internal static partial int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t* file_actions, int from);

    [LibraryImport(Library)]
    internal static partial int posix_spawnattr_init(posix_spawnattr_t* attr);

    [LibraryImport(Library)]
    internal static partial int posix_spawnattr_destroy(posix_spawnattr_t* attr);

    [LibraryImport(Library)]
    internal static partial int posix_spawnattr_setflags(posix_spawnattr_t* attr, short flags);

    [LibraryImport(Library)]
    internal static partial int posix_spawnattr_setpgroup(posix_spawnattr_t* attr, int pgroup);

    [LibraryImport(Library)]
    internal static partial int posix_spawnattr_setsigdefault(posix_spawnattr_t* attr, sigset_t* sigdefault);

    [LibraryImport(Library)]
    internal static partial int posix_spawnattr_setsigmask(posix_spawnattr_t* attr, sigset_t* sigmask);

    [LibraryImport(Library)]
    internal static partial int sigfillset(sigset_t* set);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int pipe2(int* pipefd, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fcntl(FileDescriptor fd, int op, int arg);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int pidfd_open(int pid, uint flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int kill(int pid, int sig);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int waitpid(int pid, int* wstatus, int options);
}

/// <summary>posix_spawn_file_actions_t of spawn.h, as large as glibc makes it on 64-bit machines; its fields are libc's own.</summary>
[InlineArray(10)]
internal struct posix_spawn_file_actions_t
{
    private ulong _word;
}

/// <summary>posix_spawnattr_t of spawn.h, as large as glibc makes it on 64-bit machines; its fields are libc's own.</summary>
[InlineArray(42)]
internal struct posix_spawnattr_t
{
    private ulong _word;
}

/// <summary>sigset_t of bits/types/__sigset_t.h: 1024 bits.</summary>
[InlineArray(16)]
internal struct sigset_t
{
    private ulong _word;
}
