using System.Diagnostics;
using System.Globalization;
using Agent.Devices.Sources;

namespace Agent.Devices.Tests.Sources;

public sealed class ChildVideoSourceTests : IDisposable
{
    private const int Width = 160;
    private const int Height = 120;

    private readonly string _directory = Directory.CreateTempSubdirectory("child-source").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static VideoSourceOptions Options(string pixelFormat, params string[] command) => new()
    {
        Kind = VideoSourceKind.Exec, Command = command, PixelFormat = pixelFormat, Width = Width, Height = Height, FrameRate = 100,
    };

    private static VideoSourceOptions Shell(string script, string pixelFormat = "YU12") => Options(pixelFormat, "sh", "-c", script);

    private static VideoSourceOptions Ffmpeg(string pixelFormat, string output, string input = "") =>
        Options(pixelFormat, ["ffmpeg", "-v", "error", .. $"{input} -f lavfi -i testsrc2=size={Width}x{Height}:rate=100 {output} -".Split(' ', StringSplitOptions.RemoveEmptyEntries)]);

    private static byte[] Copy(CapturedFrame frame)
    {
        var bytes = new List<byte>();
        for (var plane = 0; plane < frame.PlaneCount; plane++) bytes.AddRange(frame.GetPlane(plane));
        return [.. bytes];
    }

    /// <summary>Reads to the end; the frames and what the end was.</summary>
    private static (List<byte[]> Frames, VideoSourceException End) ReadAll(ChildVideoSource source)
    {
        var frames = new List<byte[]>();
        var end = Assert.Throws<VideoSourceException>((Action)(() =>
        {
            while (true)
            {
                using var frame = source.ReadFrame(CancellationToken.None)!;
                frames.Add(Copy(frame));
            }
        }));
        return (frames, end);
    }

    [Theory]
    [InlineData("YU12", "yuv420p", 3)]
    [InlineData("NV12", "nv12", 2)]
    [InlineData("YUYV", "yuyv422", 1)]
    public void Raw_frames_are_those_that_the_program_wrote(string pixelFormat, string name, int planes)
    {
        var arguments = $"-frames:v 12 -f rawvideo -pix_fmt {name}";
        var expected = FfmpegTool.Run("ffmpeg", $"-f lavfi -i testsrc2=size={Width}x{Height}:rate=100 {arguments} -");
        using var source = ExecCamera.Open(Ffmpeg(pixelFormat, arguments, "-re"));
        Assert.Equal("exec ffmpeg", source.Description);
        Assert.Equal((Width, Height, 100.0), (source.Format.Width, source.Format.Height, source.Format.FramesPerSecond));
        using (var first = source.ReadFrame(CancellationToken.None)!)
        {
            Assert.Equal(planes, first.PlaneCount);
            Assert.Equal(pixelFormat == "YUYV" ? 2 * Width : Width, first.GetBytesPerLine(0));
            Assert.InRange(Stopwatch.GetElapsedTime(0) - first.CapturedAt, TimeSpan.Zero, TimeSpan.FromSeconds(10));
            AssertNextIn(expected, Copy(first));
        }
        var (frames, end) = ReadAll(source);
        // On a busy machine some were left out, and counted.
        Assert.Equal(12, 1 + frames.Count + source.FramesDropped);
        foreach (var frame in frames) AssertNextIn(expected, frame);
        Assert.Equal("exec: \"ffmpeg\" ended with status 0", end.Message);
    }

    private static void AssertNextIn(byte[] pictures, byte[] frame)
    {
        Assert.Equal(0, pictures.Length % frame.Length);
        Assert.Contains(Enumerable.Range(0, pictures.Length / frame.Length), i => pictures.AsSpan(i * frame.Length, frame.Length).SequenceEqual(frame));
    }

