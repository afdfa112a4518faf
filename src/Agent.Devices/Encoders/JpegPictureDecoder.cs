using Agent.Interop.TurboJpeg;
using Agent.Media;

namespace Agent.Devices.Encoders;

/// <summary>Decodes JPEG pictures into limited-range planar 4:2:0 ones as H.264 encoders take them. Used by one thread.</summary>
internal sealed class JpegPictureDecoder : IDisposable
{
    private readonly JpegDecompressor _decompressor = new();
    private JpegCompressor? _converter;

    /// <exception cref="DllNotFoundException">libturbojpeg is not installed.</exception>
    public JpegPictureDecoder()
    {
    }

    /// <summary>Bytes of a buffer in which any picture of this size can be decoded: 4:2:2 planes.</summary>
    public static int BufferLength(int width, int height) => (width * height) + (2 * ((width + 1) / 2) * height);

    /// <summary>
    /// Decodes a picture into luma of width × height, followed by Cb and Cr of (width + 1) / 2 × (height + 1) / 2, without padding.
    /// </summary>
    /// <param name="jpeg">The picture.</param>
    /// <param name="width">Its width in pixels.</param>
    /// <param name="height">Its height in pixels.</param>
    /// <param name="buffer">Of <see cref="BufferLength"/> bytes.</param>
    /// <param name="divisor">1, 2, 4 or 8: both sides are divided by it, rounded up, while decoding, which takes less time by about as much.</param>
    /// <returns>False if it is damaged or of another size.</returns>
    public bool TryDecode(ReadOnlySpan<byte> jpeg, int width, int height, Span<byte> buffer, int divisor = 1)
    {
        if (!_decompressor.TryReadHeader(jpeg, out var actualWidth, out var actualHeight, out var subsampling)
            || actualWidth != width || actualHeight != height)
            return false;
        (width, height) = ((width + divisor - 1) / divisor, (height + divisor - 1) / divisor);
        var isPlain = subsampling is JpegSubsampling.S420 or JpegSubsampling.S422;
        if (isPlain
                ? !_decompressor.TryDecompress(jpeg, width, height, subsampling, buffer, isScaled: divisor > 1)
                : !_decompressor.TryDecompressAny(_converter ??= new JpegCompressor(), jpeg, width, height, buffer))
            return false;
        var luma = width * height;
        var chroma = buffer[luma..];
        if (subsampling == JpegSubsampling.S422) HalveLines(chroma, (width + 1) / 2, height);
        SampleRange.LimitLuma(buffer[..luma]);
        SampleRange.LimitChroma(chroma[..(2 * ((width + 1) / 2) * ((height + 1) / 2))]);
        return true;
    }

    public void Dispose()
    {
        _decompressor.Dispose();
        _converter?.Dispose();
    }

    /// <summary>Two planes of 4:2:2 chroma to two of 4:2:0: each line becomes the mean of two.</summary>
    private static void HalveLines(Span<byte> planes, int width, int lines)
    {
        var written = 0;
        for (var plane = 0; plane < 2; plane++)
        {
            for (var line = 0; line < lines; line += 2)
            {
                var first = planes.Slice(((plane * lines) + line) * width, width);
                var second = line + 1 < lines ? planes.Slice(((plane * lines) + line + 1) * width, width) : first;
                // Lines are written at or before the place where they are read.
                SampleRange.Average(first, second, planes.Slice(written, width));
                written += width;
            }
        }
    }
}
