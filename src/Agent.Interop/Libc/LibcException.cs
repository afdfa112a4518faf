using System.Runtime.InteropServices;

namespace Agent.Interop.Libc;

/// <summary>A call into libc failed in a way that the program cannot go on from; carries the function and errno's text.</summary>
public sealed class LibcException(string function, int errno, string? detail = null)
    : IOException($"{function}{(detail is null ? "" : $" ({detail})")} failed: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno}).")
{
    /// <summary>errno after the call.</summary>
    public int NativeErrorCode { get; } = errno;

    /// <summary>The failure of the call just made on this thread; <paramref name="detail"/> must be a constant, see errno(3).</summary>
    internal static LibcException FromLastError(string function, string? detail = null) =>
        new(function, Marshal.GetLastPInvokeError(), detail);
}
