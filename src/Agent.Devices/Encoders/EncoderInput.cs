using Agent.Devices.Sources;
using Agent.Interop.LibAv;

namespace Agent.Devices.Encoders;

/// <summary>
/// Turns captured frames into what encoders take: planar 4:2:0, and NV12 where it will do, as they lie in the source's memory, everything
/// else converted by libswscale, JPEG decoded before.
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
    private readonly LibAvCodecContext? _jpegDecoder;
    private readonly LibAvPacket? _jpeg;

    /// <param name="format">What the captured frames are.</param>
    /// <param name="takesNv12">Whether the encoder takes NV12 beside planar 4:2:0.</param>
    /// <exception cref="ArgumentException">The format is a stream that is passed through, not encoded.</exception>
    public EncoderInput(VideoFormat format, bool takesNv12)
    {
        if (format.PixelFormat == PixelFormat.H264) throw new ArgumentException("H.264 is passed through, not encoded", nameof(format));
        _format = format;
        _takesNv12 = takesNv12;
        if (format.PixelFormat == PixelFormat.Yu12 || (takesNv12 && format.PixelFormat == PixelFormat.Nv12)) return;
        _converted = new LibAvFrame();
        _converter = new SwsConverter();
        if (format.PixelFormat != PixelFormat.Mjpg) return;
        _jpeg = new LibAvPacket();
        _jpegDecoder = LibAvCodecContext.CreateDecoder("mjpeg");
        // Frame threads would hold pictures back.
        _jpegDecoder.SetOption("threads", 1);
        // A picture that breaks off is an error, not a picture with a grey rest.
        _jpegDecoder.SetOption("err_detect", "explode");
        _jpegDecoder.Open();
    }

    /// <summary>AV_PIX_FMT_* of what <see cref="Prepare"/> returns, as libavutil names it.</summary>
    public string PixelFormatName => _takesNv12 && _format.PixelFormat == PixelFormat.Nv12 ? "nv12" : "yuv420p";

    /// <summary>Frames that could not be decoded or were not of the size that was agreed.</summary>
    public long FramesSkipped { get; private set; }

    /// <summary>Bytes written by decoding and converting.</summary>
    public long BytesCopied { get; private set; }

    /// <summary>
    /// The frame for the encoder, or <c>null</c> if it is damaged; valid until the next call and while the planes stay where they are.
    /// </summary>
    public LibAvFrame? Prepare(CapturedFrame frame, byte* plane0, byte* plane1, byte* plane2)
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
            case PixelFormat.Yuyv:
                _source.Describe(LibAvPixelFormat.Yuyv422, _format.Width, _format.Height);
                _source.SetPlane(0, plane0, frame.GetBytesPerLine(0));
                return Convert();
            default:
                return DecodeJpeg(plane0, frame.GetPlane(0).Length) ? Convert() : Skip();
        }
    }

    public void Dispose()
    {
        _source.Dispose();
        _converted?.Dispose();
        _converter?.Dispose();
        _jpegDecoder?.Dispose();
        _jpeg?.Dispose();
    }

    private bool DecodeJpeg(byte* data, int length)
    {
        _jpeg!.Lend(data, length);
        var decoded = length > 0 && _jpegDecoder!.TrySend(_jpeg) && _jpegDecoder.TryReceive(_source);
        _jpeg.Lend(null, 0);
        return decoded && _source.Width == _format.Width && _source.Height == _format.Height;
    }

    private LibAvFrame Convert()
    {
        _converted!.AllocatePlanes(LibAvPixelFormat.Yuv420P, _format.Width, _format.Height);
        _converter!.Convert(_source, _converted);
        BytesCopied += (long)_format.Width * _format.Height * Planar420BytesPerTwoPixels / 2;
        return _converted;
    }

    private LibAvFrame? Skip()
    {
        FramesSkipped++;
        return null;
    }
}
