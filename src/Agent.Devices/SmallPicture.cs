using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using Agent.Media;

namespace Agent.Devices;

/// <summary>
/// A frame made small: raw pictures at once, straight from the driver's buffer, which is less work than to copy them; of a JPEG picture the
/// bytes are kept, to be decoded small on another thread. Owned by one thread at a time.
/// </summary>
/// <param name="source">What frames are taken.</param>
/// <param name="divisor">2 or 4: how much smaller both sides become.</param>
internal sealed class SmallPicture(VideoFormat source, int divisor)
{
    private const int MostDivisor = 4;

    /// <summary>Less is no picture that anybody can make something out in.</summary>
    private const int LeastSide = 90;

    private readonly LentPicture _picture = CreatePicture(source, divisor);
    private byte[] _jpeg = [];
    private int _jpegLength;

    /// <summary>Whether the encoder has given it back, or it was never lent.</summary>
    public bool IsFree => _picture.IsFree;

    /// <summary>What such frames become; <c>null</c> if they cannot be made small, or would become too small.</summary>
    public static VideoFormat? GetFormat(VideoFormat source, int divisor)
    {
        if (source.PixelFormat == PixelFormat.H264) return null;
        // 4:2:0 has even sides.
        var (width, height) = (source.Width / divisor & ~1, source.Height / divisor & ~1);
        return Math.Min(width, height) < LeastSide ? null : source with { PixelFormat = PixelFormat.Yu12, Width = width, Height = height };
    }

    /// <summary>Takes a frame, which remains the caller's; this is lent from now on.</summary>
    public void Take(CapturedFrame frame)
    {
        if (source.PixelFormat == PixelFormat.Mjpg)
        {
            var jpeg = frame.GetPlane(0);
            if (_jpeg.Length < jpeg.Length) _jpeg = new byte[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)jpeg.Length)];
            jpeg.CopyTo(_jpeg);
            _jpegLength = jpeg.Length;
        }
        else
        {
            Halve(frame);
        }
        _picture.Lend(frame.CapturedAt);
    }

    /// <summary>The small picture, to be disposed; <c>null</c> if the JPEG picture is damaged.</summary>
    /// <param name="decoder">Decodes JPEG pictures; made when the first comes.</param>
    /// <exception cref="DllNotFoundException">libturbojpeg is not here.</exception>
    public CapturedFrame? Finish(ref JpegPictureDecoder? decoder)
    {
        if (source.PixelFormat != PixelFormat.Mjpg) return _picture;
        decoder ??= new JpegPictureDecoder();
        if (decoder.TryDecode(_jpeg.AsSpan(0, _jpegLength), source.Width, source.Height, _picture.Buffer, divisor)) return _picture;
        _picture.Dispose();
        return null;
    }

    /// <summary>Nobody wants it.</summary>
    public void Discard() => _picture.Dispose();

    private static LentPicture CreatePicture(VideoFormat source, int divisor)
    {
        var format = GetFormat(source, divisor) ?? throw new ArgumentException("cannot be made small", nameof(source));
        // The decoder rounds up. A raw picture is halved once and once more in the same memory.
        return source.PixelFormat == PixelFormat.Mjpg
            ? new LentPicture(format, (source.Width + divisor - 1) / divisor, (source.Height + divisor - 1) / divisor)
            : new LentPicture(format, format.Width, format.Height, roomFor: divisor / 2);
    }

    private void Halve(CapturedFrame frame)
    {
        var format = _picture.Format;
        var (width, height) = (format.Width * divisor / 2, format.Height * divisor / 2);
        var buffer = _picture.Buffer;
        var (luma, chroma) = (width * height, width / 2 * (height / 2));
        var cb = buffer[luma..];
        var cr = buffer[(luma + chroma)..];
        if (source.PixelFormat == PixelFormat.Yuyv)
        {
            PictureHalver.HalveYuyv(frame.GetPlane(0), frame.GetBytesPerLine(0), width, height, buffer, cb, cr);
        }
        else
        {
            PictureHalver.HalvePlane(frame.GetPlane(0), frame.GetBytesPerLine(0), width, height, buffer);
            if (source.PixelFormat == PixelFormat.Nv12)
            {
                PictureHalver.HalveInterleaved(frame.GetPlane(1), frame.GetBytesPerLine(1), width / 2, height / 2, cb, cr);
            }
            else
            {
                PictureHalver.HalvePlane(frame.GetPlane(1), frame.GetBytesPerLine(1), width / 2, height / 2, cb);
                PictureHalver.HalvePlane(frame.GetPlane(2), frame.GetBytesPerLine(2), width / 2, height / 2, cr);
            }
        }
        if (divisor < MostDivisor) return;
        var quarter = format.Width * format.Height;
        PictureHalver.HalvePlane(buffer[..luma], width, format.Width, format.Height, buffer);
        PictureHalver.HalvePlane(cb[..chroma], width / 2, format.Width / 2, format.Height / 2, buffer[quarter..]);
        PictureHalver.HalvePlane(cr[..chroma], width / 2, format.Width / 2, format.Height / 2, buffer[(quarter + (quarter / 4))..]);
    }
}
