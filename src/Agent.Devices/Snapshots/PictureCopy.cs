using Agent.Devices.Sources;
using Agent.Interop.TurboJpeg;
using Agent.Media;

namespace Agent.Devices.Snapshots;

/// <summary>One frame copied out of its source's memory, lines without padding.</summary>
internal sealed class PictureCopy
{
    /// <summary>Distance between the samples that make up <see cref="MeanLuma"/>: fine enough for exposure, a thousandth of the work.</summary>
    private const int MeanStep = 31;

    /// <summary>Bytes of a YUYV macropixel: Y0 Cb Y1 Cr.</summary>
    private const int MacropixelBytes = 4;

    private readonly VideoFormat _format;
    private readonly byte[][] _planes;

    private PictureCopy(VideoFormat format, byte[][] planes) => (_format, _planes) = (format, planes);

    public static PictureCopy Of(CapturedFrame frame)
    {
        var format = frame.Format;
        var planes = new byte[frame.PlaneCount][];
        for (var plane = 0; plane < planes.Length; plane++)
        {
            var bytes = frame.GetPlane(plane);
            var stride = frame.GetBytesPerLine(plane);
            if (stride == 0)
            {
                planes[plane] = bytes.ToArray();
                continue;
            }
            var (width, height) = PlaneSize(format, plane);
            planes[plane] = new byte[width * height];
            for (var line = 0; line < height; line++) bytes.Slice(line * stride, width).CopyTo(planes[plane].AsSpan(line * width));
        }
        return new PictureCopy(format, planes);
    }

    /// <summary>Mean luma of a frame, 0 to 255, from a sample of its pixels; <c>null</c> for compressed formats.</summary>
    public static double? MeanLuma(CapturedFrame frame)
    {
        if (frame.Format.PixelFormat is PixelFormat.Mjpg or PixelFormat.H264) return null;
        var pixelStride = frame.Format.PixelFormat == PixelFormat.Yuyv ? 2 : 1;
        var plane = frame.GetPlane(0);
        var stride = frame.GetBytesPerLine(0);
        long sum = 0, count = 0;
        for (var line = 0; line < frame.Format.Height; line += MeanStep)
        {
            for (var x = 0; x < frame.Format.Width; x += MeanStep, count++) sum += plane[(line * stride) + (x * pixelStride)];
        }
        return (double)sum / count;
    }

    /// <summary>The picture as a JPEG file; a camera's own JPEG picture as it came, if it is complete in itself.</summary>
    /// <exception cref="InvalidOperationException">The camera's JPEG picture is damaged.</exception>
    /// <exception cref="DllNotFoundException">libturbojpeg is not installed.</exception>
    public byte[] ToJpeg(int quality)
    {
        var (width, height) = (_format.Width, _format.Height);
        if (_format.PixelFormat == PixelFormat.Mjpg && JpegFile.HasHuffmanTables(_planes[0])) return _planes[0];
        using var compressor = new JpegCompressor();
        var picture = _format.PixelFormat switch
        {
            PixelFormat.Yu12 => (_planes[0], _planes[1], _planes[2]),
            PixelFormat.Nv12 => (_planes[0], Every(_planes[1], 0, 2), Every(_planes[1], 1, 2)),
            PixelFormat.Yuyv => FromYuyv(),
            _ => FromJpeg(),
        };
        return Compress(compressor, picture, (width + 1) / 2, width, height, quality);
    }

    /// <summary>Compresses a limited-range planar 4:2:0 picture without padding.</summary>
    internal static byte[] Compress(
        JpegCompressor compressor, (byte[] Luma, byte[] Cb, byte[] Cr) picture, int chromaWidth, int width, int height, int quality)
    {
        SampleRange.ExpandLuma(picture.Luma, picture.Luma);
        SampleRange.ExpandChroma(picture.Cb, picture.Cb);
        SampleRange.ExpandChroma(picture.Cr, picture.Cr);
        return compressor.Compress(picture.Luma, picture.Cb, picture.Cr, width, chromaWidth, width, height, quality).ToArray();
    }

    private static (int Width, int Height) PlaneSize(VideoFormat format, int plane) => (format.PixelFormat, plane) switch
    {
        (PixelFormat.Yuyv, _) => (format.Width * 2, format.Height),
        (_, 0) => (format.Width, format.Height),
        (PixelFormat.Nv12, _) => ((format.Width + 1) / 2 * 2, (format.Height + 1) / 2),
        _ => ((format.Width + 1) / 2, (format.Height + 1) / 2),
    };

    private static byte[] Every(byte[] source, int first, int step)
    {
        var result = new byte[(source.Length - first + step - 1) / step];
        for (var i = 0; i < result.Length; i++) result[i] = source[first + (i * step)];
        return result;
    }

    /// <summary>4:2:2 to 4:2:0 by the mean of two lines.</summary>
    private (byte[] Luma, byte[] Cb, byte[] Cr) FromYuyv()
    {
        var lineBytes = _format.Width * 2;
        var (cb, cr) = (Every(_planes[0], 1, MacropixelBytes), Every(_planes[0], 3, MacropixelBytes));
        var width = lineBytes / MacropixelBytes;
        return (Every(_planes[0], 0, 2), Halve(cb), Halve(cr));

        byte[] Halve(byte[] plane)
        {
            var lines = plane.Length / width;
            var half = new byte[width * ((lines + 1) / 2)];
            for (var line = 0; line < lines; line += 2)
            {
                var second = Math.Min(line + 1, lines - 1);
                SampleRange.Average(plane.AsSpan(line * width, width), plane.AsSpan(second * width, width), half.AsSpan(line / 2 * width, width));
            }
            return half;
        }
    }

    private (byte[] Luma, byte[] Cb, byte[] Cr) FromJpeg()
    {
        var (width, height) = (_format.Width, _format.Height);
        using var decoder = new Encoders.JpegPictureDecoder();
        var buffer = new byte[Encoders.JpegPictureDecoder.BufferLength(width, height)];
        if (!decoder.TryDecode(_planes[0], width, height, buffer)) throw new InvalidOperationException("the camera's JPEG picture is damaged");
        var (luma, chroma) = (width * height, (width + 1) / 2 * ((height + 1) / 2));
        return (buffer[..luma], buffer[luma..(luma + chroma)], buffer[(luma + chroma)..(luma + (2 * chroma))]);
    }
}
