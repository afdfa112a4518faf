using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using Agent.Media;
using static Agent.Devices.Tests.Encoders.Pictures;

namespace Agent.Devices.Tests.Encoders;

public sealed class JpegDecodingEncoderTests
{
    private const int Width = 640, Height = 360;

    /// <summary>Define Huffman Table (ITU-T T.81 Table B.1).</summary>
    private const byte DefineHuffmanTable = 0xC4;

    private static readonly VideoFormat Jpeg = new(PixelFormat.Mjpg, Width, Height, 30, 1);

    private static JpegDecodingEncoder Open(VideoFormat format, Action<AccessUnit> output) =>
        new(format, decoded => new LibavEncoder(new VideoEncoderOptions { BitrateBps = 8_000_000 }, decoded, new AccessUnitPool(), output));

    private static byte[] ToJpeg(ReadOnlyMemory<byte> picture, string arguments) =>
        FfmpegTool.Run("ffmpeg", $"-f rawvideo -pix_fmt yuv420p -s {Width}x{Height} -i - -f mjpeg -c:v mjpeg -q:v 1 {arguments} -", picture.ToArray());

    private static byte[] SmallPicture(int width, int height) =>
        FfmpegTool.Run("ffmpeg", $"-f lavfi -i testsrc2=size={width}x{height} -frames:v 1 -c:v mjpeg -pix_fmt yuvj420p -f mjpeg -");

    [Theory]
    [InlineData("-pix_fmt yuvj420p")]
    [InlineData("-pix_fmt yuvj422p")]
    [InlineData("-pix_fmt yuvj444p")]
    public void The_encoded_picture_is_the_cameras_whatever_its_chroma(string arguments)
    {
        var pattern = new TestPattern(Width, Height);
        pattern.Draw(7, FirstInstant);
        Check(pattern, ToJpeg(pattern.Picture, arguments));
    }

    [Fact]
    public void A_picture_without_Huffman_tables_as_UVC_cameras_send_them_is_decoded_with_the_standard_ones()
    {
        var pattern = new TestPattern(Width, Height);
        pattern.Draw(7, FirstInstant);
        var whole = ToJpeg(pattern.Picture, "-pix_fmt yuvj422p -huffman default");
        var bare = new List<byte>(whole);
        for (var i = 2; bare[i] == 0xFF && bare[i + 1] != 0xDA;)
        {
            var length = 2 + (bare[i + 2] << 8 | bare[i + 3]);
            if (bare[i + 1] == DefineHuffmanTable) bare.RemoveRange(i, length);
            else i += length;
        }
        Assert.True(bare.Count < whole.Length);
        Check(pattern, [.. bare]);
    }

    private static void Check(TestPattern pattern, byte[] jpeg)
    {
        var output = new CollectingSubscriber();
        using var encoder = Open(Jpeg, output.Add);
        for (var i = 0; i < 10; i++) encoder.Encode(new RawFrame(Jpeg, jpeg, TimeSpan.FromSeconds(i)), forceKeyFrame: i == 5);
        Assert.Equal([0, 5], output.All.Index().Where(static unit => unit.Item.IsKeyFrame).Select(static unit => unit.Index));
        Assert.Equal(TimeSpan.FromSeconds(9), output.All[9].CapturedAt);
        Assert.Equal(10L * Width * Height * 3 / 2, encoder.BytesCopied);
        var decoded = FfmpegTool.Decode(output.Stream);
        var last = decoded.AsSpan(decoded.Length - pattern.Picture.Length);
        Assert.True(PeakSignalToNoise(pattern.Picture.Span, last) > 32, $"{PeakSignalToNoise(pattern.Picture.Span, last):0.0} dB");
        Assert.True(Timecode.TryRead(last, Width, Width, Height, out var timecode));
        Assert.Equal(new Timecode(FirstInstant.ToUnixTimeMilliseconds(), 7), timecode);
    }

    [Fact]
    public void A_damaged_picture_is_left_out_and_counted_and_the_keyframe_asked_for_is_the_next_good_one()
    {
        var format = Jpeg with { Width = 320, Height = 240 };
        var good = SmallPicture(320, 240);
        byte[][] damaged = [[], [0xFF, 0xD8], new byte[5000], good[..(good.Length / 2)], good[..200], SmallPicture(160, 120)];
        var output = new CollectingSubscriber();
        using var encoder = Open(format, output.Add);
        encoder.Encode(new RawFrame(format, good), forceKeyFrame: false);
        foreach (var picture in damaged) encoder.Encode(new RawFrame(format, picture), forceKeyFrame: true);
        encoder.Encode(new RawFrame(format, good), forceKeyFrame: false);
        Assert.Equal((2, damaged.Length), (output.All.Count, (int)encoder.FramesSkipped));
        Assert.True(output.All[1].IsKeyFrame);
    }

    [Fact]
    public void Randomly_damaged_pictures_never_throw()
    {
        var format = Jpeg with { Width = 160, Height = 120 };
        var good = SmallPicture(160, 120);
        var random = new Random(20260102);
        var output = new CollectingSubscriber();
        using var encoder = Open(format, output.Add);
        for (var round = 0; round < 500; round++)
        {
            var picture = good.ToArray();
            for (var changes = random.Next(1, 10); changes > 0; changes--) picture[random.Next(picture.Length)] = (byte)random.Next(256);
            encoder.Encode(new RawFrame(format, picture.AsMemory(0, random.Next(picture.Length))), forceKeyFrame: false);
        }
        Assert.Equal(500, output.All.Count + encoder.FramesSkipped);
    }

    [Fact]
    public void Decoding_allocates_nothing_in_steady_state()
    {
        var format = Jpeg with { Width = 320, Height = 240 };
        long bytes = 0;
        using var encoder = Open(format, unit => bytes += unit.Data.Length);
        var frame = new RawFrame(format, SmallPicture(320, 240));
        for (var i = 0; i < 100; i++) encoder.Encode(frame, forceKeyFrame: i % 10 == 0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 500; i++) encoder.Encode(frame, forceKeyFrame: i % 100 == 0);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(bytes > 0);
    }
}
