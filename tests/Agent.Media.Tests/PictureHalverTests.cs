namespace Agent.Media.Tests;

public sealed class PictureHalverTests
{
    private static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static byte Mean(params int[] samples) => (byte)((samples.Sum() + 2) / 4);

    [Theory]
    [InlineData(2, 2, 4)]
    [InlineData(15, 3, 31)]
    [InlineData(16, 2, 32)]
    [InlineData(37, 5, 80)]
    public void A_sample_of_a_plane_is_the_mean_of_four(int width, int height, int bytesPerLine)
    {
        var source = Noise(bytesPerLine * height * 2);
        var made = new byte[width * height];
        PictureHalver.HalvePlane(source, bytesPerLine, width, height, made);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var at = (2 * y * bytesPerLine) + (2 * x);
                Assert.Equal(Mean(source[at], source[at + 1], source[at + bytesPerLine], source[at + bytesPerLine + 1]), made[(y * width) + x]);
            }
        }
    }

    [Fact]
    public void A_plane_may_be_written_over_itself()
    {
        var source = Noise(74 * 10);
        var expected = new byte[37 * 5];
        PictureHalver.HalvePlane(source, 74, 37, 5, expected);
        PictureHalver.HalvePlane(source, 74, 37, 5, source);
        Assert.Equal(expected, source[..expected.Length]);
    }

    [Theory]
    [InlineData(8, 2, 32)]
    [InlineData(11, 3, 50)]
    public void Interleaved_chroma_is_halved_and_separated(int width, int height, int bytesPerLine)
    {
        var source = Noise(bytesPerLine * height * 2);
        byte[] cb = new byte[width * height], cr = new byte[width * height];
        PictureHalver.HalveInterleaved(source, bytesPerLine, width, height, cb, cr);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var at = (2 * y * bytesPerLine) + (4 * x);
                Assert.Equal(Mean(source[at], source[at + 2], source[at + bytesPerLine], source[at + bytesPerLine + 2]), cb[(y * width) + x]);
                Assert.Equal(Mean(source[at + 1], source[at + 3], source[at + bytesPerLine + 1], source[at + bytesPerLine + 3]), cr[(y * width) + x]);
            }
        }
    }

    [Theory]
    [InlineData(8, 4, 32)]
    [InlineData(22, 6, 100)]
    public void A_packed_picture_becomes_a_planar_one(int width, int height, int bytesPerLine)
    {
        var source = Noise(bytesPerLine * height * 2);
        byte[] luma = new byte[width * height], cb = new byte[width * height / 4], cr = new byte[width * height / 4];
        PictureHalver.HalveYuyv(source, bytesPerLine, width, height, luma, cb, cr);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var at = (2 * y * bytesPerLine) + (4 * x);
                Assert.Equal(Mean(source[at], source[at + 2], source[at + bytesPerLine], source[at + bytesPerLine + 2]), luma[(y * width) + x]);
            }
        }
        for (var y = 0; y < height / 2; y++)
        {
            for (var x = 0; x < width / 2; x++)
            {
                var at = (((4 * y) + 1) * bytesPerLine) + (8 * x);
                Assert.Equal(Mean(source[at + 1], source[at + 5], source[at + bytesPerLine + 1], source[at + bytesPerLine + 5]), cb[(y * width / 2) + x]);
                Assert.Equal(Mean(source[at + 3], source[at + 7], source[at + bytesPerLine + 3], source[at + bytesPerLine + 7]), cr[(y * width / 2) + x]);
            }
        }
    }

    [Fact]
    public void Planes_that_are_too_short_are_refused()
    {
        Assert.Throws<ArgumentException>(() => PictureHalver.HalvePlane(new byte[63], 16, 8, 2, new byte[16]));
        Assert.Throws<ArgumentException>(() => PictureHalver.HalvePlane(new byte[64], 15, 8, 2, new byte[16]));
        Assert.Throws<ArgumentException>(() => PictureHalver.HalveYuyv(new byte[127], 32, 8, 2, new byte[16], new byte[4], new byte[4]));
    }
}
