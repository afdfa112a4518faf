using Agent.Devices.Encoders;
using Agent.Devices.Sources;

namespace Agent.Devices.Tests.Encoders;

/// <summary>Copies between line lengths and 4:2:0 formats, with ffmpeg's converter as the oracle.</summary>
public sealed class RawPictureTests
{
    private const int Width = 38;
    private const int Height = 22;
    private const int Chroma = Width / 2;

    [Theory]
    [InlineData(PixelFormat.Nv12, "nv12", PixelFormat.Yu12, "yuv420p")]
    [InlineData(PixelFormat.Yu12, "yuv420p", PixelFormat.Nv12, "nv12")]
    [InlineData(PixelFormat.Nv12, "nv12", PixelFormat.Nv12, "nv12")]
    [InlineData(PixelFormat.Yu12, "yuv420p", PixelFormat.Yu12, "yuv420p")]
    [InlineData(PixelFormat.Yuyv, "yuyv422", PixelFormat.Yuyv, "yuyv422")]
    public void Formats_become_one_another_without_a_changed_sample(PixelFormat from, string fromName, PixelFormat to, string toName)
    {
        var random = new Random(7);
        var bytes = new byte[from == PixelFormat.Yuyv ? Width * Height * 2 : Width * Height * 3 / 2];
        random.NextBytes(bytes);
        var expected = FfmpegTool.Run(
            "ffmpeg", $"-f rawvideo -s {Width}x{Height} -pix_fmt {fromName} -i - -f rawvideo -pix_fmt {toName} -", bytes);
        using var frame = new RawFrame(new VideoFormat(from, Width, Height, 30, 1), bytes);

        foreach (var padding in new[] { 0, 6 })
        {
            var line = (to == PixelFormat.Yuyv ? Width * 2 : Width) + padding;
            var chromaLine = (to == PixelFormat.Nv12 ? Width : Chroma) + padding;
            var (plane0, plane1, plane2) = (new byte[line * Height], new byte[chromaLine * Height / 2], new byte[chromaLine * Height / 2]);

            var written = RawPicture.Of(frame).CopyTo(to, plane0, line, plane1, chromaLine, plane2, chromaLine);

            Assert.Equal(bytes.Length, written);
            Assert.Equal(expected, (byte[])
            [
                .. Tight(plane0, line, to == PixelFormat.Yuyv ? Width * 2 : Width, Height),
                .. to == PixelFormat.Yuyv ? [] : Tight(plane1, chromaLine, to == PixelFormat.Nv12 ? Width : Chroma, Height / 2),
                .. to == PixelFormat.Yu12 ? Tight(plane2, chromaLine, Chroma, Height / 2) : [],
            ]);
        }
    }

    [Fact]
    public void Only_formats_with_the_same_samples_become_one_another()
    {
        Assert.False(RawPicture.CanBecome(PixelFormat.Yuyv, PixelFormat.Nv12));
        Assert.False(RawPicture.CanBecome(PixelFormat.Mjpg, PixelFormat.Mjpg));
        Assert.False(RawPicture.CanBecome(PixelFormat.Nv12, PixelFormat.Yuyv));
    }

    private static IEnumerable<byte> Tight(byte[] plane, int line, int length, int lines) =>
        Enumerable.Range(0, lines).SelectMany(y => plane.AsSpan(y * line, length).ToArray());
}
