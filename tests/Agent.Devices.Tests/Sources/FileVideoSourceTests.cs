using Agent.Devices.Sources;
using Agent.Media;

namespace Agent.Devices.Tests.Sources;

public sealed class FileVideoSourceTests : IDisposable
{
    private const int FrameCount = 20;
    private const int FrameRate = 100;

    private readonly string _directory = Directory.CreateTempSubdirectory("file-source").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>A fifth of a second of ffmpeg's test picture in a file of that name.</summary>
    private string MakeClip(string name, string codec, string size = "320x240")
    {
        var path = Path.Combine(_directory, name);
        FfmpegTool.Run("ffmpeg", $"-f lavfi -i testsrc2=size={size}:rate={FrameRate} -frames:v {FrameCount} {codec} -y {path}");
        return path;
    }

    private static FileVideoSource Open(string path, OwnH264Use ownH264 = OwnH264Use.WhereItServes) =>
        new(new VideoSourceOptions { Kind = VideoSourceKind.File, Path = path }, ownH264, new TickingClock());

    private static List<(byte[] Data, TimeSpan CapturedAt)> Read(FileVideoSource source, int count)
    {
        var frames = new List<(byte[], TimeSpan)>();
        for (var i = 0; i < count; i++)
        {
            using var frame = source.ReadFrame(CancellationToken.None)!;
            var bytes = new List<byte>();
            if (frame.PlaneCount == 1) bytes.AddRange(frame.GetPlane(0));
            else for (var plane = 0; plane < 3; plane++) AppendLines(bytes, frame, plane);
            frames.Add(([.. bytes], frame.CapturedAt));
        }
        return frames;
    }

    private static void AppendLines(List<byte> bytes, CapturedFrame frame, int plane)
    {
        var half = plane == 0 ? 1 : 2;
        for (var line = 0; line < frame.Format.Height / half; line++)
            bytes.AddRange(frame.GetPlane(plane).Slice(line * frame.GetBytesPerLine(plane), frame.Format.Width / half));
    }

    private static void AssertEvenlySpaced(List<(byte[] Data, TimeSpan CapturedAt)> frames)
    {
        for (var i = 1; i < frames.Count; i++)
            Assert.Equal(1.0 / FrameRate, (frames[i].CapturedAt - frames[i - 1].CapturedAt).TotalSeconds, 0.0015);
    }

    [Fact]
    public void H264_is_decoded_where_an_encoder_was_chosen()
    {
        var path = MakeClip("clip.mp4", "-c:v libx264 -pix_fmt yuv420p -bf 0 -g 8");
        using var passedThrough = Open(path, OwnH264Use.Always);
        using var decoded = Open(path, OwnH264Use.Never);
        Assert.Equal((PixelFormat.H264, PixelFormat.Yu12), (passedThrough.Format.PixelFormat, decoded.Format.PixelFormat));
    }

    [Fact]
    public void A_file_that_is_not_there_is_absent_and_one_without_video_is_not()
    {
        var text = Path.Combine(_directory, "text.mp4");
        File.WriteAllText(text, "no video");
        Assert.Equal(SourceFailure.Absent, Assert.Throws<VideoSourceException>(() => Open(Path.Combine(_directory, "missing.mp4"))).Failure);
        Assert.Equal(SourceFailure.Failed, Assert.Throws<VideoSourceException>(() => Open(text)).Failure);
    }

    [Theory]
    [InlineData("clip.mp4")]
    [InlineData("clip.ts")]
    [InlineData("clip.mkv")]
    [InlineData("clip.h264")]
    public void H264_without_B_frames_passes_through_byte_for_byte_and_loops_without_a_gap(string name)
    {
        var path = MakeClip(name, "-c:v libx264 -pix_fmt yuv420p -bf 0 -g 8");
        using var source = Open(path);
        Assert.Equal((PixelFormat.H264, 320, 240), (source.Format.PixelFormat, source.Format.Width, source.Format.Height));
        Assert.Equal(FrameRate, source.Format.FramesPerSecond, 0.5);
        Assert.False(source.RequestKeyFrame());
        var frames = Read(source, 2 * FrameCount + 5);
        AssertEvenlySpaced(frames);
        for (var i = FrameCount; i < frames.Count; i++) Assert.Equal(frames[i - FrameCount].Data, frames[i].Data);
        // The pictures that ffmpeg decodes from the file are those it decodes from what was delivered.
        var expected = FfmpegTool.Run("ffmpeg", $"-i {path} -f rawvideo -pix_fmt yuv420p -");
        var delivered = FfmpegTool.Decode([.. frames.Take(FrameCount).SelectMany(static frame => frame.Data)]);
        Assert.True(expected.AsSpan().SequenceEqual(delivered));
        var keyFrames = frames.Where(static frame => TypesOf(frame.Data).Contains(NalUnitType.IdrSlice)).ToList();
        Assert.Equal(7, keyFrames.Count);
        Assert.All(keyFrames, static frame => Assert.Superset(
            new HashSet<NalUnitType> { NalUnitType.SequenceParameterSet, NalUnitType.PictureParameterSet }, TypesOf(frame.Data).ToHashSet()));
    }

