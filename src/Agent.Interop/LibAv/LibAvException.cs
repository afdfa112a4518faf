using System.Text;

namespace Agent.Interop.LibAv;

/// <summary>A libav function failed: its name and libav's own words for the error.</summary>
public sealed class LibAvException(string function, int code) : Exception($"{function}: {Describe(code)}")
{
    /// <summary>Room for libav's longest text; AV_ERROR_MAX_STRING_SIZE of libavutil/error.h is 64.</summary>
    private const int TextCapacity = 128;

    /// <summary>Returns what the function returned, or throws if that is negative.</summary>
    internal static int Check(int result, string function) => result >= 0 ? result : throw new LibAvException(function, result);

    /// <summary>Returns the pointer that the function returned, or throws if that is null: libav's allocators say no more.</summary>
    internal static nint CheckAllocation(nint pointer, string function) =>
        pointer != 0 ? pointer : throw new InvalidOperationException($"{function}: out of memory");

    private static unsafe string Describe(int code)
    {
        var text = stackalloc byte[TextCapacity];
        _ = NativeMethods.av_strerror(code, text, TextCapacity);
        return $"{Encoding.UTF8.GetString(System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text))} ({code})";
    }
}
