using System.Runtime.InteropServices;

namespace Agent.Interop.TurboJpeg;

/// <summary>How a JPEG's colour samples lie (TJSAMP_* of turbojpeg.h).</summary>
public enum JpegSubsampling
{
    S444 = 0,
    S422 = 1,
    S420 = 2,
    Gray = 3,
    S440 = 4,
    S411 = 5,
}

/// <summary>The functions of turbojpeg.h (TurboJPEG API 2, which version 3 keeps) that the agent calls, with its constants.</summary>
internal static unsafe partial class LibTurboJpeg
{
    public const int TJFLAG_NOREALLOC = 1024;
    public const int TJFLAG_FASTDCT = 2048;
    public const int TJFLAG_STOPONWARNING = 8192;
    public const int TJPF_RGB = 0;
    public const int TJPF_GRAY = 6;

    // With the soname, which Debian 12 and 13 share: the bare name comes with the development files only.
    private const string Library = "libturbojpeg.so.0";

    [LibraryImport(Library)]
    public static partial nint tjInitCompress();

    [LibraryImport(Library)]
    public static partial nint tjInitDecompress();

    [LibraryImport(Library)]
    public static partial int tjDestroy(nint handle);

    [LibraryImport(Library)]
    public static partial nuint tjBufSize(int width, int height, int jpegSubsamp);

    [LibraryImport(Library)]
    public static partial int tjCompressFromYUVPlanes(
        nint handle, byte** srcPlanes, int width, int* strides, int height, int subsamp, byte** jpegBuf, nuint* jpegSize, int jpegQual, int flags);

    [LibraryImport(Library)]
    public static partial int tjDecompressHeader3(
        nint handle, byte* jpegBuf, nuint jpegSize, int* width, int* height, int* jpegSubsamp, int* jpegColorspace);

    [LibraryImport(Library)]
    public static partial int tjDecompressToYUVPlanes(
        nint handle, byte* jpegBuf, nuint jpegSize, byte** dstPlanes, int width, int* strides, int height, int flags);

    [LibraryImport(Library)]
    public static partial int tjDecompress2(
        nint handle, byte* jpegBuf, nuint jpegSize, byte* dstBuf, int width, int pitch, int height, int pixelFormat, int flags);

    [LibraryImport(Library)]
    public static partial int tjEncodeYUVPlanes(
        nint handle, byte* srcBuf, int width, int pitch, int height, int pixelFormat, byte** dstPlanes, int* strides, int subsamp, int flags);

    [LibraryImport(Library)]
    private static partial byte* tjGetErrorStr2(nint handle);

    /// <summary>Whether the library loads here, and if not, what to install.</summary>
    public static bool IsAvailable(out string reason)
    {
        var loads = NativeLibrary.TryLoad(Library, out _);
        reason = loads ? "" : $"{Library} cannot be loaded: install it (Debian and Raspberry Pi OS: apt install libturbojpeg0)";
        return loads;
    }

    public static string ErrorText(nint handle) => Marshal.PtrToStringUTF8((nint)tjGetErrorStr2(handle)) ?? "unknown error";
}
