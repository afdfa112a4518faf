using System.Globalization;
using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using Agent.Devices.Tests.Encoders;
using Agent.Interop.LibAv;
using Agent.Media;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Devices.Tests;

/// <summary>
/// What <see cref="LazyLoadingTests"/> runs in a process of its own, because a library once loaded stays: prints after each step whether
/// libavcodec is in the process. With arguments, the command of <see cref="H264StreamCheck"/>: prints every fault, and exits with 1 if
/// there is one.
/// </summary>
internal static class Program
{
    public static int Main(string[] arguments)
    {
        if (arguments is ["check-h264", var path, var profileLevelId, var width, var height])
        {
            var faults = new H264StreamCheck(path).FindFaults(
                new NegotiatedStream(profileLevelId, int.Parse(width, CultureInfo.InvariantCulture), int.Parse(height, CultureInfo.InvariantCulture)));
            foreach (var fault in faults) Console.WriteLine(fault);
            return faults.Count == 0 ? 0 : 1;
        }
        using var pipeline = new CameraPipeline(new CameraOptions { Name = "main" }, NullLoggerFactory.Instance);
        Report("a pipeline that was not started");
        using var source = new TestVideoSource(new VideoSourceOptions());
        source.ReadFrame(CancellationToken.None)!.Dispose();
        Report("a frame of the test source");
        new FrameHub("main").Publish(new AccessUnitPool().Create([0, 0, 1, 0x65, 0x88], default));
        Report("a published access unit");
        RunPipeline(PipelineRig.SmallH264, EncoderRungs.Create(NullLogger.Instance));
        Report("a pipeline that passes through");
        var device = new FakeEncoderRoom { Kind = VideoEncoderKind.V4l2M2m, LoadsLibrary = false };
        RunPipeline(PipelineRig.Small, [device.Rung, .. EncoderRungs.Create(NullLogger.Instance).Where(static rung => rung.LoadsLibrary)]);
        Report("a pipeline that has a device encode");
        LibAvLibrary.HasEncoder("libx264", out _);
        Report("a question for an encoder");
        return 0;
    }

    /// <summary>Has a pipeline publish pictures, fail, show its notice and come back.</summary>
    private static void RunPipeline(VideoFormat format, IReadOnlyList<EncoderRung> encoders)
    {
        var source = new FakeSource(format);
        var viewer = new CollectingSubscriber();
        using var pipeline = new CameraPipeline(
            new CameraOptions { Name = "main" }, NullLoggerFactory.Instance, (_, demand) => source.Reopened(demand), encoders, TimeProvider.System);
        pipeline.Hub.Subscribe(viewer);
        pipeline.Start();
        source.Deliver(format, PipelineRig.Now, FakeEncoderRoom.KeyFrame);
        source.Fail("unplugged", SourceFailure.Absent);
        viewer.WaitFor(3);
        source.WaitUntilOpened(2);
        source.Deliver(format, PipelineRig.Now, FakeEncoderRoom.KeyFrame);
        viewer.WaitFor(static all => all[^1].Data.AsSpan().SequenceEqual(FakeEncoderRoom.KeyFrame));
    }

    private static void Report(string step)
    {
        var isLoaded = File.ReadLines("/proc/self/maps").Any(static line => line.Contains("/libavcodec.so", StringComparison.Ordinal));
        Console.WriteLine($"{step}: {isLoaded}");
    }
}
