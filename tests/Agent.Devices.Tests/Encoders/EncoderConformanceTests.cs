using Agent.Devices.Encoders;
using Agent.Media;
using static Agent.Devices.Tests.Encoders.Pictures;

namespace Agent.Devices.Tests.Encoders;

/// <summary>What every software encoder's stream must be, with ffmpeg and ffprobe to read it.</summary>
public sealed class EncoderConformanceTests : IDisposable
{
    private const int ForcedKeyFrame = 7;

    private readonly string _directory = Directory.CreateTempSubdirectory("conformance").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    public static TheoryData<VideoEncoderKind, H264Profile, int, int, int, int, string> Streams => new()
    {
        { VideoEncoderKind.Libx264, H264Profile.ConstrainedBaseline, 320, 240, 15, 300_000, "42e01f" },
        { VideoEncoderKind.Libx264, H264Profile.ConstrainedBaseline, 640, 480, 30, 2_000_000, "42e01f" },
        { VideoEncoderKind.Libx264, H264Profile.ConstrainedBaseline, 1280, 720, 60, 2_000_000, "42e020" },
        { VideoEncoderKind.Libx264, H264Profile.ConstrainedBaseline, 1920, 1080, 30, 4_000_000, "42e028" },
        { VideoEncoderKind.Libx264, H264Profile.Main, 1280, 720, 30, 2_000_000, "4d401f" },
        { VideoEncoderKind.Libx264, H264Profile.High, 1280, 720, 30, 16_000_000, "64001f" },
        { VideoEncoderKind.Libx264, H264Profile.High, 1280, 720, 30, 18_000_000, "640020" },
        { VideoEncoderKind.OpenH264, H264Profile.ConstrainedBaseline, 320, 240, 15, 300_000, "42e00c" },
        { VideoEncoderKind.OpenH264, H264Profile.ConstrainedBaseline, 640, 360, 30, 4_000_000, "42e01e" },
        { VideoEncoderKind.OpenH264, H264Profile.ConstrainedBaseline, 1280, 720, 30, 2_000_000, "42e01f" },
        { VideoEncoderKind.OpenH264, H264Profile.ConstrainedBaseline, 1920, 1080, 30, 4_000_000, "42e028" },
    };

    [Fact]
    public void Every_encoder_is_below_with_each_profile_or_refuses_it_by_name()
    {
        foreach (var encoder in SoftwareEncoders.All)
        foreach (var profile in Enum.GetValues<H264Profile>())
        {
            if (Streams.Any(stream => stream[0].Equals(encoder.Kind) && stream[1].Equals(profile))) continue;
            var e = Assert.Throws<VideoEncoderException>(
                () => encoder.Open(new VideoEncoderOptions { Profile = profile }, Yu12(640, 480), new AccessUnitPool(), static _ => { }));
            Assert.Contains($"{encoder.Name} has no {profile} profile", e.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void A_stream_is_as_negotiated_through_forced_keyframes_and_changes_of_bitrate(
        VideoEncoderKind kind, H264Profile profile, int width, int height, int rate, int bitrate, string profileLevelId)
    {
        var format = Yu12(width, height, rate);
        // The interval of one second counts from the forced one.
        int[] keyFrames = [0, ForcedKeyFrame, ForcedKeyFrame + rate];
        var pictures = keyFrames[^1] + 5;
        var options = new VideoEncoderOptions { Profile = profile, BitrateBps = bitrate, KeyFrameIntervalSeconds = 1 };
        var output = new CollectingSubscriber();
        using var encoder = SoftwareEncoders.All.Single(encoder => encoder.Kind == kind).Open(options, format, new AccessUnitPool(), output.Add);
        Assert.Equal(profileLevelId, encoder.ProfileLevelId);
        _ = EncodePattern(encoder, format, pictures, force: static i => i == ForcedKeyFrame, before: i =>
        {
            if (i == 12) encoder.SetBitrate(bitrate * 3 / 4);
            // More than the level that the parameter set names can carry.
            if (i == 17) encoder.SetBitrate(int.MaxValue);
        });
        Assert.Equal(Enumerable.Range(0, pictures).Select(i => TimeSpan.FromSeconds(i / (double)rate)), output.All.Select(static unit => unit.CapturedAt));

        var path = Path.Combine(_directory, "stream.h264");
        File.WriteAllBytes(path, output.Stream);
        var check = new H264StreamCheck(path);
        Assert.Empty(check.FindFaults(new NegotiatedStream(profileLevelId, width, height)));
        Assert.Equal(keyFrames, check.KeyFrames);
        Assert.Equal(check.KeyFrames, output.All.Index().Where(static unit => unit.Item.IsKeyFrame).Select(static unit => unit.Index));
        Assert.Equal(output.All.Select(static unit => unit.Data.Length), check.AccessUnits.Select(static unit => unit.Bytes));
        Assert.All(check.AccessUnits, static unit => Assert.Single(unit.NalUnits, static nalUnit => nalUnit.Type is NalUnitType.IdrSlice or NalUnitType.NonIdrSlice));
        Assert.All(check.AccessUnits.SelectMany(static unit => unit.NalUnits).Where(static nalUnit => nalUnit.Type == NalUnitType.SequenceParameterSet),
            static set => Assert.Equal(0, set["max_num_reorder_frames"]));
    }
}
