using Agent.Interop.TurboJpeg;
using Agent.Media.Motion;

namespace Agent.Devices.Motion;

/// <summary>
/// Makes coarse pictures of JPEG pictures. They are decoded at an eighth of their size where that leaves enough: of each block of 8 × 8
/// only its mean is then computed (ITU-R T.81 A.3.3, the DC coefficient). Used by one thread.
/// </summary>
internal sealed class JpegLuma : IDisposable
{
    /// <summary>A side of T.81's blocks.</summary>
    private const int BlockSide = 8;

    private readonly JpegDecompressor _decompressor = new();
    private LumaDownscaler? _downscaler;
    private byte[] _luma = [];

    /// <exception cref="DllNotFoundException">libturbojpeg is not installed.</exception>
    public JpegLuma()
    {
    }

    /// <returns>False if the picture is damaged or of another size.</returns>
    public bool TryDownscale(ReadOnlySpan<byte> jpeg, int width, int height, Span<ushort> cells, out LumaGrid grid)
    {
        grid = default;
        if (!_decompressor.TryReadHeader(jpeg, out var actualWidth, out var actualHeight, out _) || actualWidth != width || actualHeight != height) return false;
        var divisor = BlockSide;
        while (divisor > 1 && Math.Max(width, height) / divisor < LumaGrid.LongestSide) divisor /= 2;
        var (scaledWidth, scaledHeight) = ((width + divisor - 1) / divisor, (height + divisor - 1) / divisor);
        if (_downscaler?.IsFor(scaledWidth, scaledHeight) != true)
        {
            _downscaler = new LumaDownscaler(scaledWidth, scaledHeight);
            _luma = new byte[scaledWidth * scaledHeight];
        }
        if (!_decompressor.TryDecompressLuma(jpeg, scaledWidth, scaledHeight, _luma)) return false;
        _downscaler.Downscale(_luma, scaledWidth, LumaLayout.Planar, cells);
        grid = _downscaler.Grid;
        return true;
    }

    public void Dispose() => _decompressor.Dispose();
}
