using Agent.Devices.Sources;
using Agent.Interop.LibAv;
using Agent.Media;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Devices.Tests;

/// <summary>
/// What <see cref="LazyLoadingTests"/> runs in a process of its own, because a library once loaded stays: prints after each step whether
/// libavcodec is in the process.
/// </summary>
internal static class Program
{
    public static void Main()
    {
        using var pipeline = new CameraPipeline(new CameraOptions { Name = "main" }, NullLoggerFactory.Instance);
        Report("a pipeline that was not started");
        using var source = new TestVideoSource(new VideoSourceOptions());
        source.ReadFrame(CancellationToken.None)!.Dispose();
        Report("a frame of the test source");
        new FrameHub("main").Publish(new AccessUnitPool().Create([0, 0, 1, 0x65, 0x88], default));
        Report("a published access unit");
        LibAvLibrary.HasEncoder("libx264", out _);
        Report("a question for an encoder");
    }

    private static void Report(string step)
    {
        var isLoaded = File.ReadLines("/proc/self/maps").Any(static line => line.Contains("/libavcodec.so", StringComparison.Ordinal));
        Console.WriteLine($"{step}: {isLoaded}");
    }
}