    [Fact]
    public void Jpeg_images_are_those_that_the_program_wrote_and_tell_their_own_size()
    {
        const string Arguments = "-frames:v 12 -c:v mjpeg -s 96x64 -f mjpeg";
        var expected = FfmpegTool.Run("ffmpeg", $"-f lavfi -i testsrc2=size={Width}x{Height}:rate=100 {Arguments} -");
        using var source = ExecCamera.Open(Ffmpeg("mjpg", Arguments, "-re"));
        using (var first = source.ReadFrame(CancellationToken.None)!)
            Assert.Equal((PixelFormat.Mjpg, 96, 64), (first.Format.PixelFormat, first.Format.Width, first.Format.Height));
        var (frames, _) = ReadAll(source);
        Assert.Equal(12, 1 + frames.Count + source.FramesDropped);
        Assert.All(frames, frame => Assert.True(expected.AsSpan().IndexOf(frame) > 0));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-x264-params slices=3:aud=1")]
    [InlineData("-x264-params repeat-headers=0 -flags +global_header -bsf:v dump_extra=freq=e,filter_units=remove_types=6")]
    public void Access_units_are_those_that_the_program_wrote(string more)
    {
        var arguments = $"-frames:v 25 -c:v libx264 -pix_fmt yuv420p -bf 0 -g 8 -threads 1 -tune zerolatency -s 96x64 {more} -f h264";
        var stream = FfmpegTool.Run("ffmpeg", $"-f lavfi -i testsrc2=size={Width}x{Height}:rate=100 {arguments} -");
        using var source = ExecCamera.Open(Ffmpeg("H264", arguments, "-re"));
        Assert.False(source.RequestKeyFrame());
        using (var first = source.ReadFrame(CancellationToken.None)!)
        {
            Assert.Equal((PixelFormat.H264, 96, 64), (first.Format.PixelFormat, first.Format.Width, first.Format.Height));
            Assert.True(stream.AsSpan().StartsWith(first.GetPlane(0)));
        }
        var (frames, _) = ReadAll(source);
        Assert.Equal(24, frames.Count);
        Assert.Equal(0, source.FramesDropped);
        var delivered = stream[..^frames.Sum(static frame => frame.Length)];
        Assert.Equal(FfmpegTool.Decode(stream), FfmpegTool.Decode([.. delivered, .. frames.SelectMany(static frame => frame)]));
    }

    [Fact]
    public void The_last_picture_does_not_wait_for_the_next()
    {
        var file = Path.Combine(_directory, "one.h264");
        File.WriteAllBytes(file, FfmpegTool.Run("ffmpeg", $"-f lavfi -i testsrc2=size={Width}x{Height}:rate=100 -frames:v 1 -c:v libx264 -pix_fmt yuv420p -f h264 -"));
        using var source = ExecCamera.Open(Shell($"cat {file}; exec sleep 1000", "H264"));
        using var frame = source.ReadFrame(CancellationToken.None)!;
        Assert.True(File.ReadAllBytes(file).AsSpan().SequenceEqual(frame.GetPlane(0)));
    }

    [Fact]
    public void A_writer_that_pauses_within_a_picture_loses_that_one_and_is_waited_for_longer()
    {
        var pictures = FfmpegTool.Run("ffmpeg", $"-f lavfi -i testsrc2=size={Width}x{Height}:rate=100 -frames:v 2 -c:v libx264 -bf 0 -g 1 -threads 1 -pix_fmt yuv420p -f h264 -");
        var cutter = new H264Cutter(new VideoFormat(PixelFormat.H264, Width, Height, 25, 1));
        Assert.Null(cutter.FlushAfter);
        void Write(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(cutter.Space);
            cutter.Advance(bytes.Length, TimeSpan.FromSeconds(1));
        }

        var half = pictures.Length / 4;
        Write(pictures.AsSpan(0, half));
        Assert.Null(cutter.TryTake());
        Assert.Equal(TimeSpan.FromMilliseconds(10), cutter.FlushAfter);
        cutter.Flush();
        Assert.Null(cutter.FlushAfter);
        Assert.Equal(half, cutter.TryTake()!.Length);
        Write(pictures.AsSpan(half));
        Assert.Null(cutter.TryTake());
        Assert.Equal(TimeSpan.FromMilliseconds(20), cutter.FlushAfter);
        cutter.Flush();
        Assert.True(pictures.AsSpan().EndsWith(cutter.TryTake()!.GetPlane(0)));
        // A second time: from then on, only the next picture ends one.
        Write(pictures.AsSpan(0, half));
        cutter.Flush();
        Assert.NotNull(cutter.TryTake());
        Write(pictures.AsSpan(half));
        Assert.Null(cutter.TryTake());
        Assert.Null(cutter.FlushAfter);
    }

    [Fact]
    public void Pictures_of_one_piece_have_instants_of_their_own()
    {
        var file = Path.Combine(_directory, "many.h264");
        File.WriteAllBytes(file, FfmpegTool.Run("ffmpeg", $"-f lavfi -i testsrc2=size={Width}x{Height}:rate=100 -frames:v 10 -c:v libx264 -bf 0 -pix_fmt yuv420p -f h264 -"));
        using var source = ExecCamera.Open(Options("H264", "cat", file));
        var instants = new List<TimeSpan>();
        for (var i = 0; i < 10; i++)
        {
            using var frame = source.ReadFrame(CancellationToken.None)!;
            instants.Add(frame.CapturedAt);
        }
        for (var i = 1; i < instants.Count; i++) Assert.True(instants[i] - instants[i - 1] >= TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    public void Damaged_images_and_what_lies_between_images_are_left_out_and_counted()
    {
        var jpeg = FfmpegTool.Run("ffmpeg", $"-f lavfi -i testsrc2=size={Width}x{Height} -frames:v 1 -c:v mjpeg -f mjpeg -");
        var file = Path.Combine(_directory, "stream");
        File.WriteAllBytes(file, [1, 0xFF, 0xD8, 2, .. jpeg, 9, 9, .. jpeg[..(jpeg.Length / 2)], .. jpeg, 0xFF, 0xD8, 0xFF]);
        using var source = ExecCamera.Open(Options("MJPG", "cat", file));
        var (frames, _) = ReadAll(source);
        Assert.All(frames, frame => Assert.Equal(jpeg, frame));
        // All of it comes in one piece, so that the first whole image is skipped for the second.
        Assert.Single(frames);
        Assert.Equal(2, source.FramesDropped);
    }

    [Fact]
    public void The_newest_of_the_frames_that_wait_is_given_and_the_others_are_counted()
    {
        var file = Path.Combine(_directory, "frames");
        var size = Width * Height * 3 / 2;
        // As many as the pipe holds, each filled with its number.
        File.WriteAllBytes(file, [.. Enumerable.Range(0, 5).SelectMany(i => Enumerable.Repeat((byte)i, size))]);
        var ready = Path.Combine(_directory, "ready");
        using var source = ExecCamera.Open(Shell($"cat {file}; touch {ready}; exec sleep 1000"));
        Assert.True(SpinWait.SpinUntil(() => File.Exists(ready), TimeSpan.FromSeconds(20)));
        using var frame = source.ReadFrame(CancellationToken.None)!;
        Assert.Equal(4, frame.GetPlane(0)[0]);
        Assert.Equal(4, source.FramesDropped);
    }

    [Fact]
    public void A_program_that_writes_without_end_is_read_at_the_readers_pace()
    {
        using var source = ExecCamera.Open(Shell("exec cat /dev/zero"));
        for (var i = 0; i < 20; i++) source.ReadFrame(CancellationToken.None)!.Dispose();
        Assert.InRange(source.FramesDropped, 0, 20 * 8);
    }

    [Theory]
    [InlineData("exit 3", "ended with status 3")]
    [InlineData("echo 'ERROR: *** no cameras available ***' >&2; exit 255", "ended with status 255: ERROR: *** no cameras available ***")]
    [InlineData("printf '[0:12:34.5] [99] starting\\n[in @ 0x55] a\\tb\\rlast' >&2; exit 1", "ended with status 1: starting / a b / last")]
    [InlineData("for i in 1 2 3 4 5; do echo line $i >&2; done; exit 1", "ended with status 1: line 3 / line 4 / line 5")]
    [InlineData("echo 'Error opening input file rtsp://me:p@ss@host/a@b.' >&2; exit 1", "ended with status 1: Error opening input file rtsp://…@host/a@b.")]
    [InlineData("kill -9 $$", "was ended by signal 9")]
    [InlineData("head -c 100 /dev/zero; exit 4", "ended with status 4")]
    [InlineData("sleep 1000 & exit 5", "ended with status 5")]
    [InlineData("exec >&-; exec sleep 1000", "has closed its standard output but runs on")]
    public void How_a_program_ends_is_told(string script, string what)
    {
        using var source = ExecCamera.Open(Shell(script));
        Assert.Equal($"exec: \"sh\" {what}", Assert.Throws<VideoSourceException>(() => source.ReadFrame(CancellationToken.None)).Message);
    }

    [Theory]
    [InlineData("exec sleep 1000", "nothing for 2.5 s")]
    [InlineData("head -c 100 /dev/zero; exec sleep 1000", "no whole Yu12 frame for 2.5 s")]
    [InlineData("while :; do echo chatter >&2; done", "nothing for 2.5 s: chatter / chatter / chatter")]
    public void A_program_that_gives_no_frame_is_told(string script, string what)
    {
        using var source = ExecCamera.Open(Shell(script), new ChildLimits { FirstFrame = TimeSpan.FromSeconds(2.5) });
        Assert.Equal($"exec: \"sh\" has written {what}", Assert.Throws<VideoSourceException>(() => source.ReadFrame(CancellationToken.None)).Message);
    }

    [Fact]
    public void A_program_that_stops_writing_has_stalled()
    {
        var size = Width * Height * 3 / 2;
        using var source = ExecCamera.Open(Shell($"head -c {size} /dev/zero; exec sleep 1000"), new ChildLimits { ShortestStall = TimeSpan.FromSeconds(0.4) });
        source.ReadFrame(CancellationToken.None)!.Dispose();
        Assert.Equal("exec: \"sh\" has written no whole Yu12 frame for 0.4 s", Assert.Throws<VideoSourceException>(() => source.ReadFrame(CancellationToken.None)).Message);
    }

    [Fact]
    public void Garbage_is_no_image_and_long_lines_are_cut()
    {
        var limits = new ChildLimits { FirstFrame = TimeSpan.FromSeconds(2.5) };
        // Images begin again and again and come to nothing. Random bytes would make a whole one sooner or later.
        using var source = ExecCamera.Open(Shell("head -c 300 /dev/zero | tr '\\0' x >&2; exec yes $(printf '\\377\\330\\377x')", "MJPG"), limits);
        Assert.Equal(
            $"exec: \"sh\" has written no whole Mjpg frame for 2.5 s: {new string('x', 200)}",
            Assert.Throws<VideoSourceException>(() => source.ReadFrame(CancellationToken.None)).Message);
    }

    [Fact]
    public void What_cannot_be_run_is_told_with_the_mend()
    {
        Assert.Equal(
            "exec: there is no program to run; set source.command to the program and its arguments",
            Assert.Throws<VideoSourceException>(static () => ExecCamera.Open(Options("YU12"))).Message);
        Assert.Equal(
            "exec: no program \"no-such-program\" in PATH; install it or correct source.command",
            Assert.Throws<VideoSourceException>(static () => ExecCamera.Open(Options("YU12", "no-such-program"))).Message);
        Assert.Equal(
            "exec: no program \"/nonexistent/program\" there; install it or correct source.command",
            Assert.Throws<VideoSourceException>(static () => ExecCamera.Open(Options("YU12", "/nonexistent/program"))).Message);
        Assert.Equal(
            "exec: cannot start /etc/passwd: Permission denied",
            Assert.Throws<VideoSourceException>(static () => ExecCamera.Open(Options("YU12", "/etc/passwd"))).Message);
        Assert.Equal(
            "exec: no pixel format BGR3; choose one of YUYV, NV12, YU12, MJPG, H264",
            Assert.Throws<VideoSourceException>(static () => ExecCamera.Open(Options("BGR3", "true"))).Message);
        var script = Path.Combine(_directory, "script");
        File.WriteAllText(script, "#!/nonexistent/interpreter\n");
        using (var chmod = Process.Start("chmod", ["+x", script])) chmod.WaitForExit();
        Assert.Equal(
            $"exec: cannot start {script}: No such file or directory",
            Assert.Throws<VideoSourceException>(() => ExecCamera.Open(Options("YU12", script))).Message);
    }

    [Fact]
    public async Task Cancelling_ends_a_wait_at_once()
    {
        using var source = ExecCamera.Open(Shell("exec sleep 1000"), new ChildLimits { FirstFrame = TimeSpan.FromMinutes(5) });
        using var stop = new CancellationTokenSource();
        var reading = Task.Run(() => source.ReadFrame(stop.Token));
        await stop.CancelAsync();
        Assert.Null(await reading.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public void Two_hundred_sources_leave_neither_processes_nor_descriptors_nor_threads()
    {
        ExecCamera.Open(Shell("exec sleep 1000")).Dispose();
        var (descriptors, threads) = (Directory.GetFiles("/proc/self/fd").Length, Directory.GetDirectories("/proc/self/task").Length);
        using var stop = new CancellationTokenSource();
        var size = Width * Height * 3 / 2;
        var ids = new List<int>();
        for (var i = 0; i < 200; i++)
        {
            using var source = ExecCamera.Open(Shell($"head -c {size} /dev/zero; exec sleep 1000"));
            source.ReadFrame(stop.Token)!.Dispose();
            ids.Add(source.ProcessId);
        }
        // The runtime's own come and go; a leak would be hundreds.
        Assert.InRange(Directory.GetFiles("/proc/self/fd").Length, 0, descriptors + 20);
        Assert.InRange(Directory.GetDirectories("/proc/self/task").Length, 0, threads + 20);
        Assert.All(ids, static id => Assert.False(IsOurs(id)));
    }

    /// <summary>A child of this process, dead or alive.</summary>
    private static bool IsOurs(int processId)
    {
        try
        {
            return File.ReadAllText($"/proc/{processId}/stat").Split(") ")[1].Split(' ')[1] == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return false;
        }
    }

    [Theory]
    [InlineData("YU12", "-f rawvideo -pix_fmt yuv420p")]
    [InlineData("MJPG", "-c:v mjpeg -f mjpeg")]
    [InlineData("H264", "-c:v libx264 -bf 0 -g 50 -pix_fmt yuv420p -f h264")]
    public void Reading_allocates_nothing(string pixelFormat, string arguments)
    {
        using var source = ExecCamera.Open(Ffmpeg(pixelFormat, arguments));
        // Buffers grow to the largest frame and to as many as ever wait at once; after that there is nothing more to allocate.
        Assert.Contains(Enumerable.Range(0, 10), _ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 200; i++) source.ReadFrame(CancellationToken.None)!.Dispose();
            return GC.GetAllocatedBytesForCurrentThread() == before;
        });
    }
}
