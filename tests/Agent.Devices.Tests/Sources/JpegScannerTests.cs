using Agent.Devices.Sources;

namespace Agent.Devices.Tests.Sources;

public sealed class JpegScannerTests
{
    private static byte[] MakeJpeg(string arguments = "") =>
        FfmpegTool.Run("ffmpeg", $"-f lavfi -i testsrc2=size=176x144:rate=1 -frames:v 1 {arguments} -c:v mjpeg -f mjpeg -");

    private static JpegScanResult Scan(byte[] bytes, out int length, out JpegScanner scanner)
    {
        scanner = default;
        return scanner.Scan(bytes, out length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-huffman default -q:v 1")]
    [InlineData("-pix_fmt gray")]
    public void The_end_and_the_size_are_those_of_the_image(string arguments)
    {
        var jpeg = MakeJpeg(arguments);
        Assert.Equal(JpegScanResult.Complete, Scan([.. jpeg, 0xFF, 0xD8, 0xFF, 0xE0], out var length, out var scanner));
        Assert.Equal((jpeg.Length, 176, 144), (length, scanner.Width, scanner.Height));
    }

    [Fact]
    public void A_thumbnail_in_an_application_segment_does_not_end_the_image()
    {
        var jpeg = MakeJpeg();
        byte[] withThumbnail = [0xFF, 0xD8, 0xFF, 0xE1, (byte)((jpeg.Length + 2) >> 8), (byte)(jpeg.Length + 2), .. jpeg, .. jpeg[2..]];
        Assert.Equal(JpegScanResult.Complete, Scan(withThumbnail, out var length, out _));
        Assert.Equal(withThumbnail.Length, length);
    }

    [Fact]
    public void Fill_bytes_restart_markers_and_stuffed_bytes_are_passed_over()
    {
        byte[] image =
        [
            0xFF, 0xD8, 0xFF, 0xFF, 0xC0, 0, 11, 8, 0, 16, 0, 32, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0,
            1, 2, 0xFF, 0, 0xD9, 0xFF, 0xD0, 3, 0xFF, 0xFF, 0xC4, 0, 3, 0xD9, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 5, 0xFF, 0xD9,
        ];
        Assert.Equal(JpegScanResult.Complete, Scan(image, out var length, out var scanner));
        Assert.Equal((image.Length, 32, 16), (length, scanner.Width, scanner.Height));
    }

    [Fact]
    public void An_image_that_is_cut_anywhere_needs_more_and_goes_on_byte_by_byte()
    {
        var jpeg = MakeJpeg();
        var growing = default(JpegScanner);
        for (var end = 0; end < jpeg.Length; end++)
        {
            Assert.Equal(JpegScanResult.NeedsMore, Scan(jpeg[..end], out _, out _));
            Assert.Equal(JpegScanResult.NeedsMore, growing.Scan(jpeg.AsSpan(0, end), out _));
        }
        Assert.Equal(JpegScanResult.Complete, growing.Scan(jpeg, out var length));
        Assert.Equal(jpeg.Length, length);
    }

    [Theory]
    [InlineData(new byte[] { 0, 1 })]
    [InlineData(new byte[] { 0xFF, 0xD9 })]
    [InlineData(new byte[] { 0xFF, 0xD8, 0xFF, 0 })]
    [InlineData(new byte[] { 0xFF, 0xD8, 0xFF, 0xD8 })]
    [InlineData(new byte[] { 0xFF, 0xD8, 0xFF, 0xE0, 0, 1 })]
    [InlineData(new byte[] { 0xFF, 0xD8, 0xFF, 0xE0, 0, 2, 7, 7 })]
    [InlineData(new byte[] { 0xFF, 0xD8, 0xFF, 0xDA, 0, 2, 1, 2, 3, 0xFF, 0xD8 })]
    public void What_is_no_image_or_begins_another_is_damaged(byte[] bytes) => Assert.Equal(JpegScanResult.Damaged, Scan(bytes, out _, out _));
}
