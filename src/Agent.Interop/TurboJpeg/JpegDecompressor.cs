using System.Runtime.InteropServices;

namespace Agent.Interop.TurboJpeg;

/// <summary>
/// Decodes JPEG pictures with libturbojpeg; those of UVC cameras that leave out the Huffman tables (Motion JPEG) too. Used by one thread.
/// </summary>
public sealed unsafe class JpegDecompressor : SafeHandle
{
    private const int RgbBytesPerPixel = 3;

    private byte[] _rgb = [];

    /// <exception cref="DllNotFoundException">libturbojpeg is not installed; the message says how.</exception>
    public JpegDecompressor() : base(0, ownsHandle: true)
    {
        if (!LibTurboJpeg.IsAvailable(out var reason)) throw new DllNotFoundException(reason);
        Initialise();
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Reads size and subsampling from a picture's headers; false if they make no sense.</summary>
    public bool TryReadHeader(ReadOnlySpan<byte> jpeg, out int width, out int height, out JpegSubsampling subsampling)
    {
        int w = 0, h = 0, sampling = 0, colorspace = 0;
        int result;
        fixed (byte* data = jpeg)
        {
            result = data == null ? -1 : LibTurboJpeg.tjDecompressHeader3(handle, data, (nuint)jpeg.Length, &w, &h, &sampling, &colorspace);
        }
        (width, height, subsampling) = (w, h, (JpegSubsampling)sampling);
        return Succeeded(result == 0 && w > 0 && h > 0);
    }

    /// <summary>
    /// Decodes a picture of the size and subsampling that <see cref="TryReadHeader"/> told into planes without padding: luma of width × height,
    /// then Cb and Cr, each (width + 1) / 2 × height for 4:2:2 and (width + 1) / 2 × (height + 1) / 2 for 4:2:0. Full-range samples.
    /// </summary>
    /// <param name="jpeg">The picture.</param>
    /// <param name="width">From the header.</param>
    /// <param name="height">From the header.</param>
    /// <param name="subsampling">4:2:0 or 4:2:2, from the header.</param>
    /// <param name="planes">Receives the samples.</param>
    /// <param name="isScaled">Whether width and height are those of the header divided by 2, 4 or 8, rounded up.</param>
    /// <returns>False if the picture is damaged.</returns>
    public bool TryDecompress(ReadOnlySpan<byte> jpeg, int width, int height, JpegSubsampling subsampling, Span<byte> planes, bool isScaled = false)
    {
        var chromaWidth = (width + 1) / 2;
        var chromaHeight = subsampling switch
        {
            JpegSubsampling.S420 => (height + 1) / 2,
            JpegSubsampling.S422 => height,
            _ => throw new ArgumentOutOfRangeException(nameof(subsampling), subsampling, "only 4:2:0 and 4:2:2"),
        };
        var (lumaLength, chromaLength) = (width * height, chromaWidth * chromaHeight);
        ArgumentOutOfRangeException.ThrowIfLessThan(planes.Length, lumaLength + (2 * chromaLength), nameof(planes));
        fixed (byte* data = jpeg, output = planes)
        {
            var pointers = stackalloc byte*[] { output, output + lumaLength, output + lumaLength + chromaLength };
            var strides = stackalloc int[] { width, chromaWidth, chromaWidth };
            return Succeeded(LibTurboJpeg.tjDecompressToYUVPlanes(
                handle, data, (nuint)jpeg.Length, pointers, width, strides, height,
                // turbojpeg.c replaces the transform of 4:2:0 chroma by that of a smaller block, which reads the tables of the accurate one only.
                (isScaled ? 0 : LibTurboJpeg.TJFLAG_FASTDCT) | LibTurboJpeg.TJFLAG_STOPONWARNING) == 0);
        }
    }

    /// <summary>Decodes a picture of any subsampling to 4:2:0 planes laid out as by <see cref="TryDecompress"/>, by way of RGB: slower.</summary>
    /// <returns>False if the picture is damaged.</returns>
    public bool TryDecompressAny(JpegCompressor encoder, ReadOnlySpan<byte> jpeg, int width, int height, Span<byte> planes)
    {
        var (lumaLength, chromaWidth) = (width * height, (width + 1) / 2);
        var chromaLength = chromaWidth * ((height + 1) / 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(planes.Length, lumaLength + (2 * chromaLength), nameof(planes));
        if (_rgb.Length < lumaLength * RgbBytesPerPixel) _rgb = new byte[lumaLength * RgbBytesPerPixel];
        fixed (byte* data = jpeg, rgb = _rgb, output = planes)
        {
            if (!Succeeded(LibTurboJpeg.tjDecompress2(
                    handle, data, (nuint)jpeg.Length, rgb, width, width * RgbBytesPerPixel, height, LibTurboJpeg.TJPF_RGB,
                    LibTurboJpeg.TJFLAG_STOPONWARNING) == 0))
                return false;
            var pointers = stackalloc byte*[] { output, output + lumaLength, output + lumaLength + chromaLength };
            var strides = stackalloc int[] { width, chromaWidth, chromaWidth };
            return LibTurboJpeg.tjEncodeYUVPlanes(
                encoder.DangerousGetHandle(), rgb, width, width * RgbBytesPerPixel, height, LibTurboJpeg.TJPF_RGB, pointers, strides,
                (int)JpegSubsampling.S420, flags: 0) == 0;
        }
    }

    /// <summary>
    /// Decodes only the luma of a picture of any subsampling, without padding, full-range; at 1/8, 1/4, 1/2 or the whole of its size, the
    /// largest that fits.
    /// </summary>
    /// <param name="jpeg">The picture.</param>
    /// <param name="width">Of what is made: the picture's divided by 8, 4, 2 or 1, rounded up.</param>
    /// <param name="height">Likewise.</param>
    /// <param name="luma">Receives width × height samples.</param>
    /// <returns>False if the picture is damaged.</returns>
    public bool TryDecompressLuma(ReadOnlySpan<byte> jpeg, int width, int height, Span<byte> luma)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(luma.Length, width * height, nameof(luma));
        fixed (byte* data = jpeg, output = luma)
        {
            return Succeeded(LibTurboJpeg.tjDecompress2(
                handle, data, (nuint)jpeg.Length, output, width, width, height, LibTurboJpeg.TJPF_GRAY,
                LibTurboJpeg.TJFLAG_FASTDCT | LibTurboJpeg.TJFLAG_STOPONWARNING) == 0);
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => LibTurboJpeg.tjDestroy(handle) == 0;

    /// <summary>A picture that breaks off within its Huffman tables leaves them behind, and libjpeg then refuses every picture after it.</summary>
    private bool Succeeded(bool success)
    {
        if (success) return true;
        _ = LibTurboJpeg.tjDestroy(handle);
        Initialise();
        return false;
    }

    private void Initialise()
    {
        SetHandle(LibTurboJpeg.tjInitDecompress());
        if (IsInvalid) throw new InvalidOperationException($"tjInitDecompress: {LibTurboJpeg.ErrorText(0)}");
    }
}
