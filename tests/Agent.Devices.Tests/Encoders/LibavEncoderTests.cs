using System.Text.Json;
using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using Agent.Media;
using static Agent.Devices.Tests.Encoders.Pictures;

namespace Agent.Devices.Tests.Encoders;

public sealed class LibavEncoderTests
{
    [Theory]
    [InlineData(320, 240)]
    [InlineData(1280, 720)]
    public void The_decoded_picture_is_the_source_picture_and_its_timecode_reads(int width, int height)
    {
        var format = Yu12(width, height);
        var output = new CollectingSubscriber();
        using var encoder = new LibavEncoder(new VideoEncoderOptions(), format, new AccessUnitPool(), output.Add);
        var pictures = EncodePattern(encoder, format, 30);
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
    [InlineData(LumaCoefficients.Bt601, "smpte170m")]
    [InlineData(LumaCoefficients.Bt709, "bt709")]
    public void The_parameter_set_says_which_colours_the_samples_mean(LumaCoefficients coefficients, string expected)
    {
        var format = Yu12(640, 480) with { LumaCoefficients = coefficients };
        var output = new CollectingSubscriber();
        using var encoder = new LibavEncoder(new VideoEncoderOptions(), format, new AccessUnitPool(), output.Add);
        _ = EncodePattern(encoder, format, 1);
        using var probed = JsonDocument.Parse(FfmpegTool.Run("ffprobe", "-of json -show_streams -f h264 -", output.Stream));
        var stream = probed.RootElement.GetProperty("streams")[0];
        Assert.Equal("tv", stream.GetProperty("color_range").GetString());
        Assert.Equal(expected, stream.GetProperty("color_space").GetString());
    }

    [Fact]
    public void A_bitrate_step_shows_within_two_seconds_of_pictures_without_a_keyframe()
    {
        var format = Yu12(320, 240);
        var output = new CollectingSubscriber();
        using var encoder = new LibavEncoder(new VideoEncoderOptions { BitrateBps = 2_000_000, KeyFrameIntervalSeconds = 60 }, format, new AccessUnitPool(), output.Add);
        var pictures = NoisyPictures(format);
        EncodeSeconds(4);
        encoder.SetBitrate(500_000);
        EncodeSeconds(4);
        encoder.SetBitrate(1_500_000);
        EncodeSeconds(4);
        Assert.Equal(1, output.All.Count(static unit => unit.IsKeyFrame));
        // Each rate is taken over the last two of its four seconds.
        var (high, low, middle) = (BitrateOf(2, 4), BitrateOf(6, 8), BitrateOf(10, 12));
        Assert.InRange(high, 1_600_000, 2_400_000);
        Assert.InRange(high / low, 3.2, 4.8);
        Assert.InRange(middle / low, 2.4, 3.6);

        void EncodeSeconds(int seconds)
        {
            for (var i = 0; i < 30 * seconds; i++)
                encoder.Encode(pictures[i % pictures.Length].At(TimeSpan.FromSeconds(output.All.Count / 30.0)), forceKeyFrame: false);
        }

        double BitrateOf(int from, int to) => output.All.Skip(30 * from).Take(30 * (to - from)).Sum(static unit => unit.Data.Length) * 8.0 / (to - from);
    }

    [Fact]
    public void A_keyframe_takes_no_longer_to_send_than_the_decoder_buffer_lasts()
    {
        var format = Yu12(640, 480);
        var output = new CollectingSubscriber();
        using var encoder = new LibavEncoder(new VideoEncoderOptions { BitrateBps = 1_000_000 }, format, new AccessUnitPool(), output.Add);
        var pictures = NoisyPictures(format);
        for (var i = 0; i < 60; i++) encoder.Encode(pictures[i % pictures.Length].At(default), forceKeyFrame: i == 40);
        Assert.True(output.All[40].IsKeyFrame);
        Assert.InRange(output.All[40].Data.Length, 1000, 1_000_000 / 8 / 2);
    }

    [Theory]
    [InlineData(PixelFormat.Nv12, "-f rawvideo -pix_fmt nv12")]
    [InlineData(PixelFormat.Yuyv, "-f rawvideo -pix_fmt yuyv422")]
    public void Every_input_format_comes_out_as_the_same_picture(PixelFormat pixelFormat, string ffmpegOutput)
    {
        const int Width = 640, Height = 360;
        var pattern = new TestPattern(Width, Height);
        pattern.Draw(7, FirstInstant);
        var converted = FfmpegTool.Run("ffmpeg", $"-f rawvideo -pix_fmt yuv420p -s {Width}x{Height} -i - {ffmpegOutput} -", pattern.Picture.ToArray());
        var format = new VideoFormat(pixelFormat, Width, Height, 30, 1);
        var output = new CollectingSubscriber();
        using var encoder = new LibavEncoder(new VideoEncoderOptions(), format, new AccessUnitPool(), output.Add);
        for (var i = 0; i < 10; i++) encoder.Encode(new RawFrame(format, converted), forceKeyFrame: false);
        var decoded = FfmpegTool.Decode(output.Stream);
        var last = decoded.AsSpan(decoded.Length - pattern.Picture.Length);
        Assert.True(PeakSignalToNoise(pattern.Picture.Span, last) > 30, $"{PeakSignalToNoise(pattern.Picture.Span, last):0.0} dB");
        Assert.True(Timecode.TryRead(last, Width, Width, Height, out var timecode));
        Assert.Equal(new Timecode(FirstInstant.ToUnixTimeMilliseconds(), 7), timecode);
    }

    [Theory]
    [InlineData(PixelFormat.Yu12)]
    [InlineData(PixelFormat.Yuyv)]
    public void Encoding_allocates_nothing_in_steady_state(PixelFormat pixelFormat)
    {
        var format = new VideoFormat(pixelFormat, 320, 240, 30, 1);
        long bytes = 0;
        using var encoder = new LibavEncoder(new VideoEncoderOptions(), format, new AccessUnitPool(), unit => bytes += unit.Data.Length);
        var frame = new RawFrame(format, new byte[320 * 240 * 2]);
        for (var i = 0; i < 100; i++) encoder.Encode(frame, forceKeyFrame: i % 10 == 0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            if (i % 50 == 0) encoder.SetBitrate(1_000_000 + i);
            encoder.Encode(frame, forceKeyFrame: i % 100 == 0);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(bytes > 0);
    }

    [Fact]
    public void A_picture_beyond_every_level_is_refused_with_the_mend()
    {
        var e = Assert.Throws<VideoEncoderException>(() => new LibavEncoder(new VideoEncoderOptions(), Yu12(8192, 8192), new AccessUnitPool(), static _ => { }));
        Assert.Contains("beyond H.264 level 5.2: choose less", e.Message, StringComparison.Ordinal);
    }
}
