using Agent.Devices.Sources;
using Agent.Interop.LibAv;

namespace Agent.Devices.Encoders;

/// <summary>A raw picture as the CPU sees it.</summary>
/// <param name="format">YUYV, NV12 or YU12.</param>
/// <param name="width">Pixels.</param>
/// <param name="height">Pixels.</param>
internal readonly ref struct RawPicture(PixelFormat format, int width, int height)
{
    public PixelFormat Format { get; } = format;

    public ReadOnlySpan<byte> Plane0 { get; init; }

    public ReadOnlySpan<byte> Plane1 { get; init; }

    public ReadOnlySpan<byte> Plane2 { get; init; }

    public int BytesPerLine0 { get; init; }

    public int BytesPerLine1 { get; init; }

    public int BytesPerLine2 { get; init; }

    private int ChromaWidth => (width + 1) / 2;

    private int ChromaHeight => (height + 1) / 2;

    public static RawPicture Of(CapturedFrame frame) => new(frame.Format.PixelFormat, frame.Format.Width, frame.Format.Height)
    {
        Plane0 = frame.GetPlane(0),
        Plane1 = frame.PlaneCount > 1 ? frame.GetPlane(1) : default,
        Plane2 = frame.PlaneCount > 2 ? frame.GetPlane(2) : default,
        BytesPerLine0 = frame.GetBytesPerLine(0),
        BytesPerLine1 = frame.PlaneCount > 1 ? frame.GetBytesPerLine(1) : 0,
        BytesPerLine2 = frame.PlaneCount > 2 ? frame.GetBytesPerLine(2) : 0,
    };

    /// <summary>A planar 4:2:0 frame of libav's.</summary>
    public static RawPicture Of(LibAvFrame frame) => new(PixelFormat.Yu12, frame.Width, frame.Height)
    {
        Plane0 = frame.GetPlane(0, frame.Height),
        Plane1 = frame.GetPlane(1, (frame.Height + 1) / 2),
        Plane2 = frame.GetPlane(2, (frame.Height + 1) / 2),
        BytesPerLine0 = frame.GetBytesPerLine(0),
        BytesPerLine1 = frame.GetBytesPerLine(1),
        BytesPerLine2 = frame.GetBytesPerLine(2),
    };

    /// <summary>
    /// Writes the picture in one of the formats that <see cref="CanBecome"/> allows into planes with lines of their own length.
    /// Returns the bytes written.
    /// </summary>
    public long CopyTo(PixelFormat format, Span<byte> plane0, int line0, Span<byte> plane1, int line1, Span<byte> plane2, int line2)
    {
        if (Format == PixelFormat.Yuyv) return CopyLines(Plane0, BytesPerLine0, plane0, line0, ChromaWidth * 4, height);
        var written = CopyLines(Plane0, BytesPerLine0, plane0, line0, width, height);
        if (format != Format) return written + (format == PixelFormat.Nv12 ? Interleave(plane1, line1) : Separate(plane1, line1, plane2, line2));
        if (format == PixelFormat.Nv12) return written + CopyLines(Plane1, BytesPerLine1, plane1, line1, ChromaWidth * 2, ChromaHeight);
        return written + CopyLines(Plane1, BytesPerLine1, plane1, line1, ChromaWidth, ChromaHeight)
            + CopyLines(Plane2, BytesPerLine2, plane2, line2, ChromaWidth, ChromaHeight);
    }

    /// <summary>Whether <see cref="CopyTo"/> can make one format of the other.</summary>
    public static bool CanBecome(PixelFormat from, PixelFormat to) =>
        from == to ? from is PixelFormat.Yuyv or PixelFormat.Nv12 or PixelFormat.Yu12
            : (from, to) is (PixelFormat.Nv12, PixelFormat.Yu12) or (PixelFormat.Yu12, PixelFormat.Nv12);

    private static long CopyLines(ReadOnlySpan<byte> from, int fromLine, Span<byte> to, int toLine, int length, int lines)
    {
        if (fromLine == toLine)
        {
            // The last line may end with its last sample.
            var whole = (lines - 1) * fromLine + length;
            from[..whole].CopyTo(to);
            return whole;
        }
        for (var line = 0; line < lines; line++) from.Slice(line * fromLine, length).CopyTo(to[(line * toLine)..]);
        return (long)lines * length;
    }

    private long Interleave(Span<byte> chroma, int lineLength)
    {
        for (var line = 0; line < ChromaHeight; line++)
        {
            var cb = Plane1.Slice(line * BytesPerLine1, ChromaWidth);
            var cr = Plane2.Slice(line * BytesPerLine2, ChromaWidth);
            var to = chroma.Slice(line * lineLength, ChromaWidth * 2);
            for (var i = 0; i < cb.Length; i++) (to[2 * i], to[2 * i + 1]) = (cb[i], cr[i]);
        }
        return 2L * ChromaWidth * ChromaHeight;
    }

    private long Separate(Span<byte> cbPlane, int cbLine, Span<byte> crPlane, int crLine)
    {
        for (var line = 0; line < ChromaHeight; line++)
        {
            var from = Plane1.Slice(line * BytesPerLine1, ChromaWidth * 2);
            var cb = cbPlane.Slice(line * cbLine, ChromaWidth);
            var cr = crPlane.Slice(line * crLine, ChromaWidth);
            for (var i = 0; i < cb.Length; i++) (cb[i], cr[i]) = (from[2 * i], from[2 * i + 1]);
        }
        return 2L * ChromaWidth * ChromaHeight;
    }
}
