using Agent.Interop.V4l2;

namespace Agent.Devices.Sources;

/// <summary>Where one picture plane lies: in which memory plane, from which byte, how long, and its line length (0: compressed).</summary>
internal readonly record struct V4l2PlaneLayout(int MemoryPlane, int Offset, int Length, int BytesPerLine)
{
    /// <summary>
    /// The planes of a negotiated format. Single-memory formats follow one another without gaps, chroma lines being as long as luma
    /// lines (NV12) or half as long (YU12): kernel documentation, "Planar YUV formats". Compressed formats have one plane of length 0.
    /// </summary>
    public static V4l2PlaneLayout[] Of(in V4l2PixelFormat format, in v4l2_format negotiated, bool multiplanar)
    {
        var single = negotiated.fmt.pix;
        var planar = negotiated.fmt.pix_mp;
        ReadOnlySpan<v4l2_plane_pix_format> memory = planar.plane_fmt;
        uint[] lines = multiplanar ? [memory[0].bytesperline, memory[1].bytesperline, memory[2].bytesperline] : [single.bytesperline];
        var (width, height) = multiplanar ? ((int)planar.width, (int)planar.height) : ((int)single.width, (int)single.height);
        var luma = BytesPerLine(0, format.PixelFormat == PixelFormat.Yuyv ? width * 2 : width);
        return format.PixelFormat switch
        {
            PixelFormat.Yuyv => [new(0, 0, luma * height, luma)],
            PixelFormat.Nv12 when format.MemoryPlanes == 1 => [new(0, 0, luma * height, luma), Chroma(0, luma * height, luma)],
            PixelFormat.Nv12 => [new(0, 0, luma * height, luma), Chroma(1, 0, BytesPerLine(1, width))],
            PixelFormat.Yu12 when format.MemoryPlanes == 1 =>
            [
                new(0, 0, luma * height, luma),
                Chroma(0, luma * height, luma / 2),
                Chroma(0, (luma * height) + (luma / 2 * ((height + 1) / 2)), luma / 2),
            ],
            PixelFormat.Yu12 =>
            [
                new(0, 0, luma * height, luma),
                Chroma(1, 0, BytesPerLine(1, (width + 1) / 2)),
                Chroma(2, 0, BytesPerLine(2, (width + 1) / 2)),
            ],
            _ => [default],
        };

        // Some drivers leave bytesperline at 0, meaning lines without padding.
        int BytesPerLine(int memoryPlane, int least) => Math.Max(least, (int)lines[memoryPlane]);

        V4l2PlaneLayout Chroma(int memoryPlane, int offset, int bytesPerLine) =>
            new(memoryPlane, offset, bytesPerLine * ((height + 1) / 2), bytesPerLine);
    }
}
