using System.Diagnostics;
using System.Globalization;
using Agent.Devices;
using Agent.Devices.Sources;

namespace CameraCheck;

/// <summary>
/// Reads frames from a V4L2 camera. Options: size=WxH rate=R format=F (the wish), frames=N, gives=FORMAT:WxH (what must be agreed on),
/// fps=LOW..HIGH, picture=bars|jpeg|h264 (what each frame must hold), hold=MS (pause between frames, as a slow encoder would),
/// age=MS (how old a frame may be when read), drops=missed|damaged|overwritten|none (which counter
/// must have moved), then=COMMAND (a shell command run after the frames, after which
/// reading must fail) with fails=TEXT (in its message) and within=MS.
/// </summary>
internal static class StreamCheck
{
    /// <summary>Frames in which the runtime may still set itself up (first calls, tiered stubs) before allocation is measured.</summary>
    private const int WarmUpFrames = 5;

    public static void Run(string device, ILookup<string, string> options)
    {
        var wish = Wish(device, options);
        var frames = Number(options, "frames", 20);
        var name = $"{device} {wish.PixelFormat ?? "any format"} {wish.Width}x{wish.Height}";
        V4l2Camera camera;
        try
        {
            camera = new V4l2Camera(wish);
        }
        catch (VideoSourceException exception)
        {
            Tap.Check(false, $"{name} opens", exception.Message);
            return;
        }

        using (camera)
        {
            var format = camera.Format;
            Tap.Note($"{camera.Description}: {format}");
            foreach (var expected in options["gives"])
            {
                Tap.Check($"{format.PixelFormat}:{format.Width}x{format.Height}".Equals(expected, StringComparison.OrdinalIgnoreCase), $"{name} gives {expected}", $"{format}");
            }

            try
            {
                ReadFrames(camera, name, frames, options);
            }
            catch (VideoSourceException exception)
            {
                Tap.Check(false, $"{name} gives {frames} frames", exception.Message);
                return;
            }

            foreach (var command in options["then"])
            {
                Break(camera, name, command, options);
            }
        }
    }

    public static void Refuse(string device, string text, ILookup<string, string> options)
    {
        try
        {
            using var camera = new V4l2Camera(Wish(device, options));
            Tap.Check(false, $"{device} is refused: {text}", $"it opened as {camera.Description}");
        }
        catch (VideoSourceException exception)
        {
            Tap.Check(exception.Message.Contains(text, StringComparison.Ordinal) && exception.Message.Contains(device, StringComparison.Ordinal), $"{device} is refused: {text}", exception.Message);
            Tap.Note(exception.Message);
        }
    }

