using Microsoft.Win32.SafeHandles;

namespace Agent.Interop.Libc;

/// <summary>An open file descriptor, closed once.</summary>
internal sealed class FileDescriptor : SafeHandleMinusOneIsInvalid
{
    public FileDescriptor()
        : base(ownsHandle: true)
    {
    }

    protected override bool ReleaseHandle() => Syscalls.close((int)handle) == 0;
}
