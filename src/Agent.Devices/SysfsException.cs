using Agent.Interop.Libc;

namespace Agent.Devices;

/// <summary>An attribute below /sys could not be read or written.</summary>
internal sealed class SysfsException(string function, string path, int errno, string text)
    : IOException($"{function} {path} failed: {text} (errno {errno})")
{
    /// <summary>The attribute's name.</summary>
    public string Attribute { get; } = Path.GetFileName(path);

    /// <summary>errno after the call.</summary>
    public int ErrorNumber { get; } = errno;

    /// <summary>What the runtime threw for a call.</summary>
    public static SysfsException Of(string function, string path, Exception e) => new(function, path, e switch
    {
        FileNotFoundException or DirectoryNotFoundException => Errno.ENOENT,
        UnauthorizedAccessException => Errno.EACCES,
        // The runtime leaves errno in there for those without an exception of their own.
        _ => e.HResult,
    }, e.Message);
}