    [Fact]
    public void Parameter_sets_that_a_stream_sends_only_once_are_put_before_every_keyframe()
    {
        var path = MakeClip("once.h264", "-c:v libx264 -pix_fmt yuv420p -bf 0 -g 5 -x264-params repeat-headers=0:aud=1 -flags +global_header -bsf:v dump_extra=freq=e");
        var original = File.ReadAllBytes(path);
        // Keep the first pair of parameter sets only.
        var stripped = new List<byte>();
        var position = 0;
        var seen = 0;
        while (NalUnit.TryFindNext(original, ref position, out var range))
        {
            var isSet = NalUnit.TypeOf(original[range][0]) is NalUnitType.SequenceParameterSet or NalUnitType.PictureParameterSet;
            if (isSet && ++seen > 2) continue;
            stripped.AddRange([0, 0, 0, 1, .. original[range]]);
        }
        File.WriteAllBytes(path, [.. stripped]);
        using var source = Open(path);
        var frames = Read(source, FrameCount);
        var keyFrames = frames.Where(static frame => TypesOf(frame.Data).Contains(NalUnitType.IdrSlice)).ToList();
        Assert.Equal(4, keyFrames.Count);
        // The first one is as the file has it, with ffmpeg's own order.
        Assert.All(keyFrames.Skip(1), static frame => Assert.Equal(
            [NalUnitType.AccessUnitDelimiter, NalUnitType.SequenceParameterSet, NalUnitType.PictureParameterSet, NalUnitType.IdrSlice],
            TypesOf(frame.Data).Where(static type => type != NalUnitType.SupplementalEnhancementInformation)));
    }

    [Theory]
    [InlineData("b-frames.mp4", "-c:v libx264 -pix_fmt yuv420p -bf 2")]
    [InlineData("high422.mp4", "-c:v libx264 -pix_fmt yuv422p -bf 0")]
    [InlineData("mpeg4.avi", "-c:v mpeg4 -q:v 2")]
    [InlineData("vp9.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8")]
    [InlineData("raw.nut", "-c:v rawvideo -pix_fmt rgb24")]
    public void Everything_else_is_decoded_to_the_pictures_that_ffmpeg_decodes(string name, string codec)
    {
        var path = MakeClip(name, codec);
        using var source = Open(path);
        Assert.Equal((PixelFormat.Yu12, 320, 240), (source.Format.PixelFormat, source.Format.Width, source.Format.Height));
        var frames = Read(source, FrameCount + 5);
        AssertEvenlySpaced(frames);
        var expected = FfmpegTool.Run("ffmpeg", $"-i {path} -f rawvideo -pix_fmt yuv420p -sws_flags fast_bilinear -");
        const int Size = 320 * 240 * 3 / 2;
        Assert.Equal(FrameCount, expected.Length / Size);
        for (var i = 0; i < frames.Count; i++)
        {
            var picture = frames[i].Data;
            Assert.Equal(Size, picture.Length);
            var wanted = expected.AsSpan(i % FrameCount * Size, Size);
            long difference = 0;
            for (var j = 0; j < Size; j++) difference += Math.Abs(picture[j] - wanted[j]);
            Assert.True(difference < Size, $"frame {i}: mean difference {(double)difference / Size:0.00}");
        }
    }

    [Fact]
    public void Odd_sizes_are_cropped_to_even_ones()
    {
        using var source = Open(MakeClip("odd.avi", "-c:v ffv1 -pix_fmt yuv420p", "321x241"));
        using var frame = source.ReadFrame(CancellationToken.None)!;
        Assert.Equal((320, 240), (frame.Format.Width, frame.Format.Height));
    }

    [Fact]
    public void A_missing_file_garbage_and_sound_alone_are_refused_by_name()
    {
        Assert.Contains("has no path", Assert.Throws<VideoSourceException>(static () => Open(null!)).Message, StringComparison.Ordinal);
        var missing = Path.Combine(_directory, "missing.mp4");
        Assert.Equal($"cannot open file {missing}: avformat_open_input: No such file or directory (-2)", Assert.Throws<VideoSourceException>(() => Open(missing)).Message);
        var garbage = Path.Combine(_directory, "garbage.mp4");
        var bytes = new byte[100_000];
        new Random(1).NextBytes(bytes);
        File.WriteAllBytes(garbage, bytes);
        Assert.StartsWith($"cannot open file {garbage}: ", Assert.Throws<VideoSourceException>(() => Open(garbage)).Message, StringComparison.Ordinal);
        var sound = Path.Combine(_directory, "sound.wav");
        FfmpegTool.Run("ffmpeg", $"-f lavfi -i sine=duration=0.1 -y {sound}");
        Assert.StartsWith($"cannot open file {sound}: av_find_best_stream", Assert.Throws<VideoSourceException>(() => Open(sound)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_truncated_file_plays_what_is_there_over_and_over()
    {
        var path = MakeClip("cut.ts", "-c:v libx264 -pix_fmt yuv420p -bf 0 -g 8");
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..(bytes.Length * 2 / 3)]);
        using var source = Open(path);
        Assert.Equal(3 * FrameCount, Read(source, 3 * FrameCount).Count);
    }

    private static List<NalUnitType> TypesOf(byte[] accessUnit)
    {
        var types = new List<NalUnitType>();
        var position = 0;
        while (NalUnit.TryFindNext(accessUnit, ref position, out var range)) types.Add(NalUnit.TypeOf(accessUnit[range.Start]));
        return types;
    }

    /// <summary>Two milliseconds pass whenever someone looks, so that a busy machine does not count as a machine that slept.</summary>
    private sealed class TickingClock : TimeProvider
    {
        private long _ticks = TimeSpan.TicksPerHour;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks += 2 * TimeSpan.TicksPerMillisecond;
    }
}