    private static void ReadFrames(V4l2Camera camera, string name, int frames, ILookup<string, string> options)
    {
        var hold = Number(options, "hold", 0);
        var picture = options["picture"].FirstOrDefault();
        var (first, last, ordered, bytes, wrongPictures, allocated, oldest, droppedAtFirst) = (TimeSpan.Zero, TimeSpan.Zero, true, 0L, 0, 0L, TimeSpan.Zero, 0L);
        // vivid stamps the end of a frame that it has only begun to show, so up to one interval ahead.
        var interval = TimeSpan.FromSeconds((double)camera.Format.FrameRateDenominator / camera.Format.FrameRateNumerator);
        for (var i = 0; i < frames; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            using (var frame = camera.ReadFrame(CancellationToken.None)!)
            {
                for (var plane = 0; plane < frame.PlaneCount; plane++)
                {
                    bytes += frame.GetPlane(plane).Length;
                }

                wrongPictures += PictureCheck.Holds(frame, picture) ? 0 : 1;
                ordered &= i == 0 || frame.CapturedAt > last;
                (first, droppedAtFirst) = i == 0 ? (frame.CapturedAt, camera.FramesDropped) : (first, droppedAtFirst);
                last = frame.CapturedAt;
                var age = Stopwatch.GetElapsedTime(0) - last;
                ordered &= age > -interval;
                oldest = i >= WarmUpFrames && age > oldest ? age : oldest;
            }

            allocated += i >= WarmUpFrames ? GC.GetAllocatedBytesForCurrentThread() - before : 0;
            if (hold > 0)
            {
                Thread.Sleep(hold);
            }
        }

        // Counted with the frames that were lost on the way, this is the camera's rate even when the machine cannot keep up.
        var rate = (frames - 1 + camera.FramesDropped - droppedAtFirst) / (last - first).TotalSeconds;
        Tap.Check(ordered, $"{name}: capture times rise and are not ahead of the clock by an interval");
        Tap.Check(allocated == 0, $"{name}: no managed allocation per frame", $"{allocated} bytes");
        if (picture is not null)
        {
            Tap.Check(wrongPictures == 0, $"{name}: every frame holds the {picture} expected", $"{wrongPictures} of {frames} do not; {PictureCheck.LastProblem}");
        }

        foreach (var bounds in options["fps"].Select(text => text.Split("..")))
        {
            Tap.Check(rate >= Parse(bounds[0]) && rate <= Parse(bounds[1]), $"{name}: the camera makes {bounds[0]} to {bounds[1]} frames per second", $"{rate:0.0}");
        }

        foreach (var age in options["age"].Select(Parse))
        {
            Tap.Check(oldest.TotalMilliseconds <= age, $"{name}: no frame is older than {age} ms when read", $"{oldest.TotalMilliseconds:0} ms");
        }

        foreach (var drops in options["drops"])
        {
            var counted = drops switch { "missed" => camera.FramesMissed, "damaged" => camera.FramesDamaged, "overwritten" => camera.FramesOverwritten, _ => camera.FramesDropped };
            Tap.Check(counted > 0 != (drops == "none"), $"{name}: frames dropped: {drops}", $"missed {camera.FramesMissed}, damaged {camera.FramesDamaged}, overwritten {camera.FramesOverwritten}");
        }

        Tap.Note(FormattableString.Invariant($"{name}: {frames} frames, {bytes / frames} bytes each, {rate:0.0} per second, oldest {oldest.TotalMilliseconds:0} ms, missed {camera.FramesMissed}, damaged {camera.FramesDamaged}, overwritten {camera.FramesOverwritten}"));
    }

    private static void Break(V4l2Camera camera, string name, string command, ILookup<string, string> options)
    {
        var text = options["fails"].Single();
        var within = Number(options, "within", 2000);
        using var shell = Process.Start("/bin/sh", ["-c", command]);
        using var end = new CancellationTokenSource(TimeSpan.FromMilliseconds(within + 10_000));
        var started = Stopwatch.GetTimestamp();
        try
        {
            while (camera.ReadFrame(end.Token) is { } frame)
            {
                frame.Dispose();
            }

            Tap.Check(false, $"{name}: '{command}' ends the stream", "frames kept coming");
        }
        catch (VideoSourceException exception)
        {
            var elapsed = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            Tap.Check(elapsed <= within, $"{name}: '{command}' ends the stream within {within} ms", $"{elapsed:0} ms");
            Tap.Check(exception.Message.Contains(text, StringComparison.Ordinal), $"{name}: the failure says '{text}'", exception.Message);
            Tap.Note(FormattableString.Invariant($"after {elapsed:0} ms: {exception.Message}"));
        }

        shell.WaitForExit();
    }

    private static VideoSourceOptions Wish(string device, ILookup<string, string> options)
    {
        var size = (options["size"].FirstOrDefault() ?? "640x480").Split('x');
        return new VideoSourceOptions
        {
            Kind = VideoSourceKind.V4l2,
            Path = device,
            Width = int.Parse(size[0], CultureInfo.InvariantCulture),
            Height = int.Parse(size[1], CultureInfo.InvariantCulture),
            FrameRate = Number(options, "rate", 30),
            PixelFormat = options["format"].FirstOrDefault(),
        };
    }

    private static int Number(ILookup<string, string> options, string key, int otherwise) =>
        options[key].FirstOrDefault() is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    private static double Parse(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
