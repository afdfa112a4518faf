using Agent.Interop.LibAv;

namespace Agent.Devices.Sources;

/// <summary>The picture that a decoder delivered last, as YU12: converted where it is anything else, cropped to even numbers of pixels.</summary>
internal sealed class DecodedPicture : IDisposable
{
    /// <summary>Streams that do not say it are BT.709 from this many lines on, as players take them to be.</summary>
    private const int HighDefinitionLines = 720;

    private readonly LibAvFrame _decoded = new();
    private readonly LibAvFrame _converted = new();
    private readonly SwsConverter _converter = new();
    private LibAvFrame _current;

    /// <param name="expected">Size and rate by the file's header; each picture may be of another size.</param>
    public DecodedPicture(VideoFormat expected)
    {
        Format = expected with { Width = expected.Width & ~1, Height = expected.Height & ~1 };
        _current = _decoded;
    }

    public VideoFormat Format { get; private set; }

    public long Pts => _decoded.Pts;

    /// <summary>Takes the decoder's next picture; false if it has none.</summary>
    public bool TryReceive(LibAvCodecContext decoder)
    {
        if (!decoder.TryReceive(_decoded)) return false;
        Format = Format with
        {
            Width = _decoded.Width & ~1,
            Height = _decoded.Height & ~1,
            LumaCoefficients = _decoded.IsBt709 ?? _decoded.Height >= HighDefinitionLines ? LumaCoefficients.Bt709 : LumaCoefficients.Bt601,
        };
        _current = _decoded;
        // Pictures stored from the bottom up have negative line distances.
        if (_decoded.Format == LibAvPixelFormat.Yuv420P && _decoded.GetBytesPerLine(0) > 0) return true;
        _converted.AllocatePlanes(LibAvPixelFormat.Yuv420P, Format.Width, Format.Height);
        _converter.Convert(_decoded, _converted);
        _current = _converted;
        return true;
    }

    public ReadOnlySpan<byte> GetPlane(int plane) => _current.GetPlane(plane, plane == 0 ? Format.Height : Format.Height / 2);

    public int GetBytesPerLine(int plane) => _current.GetBytesPerLine(plane);

    public void Dispose()
    {
        _decoded.Dispose();
        _converted.Dispose();
        _converter.Dispose();
    }
}
