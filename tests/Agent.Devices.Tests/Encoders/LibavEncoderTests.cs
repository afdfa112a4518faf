using System.Text.Json;
using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using Agent.Media;

namespace Agent.Devices.Tests.Encoders;

public sealed class LibavEncoderTests
{
    private static readonly DateTimeOffset FirstInstant = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    private static VideoFormat Yu12(int width, int height, int rate = 30) => new(PixelFormat.Yu12, width, height, rate, 1);

    /// <summary>Encodes the test pattern; frame n's clock is n frame durations after <see cref="FirstInstant"/>.</summary>
    private static (CollectingSubscriber Output, List<byte[]> Pictures) EncodePattern(
        LibavEncoder encoder, VideoFormat format, int count, Func<int, bool>? force = null, Action<int>? before = null)
    {
        var pattern = new TestPattern(format.Width, format.Height);
        var frame = new PlanarFrame(format, pattern.Picture);
        var output = new CollectingSubscriber();
        var pictures = new List<byte[]>();
        for (var i = 0; i < count; i++)
        {
            before?.Invoke(i);
            pattern.Draw(i, FirstInstant + TimeSpan.FromSeconds(i / format.FramesPerSecond));
            pictures.Add(pattern.Picture.ToArray());
            encoder.Encode(frame.At(TimeSpan.FromSeconds(i / format.FramesPerSecond)), force?.Invoke(i) ?? false, output.Add);
        }
        return (output, pictures);
    }

    private static double PeakSignalToNoise(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double squares = 0;
        for (var i = 0; i < expected.Length; i++) squares += (expected[i] - actual[i]) * (expected[i] - actual[i]);
        return 10 * Math.Log10(255.0 * 255.0 * expected.Length / Math.Max(squares, 1e-9));
    }

    [Theory]
    [InlineData(320, 240)]
    [InlineData(1280, 720)]
    public void The_decoded_picture_is_the_source_picture_and_its_timecode_reads(int width, int height)
    {
        var format = Yu12(width, height);
        using var encoder = new LibavEncoder(new VideoEncoderOptions(), format, new AccessUnitPool());
        var (output, pictures) = EncodePattern(encoder, format, 30);
        var decoded = FfmpegTool.Decode(output.Stream);
        var size = width * height * 3 / 2;
        Assert.Equal(pictures.Count, decoded.Length / size);
        for (var i = 0; i < pictures.Count; i++)
        {
            var picture = decoded.AsSpan(i * size, size);
            Assert.True(PeakSignalToNoise(pictures[i], picture) > 30, $"frame {i}: {PeakSignalToNoise(pictures[i], picture):0.0} dB");
            Assert.True(Timecode.TryRead(picture, width, width, height, out var timecode), $"frame {i}: no timecode");
            Assert.Equal(i, timecode.FrameNumber);
            Assert.Equal((FirstInstant + TimeSpan.FromSeconds(i / 30.0)).ToUnixTimeMilliseconds(), timecode.UnixMilliseconds);
        }
    }

    [Theory]
    [InlineData(H264Profile.ConstrainedBaseline, 640, 480, 30, 2_000_000, "42e01f", "Constrained Baseline", 31)]
    [InlineData(H264Profile.ConstrainedBaseline, 1280, 720, 60, 2_000_000, "42e020", "Constrained Baseline", 32)]
    [InlineData(H264Profile.ConstrainedBaseline, 1920, 1080, 30, 4_000_000, "42e028", "Constrained Baseline", 40)]
    [InlineData(H264Profile.Main, 1280, 720, 30, 2_000_000, "4d401f", "Main", 31)]
    [InlineData(H264Profile.High, 1280, 720, 30, 16_000_000, "64001f", "High", 31)]
    public void The_profile_and_level_announced_are_those_of_the_parameter_set_sent(
        H264Profile profile, int width, int height, int rate, int bitrate, string expected, string ffprobeProfile, int ffprobeLevel)
    {
        var format = Yu12(width, height, rate);
        using var encoder = new LibavEncoder(new VideoEncoderOptions { Profile = profile, BitrateBps = bitrate }, format, new AccessUnitPool());
        Assert.Equal(expected, encoder.ProfileLevelId);
        var (output, _) = EncodePattern(encoder, format, 2);
        var unit = output.All[0].Data;
        var position = 0;
        Assert.True(NalUnit.TryFindNext(unit, ref position, out var first));
        Assert.True(SpsReader.TryRead(unit.AsSpan(first), out var sps));
        Assert.Equal((expected, width, height), (sps.ProfileLevelId, sps.Width, sps.Height));
        using var probed = JsonDocument.Parse(FfmpegTool.Run("ffprobe", "-of json -show_streams -f h264 -", output.Stream));
        var stream = probed.RootElement.GetProperty("streams")[0];
        Assert.Equal(ffprobeProfile, stream.GetProperty("profile").GetString());
        Assert.Equal(ffprobeLevel, stream.GetProperty("level").GetInt32());
        Assert.Equal("tv", stream.GetProperty("color_range").GetString());
        Assert.Equal("smpte170m", stream.GetProperty("color_space").GetString());
    }

    [Fact]
    public void A_forced_keyframe_is_the_very_next_picture_with_parameter_sets_and_there_are_no_B_frames()
    {
        var format = Yu12(640, 360);
        using var encoder = new LibavEncoder(new VideoEncoderOptions { KeyFrameIntervalSeconds = 1 }, format, new AccessUnitPool());
        var (output, _) = EncodePattern(encoder, format, 75, force: static i => i == 17);
        Assert.Equal(75, output.All.Count);
        // The interval counts from the forced one.
        Assert.Equal([0, 17, 47], output.All.Index().Where(static unit => unit.Item.IsKeyFrame).Select(static unit => unit.Index));
        foreach (var unit in output.All)
        {
            NalUnitType[] expected = unit.IsKeyFrame
                ? [NalUnitType.SequenceParameterSet, NalUnitType.PictureParameterSet, NalUnitType.IdrSlice]
                : [NalUnitType.NonIdrSlice];
            Assert.Equal(expected, unit.NalUnitTypes.Where(static type => type != NalUnitType.SupplementalEnhancementInformation));
        }
        Assert.Equal(output.All.Select(static (_, i) => TimeSpan.FromSeconds(i / 30.0)), output.All.Select(static unit => unit.CapturedAt));
        using var probed = JsonDocument.Parse(FfmpegTool.Run("ffprobe", "-of json -show_frames -f h264 -", output.Stream));
        var types = string.Concat(probed.RootElement.GetProperty("frames").EnumerateArray().Select(static f => f.GetProperty("pict_type").GetString()));
        Assert.Equal("I" + new string('P', 16) + "I" + new string('P', 29) + "I" + new string('P', 27), types);
    }
}
