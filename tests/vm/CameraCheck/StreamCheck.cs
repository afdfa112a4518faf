using System.Diagnostics;
using System.Globalization;
using Agent.Devices;
using Agent.Devices.Sources;

namespace CameraCheck;

/// <summary>
/// Reads frames from a V4L2 camera. Options: size=WxH rate=R format=F (the wish), own=Never|WhereItServes|Always (whether its own H.264 is
/// wanted; without it only if forced), frames=N, gives=FORMAT:WxH (what must be agreed on),
/// fps=LOW..HIGH, picture=bars|jpeg|h264 (what each frame must hold), hold=MS (pause between frames, as a slow encoder would),
/// age=MS (how old a frame may be when read), drops=missed|damaged|overwritten|none (which counter
/// must have moved), meanwhile=COMMAND (a shell command run while frames are read), then=COMMAND (a shell command run after the frames, after which
/// reading must fail) with fails=TEXT (in its message) and within=MS. says=TEXT (in the source's description), control=NAME:VALUE
/// (configured) with notes=TEXT (said about it; none: nothing), and the options of EncoderCheck.
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
            camera = new V4l2Camera(wish, Demand(options));
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
                var given = $"{format.PixelFormat}:{format.Width}x{format.Height}";
                Tap.Check(given.Equals(expected, StringComparison.OrdinalIgnoreCase), $"{name} gives {expected}", given);
            }

            foreach (var text in options["says"])
            {
                Tap.Check(camera.Description.Contains(text, StringComparison.Ordinal), $"{name} says '{text}'", camera.Description);
            }

            foreach (var text in options["notes"])
            {
                var notes = string.Join("; ", camera.Notes.DefaultIfEmpty("none"));
                Tap.Check(notes.Contains(text, StringComparison.Ordinal), $"{name} notes '{text}'", notes);
            }

            try
            {
                using var meanwhile = options["meanwhile"].FirstOrDefault() is { } command ? Process.Start("/bin/sh", ["-c", command]) : null;
                ReadFrames(camera, name, frames, options);
                meanwhile?.WaitForExit();
                EncoderCheck.Run(camera, name, options);
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
            using var camera = new V4l2Camera(Wish(device, options), Demand(options));
            Tap.Check(false, $"{device} is refused: {text}", $"it opened as {camera.Description}");
        }
        catch (VideoSourceException exception)
        {
            var says = exception.Message;
            var right = says.StartsWith($"camera {device}: ", StringComparison.Ordinal) && says.Contains(text, StringComparison.Ordinal);
            Tap.Check(right, $"{device} is refused: {text}", says);
            Tap.Note(exception.Message);
        }
    }

    private static void ReadFrames(V4l2Camera camera, string name, int frames, ILookup<string, string> options)
    {
        var hold = Number(options, "hold", 0);
        var disorder = "";
        var picture = options["picture"].FirstOrDefault();
        var (first, last, oldest) = (TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);
        var (ordered, wrongPictures, bytes, allocated, droppedAtFirst) = (true, 0, 0L, 0L, 0L);
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
                var previous = last;
                (first, droppedAtFirst) = i == 0 ? (frame.CapturedAt, camera.FramesDropped) : (first, droppedAtFirst);
                last = frame.CapturedAt;
                var age = Stopwatch.GetElapsedTime(0) - last;
                if (age <= -interval || (i > 0 && last <= previous))
                {
                    (ordered, disorder) = (false, $"frame {i}: {last} after {previous}, {age} old");
                }

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
        Tap.Check(ordered, $"{name}: capture times rise and are not ahead of the clock by an interval", disorder);
        Tap.Check(allocated == 0, $"{name}: no managed allocation per frame", $"{allocated} bytes");
        if (picture is not null)
        {
            var problem = $"{wrongPictures} of {frames} do not; {PictureCheck.LastProblem}";
            Tap.Check(wrongPictures == 0, $"{name}: every frame holds the {picture} expected", problem);
        }

        foreach (var bounds in options["fps"].Select(text => text.Split("..")))
        {
            var within = rate >= Parse(bounds[0]) && rate <= Parse(bounds[1]);
            Tap.Check(within, $"{name}: the camera makes {bounds[0]} to {bounds[1]} frames per second", $"{rate:0.0}");
        }

        foreach (var age in options["age"].Select(Parse))
        {
            var found = oldest.TotalMilliseconds;
            Tap.Check(found <= age, $"{name}: no frame is older than {age} ms when read", $"{found:0} ms");
        }

        var lost = $"missed {camera.FramesMissed}, damaged {camera.FramesDamaged}, overwritten {camera.FramesOverwritten}";
        foreach (var drops in options["drops"])
        {
            var counted = drops switch
            {
                "missed" => camera.FramesMissed,
                "damaged" => camera.FramesDamaged,
                "overwritten" => camera.FramesOverwritten,
                _ => camera.FramesDropped,
            };
            Tap.Check(counted > 0 != (drops == "none"), $"{name}: frames dropped: {drops}", lost);
        }

        Tap.Note($"{name}: {bytes / frames} bytes a frame, {rate:0.0} frames per second, oldest {oldest.TotalMilliseconds:0} ms, {lost}");
    }

    private static void Break(V4l2Camera camera, string name, string command, ILookup<string, string> options)
    {
        var text = options["fails"].Single();
        var within = Number(options, "within", 2000);
        using var shell = Process.Start("/bin/sh", ["-c", command]);
        using var end = new CancellationTokenSource(TimeSpan.FromMilliseconds(within + 10_000));
        // On a slow machine the command itself takes seconds, and the camera cannot know before it has done its work.
        var started = 0L;
        shell.EnableRaisingEvents = true;
        shell.Exited += (_, _) => Interlocked.CompareExchange(ref started, Stopwatch.GetTimestamp(), 0);
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
            var noticed = Stopwatch.GetTimestamp();
            shell.WaitForExit();
            var done = Interlocked.CompareExchange(ref started, noticed, 0);
            var elapsed = done == 0 ? 0 : Math.Max(0, Stopwatch.GetElapsedTime(done, noticed).TotalMilliseconds);
            Tap.Check(elapsed <= within, $"{name}: '{command}' ends the stream within {within} ms", $"{elapsed:0} ms");
            Tap.Check(exception.Message.Contains(text, StringComparison.Ordinal), $"{name}: the failure says '{text}'", exception.Message);
            Tap.Note($"after {elapsed:0} ms: {exception.Message}");
        }

        shell.WaitForExit();
    }

    private static SourceDemand Demand(ILookup<string, string> options)
    {
        var own = options["own"].FirstOrDefault() ?? (options["format"].Contains("H264") ? nameof(OwnH264Use.WhereItServes) : nameof(OwnH264Use.Never));
        return SourceDemand.Default with { OwnH264 = Enum.Parse<OwnH264Use>(own) };
    }

    public static VideoSourceOptions Wish(string device, ILookup<string, string> options)
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
            Controls = options["control"].Select(text => text.Split(':', 2)).ToDictionary(pair => pair[0], pair => pair[1]),
        };
    }

    private static int Number(ILookup<string, string> options, string key, int otherwise) =>
        options[key].FirstOrDefault() is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    private static double Parse(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
