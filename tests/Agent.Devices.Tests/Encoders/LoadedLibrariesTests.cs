using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Agent.Devices.Encoders;

namespace Agent.Devices.Tests.Encoders;

/// <summary>That the tests of encoders and decoders speak for the libraries they are run for.</summary>
public sealed unsafe partial class LoadedLibrariesTests
{
    /// <summary>Sonames that tests/debian13/run.sh names, since the ffmpeg command there is another Debian's.</summary>
    private const string Variable = "EXPECTED_LIBRARIES";

    /// <summary>AV_VERSION_INT packs the major version above 16 bits (libavutil/version.h).</summary>
    private const int MajorShift = 16;

    [Fact]
    public void The_libraries_in_the_process_are_those_that_the_run_is_for()
    {
        Assert.All(SoftwareEncoders.All, static encoder => Assert.Null(encoder.FindObstacle()));
        foreach (var soname in Environment.GetEnvironmentVariable(Variable)?.Split(' ') ?? [SonameOfFfmpegTool()])
        {
            var stem = $"/{soname[..soname.IndexOf(".so", StringComparison.Ordinal)]}.so.";
            var mapped = Assert.Single(File.ReadLines("/proc/self/maps").Where(line => line.Contains(stem, StringComparison.Ordinal))
                .Select(static line => line[line.IndexOf('/', StringComparison.Ordinal)..]).Distinct());
            var link = Path.Combine(Path.GetDirectoryName(mapped)!, soname);
            Assert.Equal(mapped, File.ResolveLinkTarget(link, returnFinalTarget: true)?.FullName);
            if (!soname.StartsWith("libavcodec", StringComparison.Ordinal)) continue;
            var version = (delegate* unmanaged<uint>)NativeLibrary.GetExport(NativeLibrary.Load(mapped), "avcodec_version");
            Assert.Equal(soname, $"libavcodec.so.{version() >> MajorShift}");
        }
    }

    /// <summary>The libavcodec that comes with the ffmpeg command, which is this Debian's own.</summary>
    private static string SonameOfFfmpegTool() =>
        "libavcodec.so." + ToolVersion().Match(Encoding.UTF8.GetString(FfmpegTool.Run("ffmpeg", "-version"))).Groups[1].Value;

    [GeneratedRegex(@"libavcodec +(\d+)\.")]
    private static partial Regex ToolVersion();
}
