using System.Reflection;
using System.Runtime.InteropServices;

namespace Agent.Interop;

/// <summary>
/// Finds the native libraries whose file name differs between distributions. Nothing is loaded before its first use: libavcodec alone
/// brings about a hundred libraries with it. Names that are not listed here are left to the runtime.
/// </summary>
internal static class NativeLibraries
{
    public const string AvCodec = "avcodec";
    public const string AvFormat = "avformat";
    public const string AvUtil = "avutil";
    public const string SwScale = "swscale";
    public const string OpenH264 = "openh264";

    /// <summary>The major versions that belong together in one FFmpeg release, as in its version_major.h files.</summary>
    private readonly record struct FfmpegRelease(int AvCodec, int AvFormat, int AvUtil, int SwScale);

    /// <summary>FFmpeg 7 (Debian 13), 6, 5.1 (Debian 12); a newer one has other structures and is not tried.</summary>
    private static readonly FfmpegRelease[] FfmpegReleases = [new(61, 61, 59, 8), new(60, 60, 58, 7), new(59, 59, 57, 6)];

    private static readonly Lazy<FfmpegRelease> Ffmpeg = new(FindFfmpeg);

    /// <summary>Debian 13's and Debian 12's libopenh264, newest first, and which of them it is.</summary>
    private static readonly int[] OpenH264Versions = [8, 7];

    private static readonly Lazy<(int Version, nint Handle)> OpenH264Library = new(FindOpenH264);

    /// <summary>The number behind libopenh264.so.</summary>
    public static int OpenH264Version => OpenH264Library.Value.Version;

    /// <summary>Installs the resolver, once; classes with such imports name it in their static constructor.</summary>
    public static void Use() => _ = Installed.Value;

    private static readonly Lazy<bool> Installed = new(static () =>
    {
        NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);
        return true;
    });

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath) => name switch
    {
        AvCodec => Load("libavcodec.so", Ffmpeg.Value.AvCodec),
        AvFormat => Load("libavformat.so", Ffmpeg.Value.AvFormat),
        AvUtil => Load("libavutil.so", Ffmpeg.Value.AvUtil),
        SwScale => Load("libswscale.so", Ffmpeg.Value.SwScale),
        OpenH264 => OpenH264Library.Value.Handle,
        _ => 0,
    };

    private static nint Load(string name, int major)
    {
        var file = $"{name}.{major}";
        if (NativeLibrary.TryLoad(file, out var handle)) return handle;
        throw new DllNotFoundException($"{file} cannot be loaded: install it (Debian and Raspberry Pi OS: apt install ffmpeg)");
    }

    private static FfmpegRelease FindFfmpeg()
    {
        foreach (var release in FfmpegReleases)
        {
            if (NativeLibrary.TryLoad($"libavcodec.so.{release.AvCodec}", out _)) return release;
        }
        var tried = string.Join(", ", FfmpegReleases.Select(static release => $"libavcodec.so.{release.AvCodec}"));
        throw new DllNotFoundException($"none of {tried} can be loaded: install FFmpeg 5.1 to 7 (Debian and Raspberry Pi OS: apt install ffmpeg)");
    }

    private static (int Version, nint Handle) FindOpenH264()
    {
        foreach (var version in OpenH264Versions)
        {
            if (NativeLibrary.TryLoad($"libopenh264.so.{version}", out var handle)) return (version, handle);
        }
        throw new DllNotFoundException("neither libopenh264.so.8 nor libopenh264.so.7 can be loaded: install it (Debian and Raspberry Pi OS: apt install libopenh264-7 or -8)");
    }
}
