using Microsoft.Win32.SafeHandles;

namespace Agent.Interop.Libc;

/// <summary>An open file descriptor, closed once.</summary>
internal sealed class FileDescriptor : SafeHandleMinusOneIsInvalid
{
    public FileDescriptor()
        : base(ownsHandle: true)
    {
    }

    /// <summary>
    /// Owns what a system call returned, -1 included. A handle as the return type of the import would read 64 bits where C gives an int,
    /// and so might not see the -1.
    /// </summary>
    public FileDescriptor(int result)
        : this() => SetHandle(result);

    protected override bool ReleaseHandle() => Syscalls.close((int)handle) == 0;
}
