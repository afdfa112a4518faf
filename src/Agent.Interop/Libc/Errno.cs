namespace Agent.Interop.Libc;

/// <summary>Values of errno that callers tell apart (asm-generic/errno-base.h, asm-generic/errno.h).</summary>
internal static class Errno
{
    internal const int EINTR = 4;
    internal const int EIO = 5;
    internal const int EAGAIN = 11;
    internal const int EINVAL = 22;
    internal const int EAFNOSUPPORT = 97;
    internal const int EADDRINUSE = 98;
}
