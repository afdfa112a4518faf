using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using Agent.Media;
using static Agent.Devices.Tests.Encoders.Pictures;

namespace Agent.Devices.Tests.Encoders;

public sealed class OpenH264EncoderTests
{
    private static readonly VideoEncoderOptions Options = new() { Kind = VideoEncoderKind.OpenH264, BitrateBps = 4_000_000, KeyFrameIntervalSeconds = 60 };

    [Fact]
    public void The_decoded_picture_is_the_source_picture_and_its_timecode_reads()
    {
        var format = Yu12(640, 360);
        var output = new CollectingSubscriber();
        using var encoder = new OpenH264Encoder(Options, format, new AccessUnitPool(), output.Add);
        Assert.Equal("libopenh264", encoder.Name);
        var pictures = EncodePattern(encoder, format, 30);
        Assert.Equal((30, 0), (output.All.Count, (int)encoder.FramesSkipped));
        var decoded = FfmpegTool.Decode(output.Stream);
        for (var i = 0; i < pictures.Count; i++)
        {
            var picture = decoded.AsSpan(i * pictures[0].Length, pictures[0].Length);
            Assert.True(PeakSignalToNoise(pictures[i], picture) > 28, $"frame {i}: {PeakSignalToNoise(pictures[i], picture):0.0} dB");
            Assert.True(Timecode.TryRead(picture, 640, 640, 360, out var timecode));
            Assert.Equal(i, timecode.FrameNumber);
        }
    }

    [Fact]
    public void A_bitrate_step_shows_within_two_seconds_of_pictures()
    {
        var format = Yu12(320, 240);
        var output = new CollectingSubscriber();
        using var encoder = new OpenH264Encoder(Options with { BitrateBps = 2_000_000 }, format, new AccessUnitPool(), output.Add);
        var pictures = NoisyPictures(format);
        var sent = 0;
        var high = EncodeSeconds(4);
        encoder.SetBitrate(500_000);
        var low = EncodeSeconds(4);
        Assert.InRange(high / low, 3, 5);

        // Bits in the last two of the seconds.
        double EncodeSeconds(int seconds)
        {
            var from = TimeSpan.FromSeconds(sent / 30.0 + seconds - 2);
            for (var i = 0; i < 30 * seconds; i++, sent++)
                encoder.Encode(pictures[i % pictures.Length].At(TimeSpan.FromSeconds(sent / 30.0)), forceKeyFrame: false);
            return output.All.Where(unit => unit.CapturedAt >= from).Sum(static unit => unit.Data.Length) * 8.0;
        }
    }

    [Theory]
    [InlineData(PixelFormat.Yu12)]
    [InlineData(PixelFormat.Nv12)]
    public void Encoding_allocates_nothing_in_steady_state(PixelFormat pixelFormat)
    {
        var format = new VideoFormat(pixelFormat, 320, 240, 30, 1);
        long bytes = 0;
        using var encoder = new OpenH264Encoder(Options, format, new AccessUnitPool(), unit => bytes += unit.Data.Length);
        var frame = new RawFrame(format, new byte[320 * 240 * 3 / 2]);
        for (var i = 0; i < 100; i++) encoder.Encode(frame, forceKeyFrame: i % 10 == 0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 500; i++) encoder.Encode(frame, forceKeyFrame: i % 100 == 0);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(bytes > 0);
    }
}
