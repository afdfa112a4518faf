using System.Runtime.InteropServices;

namespace Agent.Interop.TurboJpeg;

/// <summary>Makes JPEG pictures of planar 4:2:0 ones with libturbojpeg. Used by one thread.</summary>
public sealed unsafe class JpegCompressor : SafeHandle
{
    private byte[] _output = [];

    /// <exception cref="DllNotFoundException">libturbojpeg is not installed; the message says how.</exception>
    public JpegCompressor() : base(0, ownsHandle: true)
    {
        if (!LibTurboJpeg.IsAvailable(out var reason)) throw new DllNotFoundException(reason);
        SetHandle(LibTurboJpeg.tjInitCompress());
        if (IsInvalid) throw new InvalidOperationException($"tjInitCompress: {LibTurboJpeg.ErrorText(0)}");
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Compresses one picture of full-range samples (JFIF: ITU-R BT.601, 0 to 255).</summary>
    /// <param name="luma">height lines of lumaStride bytes.</param>
    /// <param name="cb">(height + 1) / 2 lines of chromaStride bytes.</param>
    /// <param name="cr">As cb.</param>
    /// <param name="lumaStride">Bytes from line to line, at least width.</param>
    /// <param name="chromaStride">Bytes from line to line, at least (width + 1) / 2.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="quality">1 to 100.</param>
    /// <returns>The JPEG file; valid until the next call.</returns>
    /// <exception cref="InvalidOperationException">libturbojpeg refuses; the message names the function and its reason.</exception>
    public ReadOnlySpan<byte> Compress(
        ReadOnlySpan<byte> luma, ReadOnlySpan<byte> cb, ReadOnlySpan<byte> cr, int lumaStride, int chromaStride, int width, int height, int quality)
    {
        var chromaLines = (height + 1) / 2;
        ArgumentOutOfRangeException.ThrowIfLessThan(luma.Length, (lumaStride * (height - 1)) + width, nameof(luma));
        ArgumentOutOfRangeException.ThrowIfLessThan(Math.Min(cb.Length, cr.Length), (chromaStride * (chromaLines - 1)) + ((width + 1) / 2), nameof(cb));
        var capacity = (int)LibTurboJpeg.tjBufSize(width, height, (int)JpegSubsampling.S420);
        if (_output.Length < capacity) _output = new byte[capacity];
        fixed (byte* plane0 = luma, plane1 = cb, plane2 = cr, output = _output)
        {
            var planes = stackalloc byte*[] { plane0, plane1, plane2 };
            var strides = stackalloc int[] { lumaStride, chromaStride, chromaStride };
            var buffer = output;
            var length = (nuint)_output.Length;
            var result = LibTurboJpeg.tjCompressFromYUVPlanes(
                handle, planes, width, strides, height, (int)JpegSubsampling.S420, &buffer, &length, quality, LibTurboJpeg.TJFLAG_NOREALLOC);
            if (result != 0) throw new InvalidOperationException($"tjCompressFromYUVPlanes: {LibTurboJpeg.ErrorText(handle)}");
            return _output.AsSpan(0, (int)length);
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => LibTurboJpeg.tjDestroy(handle) == 0;
}
