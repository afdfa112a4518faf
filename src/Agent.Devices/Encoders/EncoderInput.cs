using Agent.Devices.Sources;
using Agent.Interop.LibAv;

namespace Agent.Devices.Encoders;

/// <summary>
/// Turns captured frames into what encoders take: planar 4:2:0, and NV12 where it will do, as they lie in the source's memory, everything
/// else converted by libswscale.
/// </summary>
internal sealed unsafe class EncoderInput : IDisposable
{
    /// <summary>A luma sample for each pixel, two chroma samples for each four.</summary>
    private const int Planar420BytesPerTwoPixels = 3;

    private readonly VideoFormat _format;
    private readonly bool _takesNv12;
    private readonly LibAvFrame _source = new();
    private readonly LibAvFrame? _converted;
    private readonly SwsConverter? _converter;

    /// <param name="format">What the captured frames are.</param>
    /// <param name="takesNv12">Whether the encoder takes NV12 beside planar 4:2:0.</param>
    /// <exception cref="ArgumentException">The format is compressed.</exception>
    public EncoderInput(VideoFormat format, bool takesNv12)
    {
        if (format.PixelFormat is PixelFormat.H264 or PixelFormat.Mjpg) throw new ArgumentException($"{format.PixelFormat} is no picture yet", nameof(format));
        _format = format;
        _takesNv12 = takesNv12;
        if (format.PixelFormat == PixelFormat.Yu12 || (takesNv12 && format.PixelFormat == PixelFormat.Nv12)) return;
        _converted = new LibAvFrame();
        _converter = new SwsConverter();
    }

    /// <summary>AV_PIX_FMT_* of what <see cref="Prepare"/> returns, as libavutil names it.</summary>
    public string PixelFormatName => _takesNv12 && _format.PixelFormat == PixelFormat.Nv12 ? "nv12" : "yuv420p";

    /// <summary>Bytes written by converting.</summary>
    public long BytesCopied { get; private set; }

    /// <summary>The frame for the encoder; valid until the next call and while the planes stay where they are.</summary>
    public LibAvFrame Prepare(CapturedFrame frame, byte* plane0, byte* plane1, byte* plane2)
    {
        switch (_format.PixelFormat)
        {
            case PixelFormat.Yu12:
                _source.Describe(LibAvPixelFormat.Yuv420P, _format.Width, _format.Height);
                _source.SetPlane(0, plane0, frame.GetBytesPerLine(0));
                _source.SetPlane(1, plane1, frame.GetBytesPerLine(1));
                _source.SetPlane(2, plane2, frame.GetBytesPerLine(2));
                return _source;
            case PixelFormat.Nv12:
                _source.Describe(LibAvPixelFormat.Nv12, _format.Width, _format.Height);
                _source.SetPlane(0, plane0, frame.GetBytesPerLine(0));
                _source.SetPlane(1, plane1, frame.GetBytesPerLine(1));
                return _takesNv12 ? _source : Convert();
            default:
                _source.Describe(LibAvPixelFormat.Yuyv422, _format.Width, _format.Height);
                _source.SetPlane(0, plane0, frame.GetBytesPerLine(0));
                return Convert();
        }
    }

    public void Dispose()
    {
        _source.Dispose();
        _converted?.Dispose();
        _converter?.Dispose();
    }

    private LibAvFrame Convert()
    {
        _converted!.AllocatePlanes(LibAvPixelFormat.Yuv420P, _format.Width, _format.Height);
        _converter!.Convert(_source, _converted);
        BytesCopied += (long)_format.Width * _format.Height * Planar420BytesPerTwoPixels / 2;
        return _converted;
    }
}
