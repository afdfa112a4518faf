namespace Agent.Media.Notices;

/// <summary>
/// Codes a <see cref="NoticeCanvas"/> as the macroblocks of one I slice: all Intra_16x16 without AC coefficients, so that each transform
/// block is flat, and without loss, so that the reconstructed neighbours that a block is predicted from are the canvas itself.
/// <para>
/// The quantiser makes that so (H.264 §8.5.10 to §8.5.12). With QP 28 LevelScale is 16 * 16, a DC level of luma reaches the samples as
/// f = H c H with the 4x4 Hadamard matrix H, and of chroma as 2 f with the 2x2 one. As H H = 4 I, the levels c = H r H / 16 give back any
/// residual r of multiples of 16 exactly; for chroma c = H r H / 8 any of multiples of 8.
/// </para>
/// </summary>
internal static class FlatBlockSlice
{
    /// <summary>QP of luma; Table 8-15 makes chroma's the same below 30.</summary>
    public const int QuantizationParameter = 28;

    /// <summary>Luma is coded exactly in multiples of this.</summary>
    public const int LumaStep = 16;

    /// <summary>Chroma is coded exactly in multiples of this.</summary>
    public const int ChromaStep = 8;

    /// <summary>What the first macroblock is predicted as, having no neighbours: 1 &lt;&lt; (BitDepth - 1) (§8.3.3.3, §8.3.4).</summary>
    private const byte PredictionWithoutNeighbours = 128;

    /// <summary>Intra16x16PredMode (Table 8-4).</summary>
    private const int LumaVertical = 0;
    private const int LumaHorizontal = 1;
    private const int LumaDc = 2;

    /// <summary>intra_chroma_pred_mode (Table 8-5).</summary>
    private const int ChromaDc = 0;
    private const int ChromaHorizontal = 1;
    private const int ChromaVertical = 2;

    private const int Side = NoticeCanvas.CellsPerMacroblock;
    private const int ChromaSide = NoticeCanvas.ChromaCellsPerMacroblock;

    /// <summary>Table 7-11: mb_type of I_16x16_0_0_0, and how much each CodedBlockPatternChroma adds.</summary>
    private const int FirstIntra16x16 = 1;
    private const int TypesPerChromaPattern = 4;

    /// <summary>Frame zig-zag scan of 4x4 blocks (Table 8-12), as raster positions.</summary>
    private static ReadOnlySpan<byte> ZigZag => [0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15];

    /// <summary>Writes slice_data (§7.3.4).</summary>
    public static void Write(RbspWriter writer, NoticeCanvas canvas)
    {
        Span<int> luma = stackalloc int[CavlcBlock.LumaLength];
        Span<int> other = stackalloc int[CavlcBlock.LumaLength];
        Span<int> cb = stackalloc int[CavlcBlock.ChromaLength];
        Span<int> cr = stackalloc int[CavlcBlock.ChromaLength];
        for (var y = 0; y < canvas.MacroblocksDown; y++)
        {
            for (var x = 0; x < canvas.MacroblocksAcross; x++)
            {
                var lumaMode = y > 0 ? LumaVertical : x > 0 ? LumaHorizontal : LumaDc;
                LumaLevels(canvas, x, y, lumaMode, luma);
                if (x > 0 && y > 0)
                {
                    LumaLevels(canvas, x, y, LumaHorizontal, other);
                    if (Magnitude(other) < Magnitude(luma))
                    {
                        lumaMode = LumaHorizontal;
                        other.CopyTo(luma);
                    }
                }
                var chromaMode = ChooseChromaMode(canvas, x, y);
                ChromaLevels(canvas.Cb, canvas.ChromaStride, x, y, chromaMode, cb);
                ChromaLevels(canvas.Cr, canvas.ChromaStride, x, y, chromaMode, cr);
                var hasChroma = Magnitude(cb) + Magnitude(cr) > 0;

                writer.Unsigned((uint)(FirstIntra16x16 + lumaMode + (hasChroma ? TypesPerChromaPattern : 0)));
                writer.Unsigned((uint)chromaMode);
                writer.Signed(0); // mb_qp_delta
                CavlcBlock.Write(writer, luma);
                if (!hasChroma) continue;
                CavlcBlock.Write(writer, cb);
                CavlcBlock.Write(writer, cr);
            }
        }
    }

    /// <summary>Intra16x16DCLevel of one macroblock in scanning order.</summary>
    private static void LumaLevels(NoticeCanvas canvas, int x, int y, int mode, Span<int> levels)
    {
        Span<int> block = stackalloc int[CavlcBlock.LumaLength];
        var cells = canvas.Luma;
        var stride = canvas.LumaStride;
        var origin = y * Side * stride + x * Side;
        for (var row = 0; row < Side; row++)
        {
            for (var column = 0; column < Side; column++)
            {
                var predicted = mode switch
                {
                    LumaVertical => cells[origin - stride + column],
                    LumaHorizontal => cells[origin + row * stride - 1],
                    _ => PredictionWithoutNeighbours,
                };
                block[row * Side + column] = (cells[origin + row * stride + column] - predicted) / LumaStep;
            }
        }
        // H is its own transpose: rows, then columns.
        for (var i = 0; i < Side; i++) Hadamard(block, i * Side, 1);
        for (var i = 0; i < Side; i++) Hadamard(block, i, Side);
        for (var i = 0; i < levels.Length; i++) levels[i] = block[ZigZag[i]];
    }

    /// <summary>The matrix of Equation 8-328 on four values.</summary>
    private static void Hadamard(Span<int> block, int start, int step)
    {
        var (a, b, c, d) = (block[start], block[start + step], block[start + 2 * step], block[start + 3 * step]);
        block[start] = a + b + c + d;
        block[start + step] = a + b - c - d;
        block[start + 2 * step] = a - b - c + d;
        block[start + 3 * step] = a - b + c - d;
    }

    /// <summary>
    /// DC, the shortest code, where all neighbours are alike, for only then its mean is one of the steps for certain; else what fits best.
    /// </summary>
    private static int ChooseChromaMode(NoticeCanvas canvas, int x, int y)
    {
        if (AreNeighboursAlike(canvas.Cb, canvas.ChromaStride, x, y) && AreNeighboursAlike(canvas.Cr, canvas.ChromaStride, x, y)) return ChromaDc;
        if (x == 0) return ChromaVertical;
        if (y == 0) return ChromaHorizontal;
        return ChromaCost(canvas, x, y, ChromaHorizontal) < ChromaCost(canvas, x, y, ChromaVertical) ? ChromaHorizontal : ChromaVertical;
    }

    private static bool AreNeighboursAlike(ReadOnlySpan<byte> cells, int stride, int x, int y)
    {
        var origin = y * ChromaSide * stride + x * ChromaSide;
        if (x > 0 && cells[origin - 1] != cells[origin + stride - 1]) return false;
        if (y > 0 && cells[origin - stride] != cells[origin - stride + 1]) return false;
        return x == 0 || y == 0 || cells[origin - 1] == cells[origin - stride];
    }

    private static int ChromaCost(NoticeCanvas canvas, int x, int y, int mode)
    {
        Span<int> levels = stackalloc int[CavlcBlock.ChromaLength];
        ChromaLevels(canvas.Cb, canvas.ChromaStride, x, y, mode, levels);
        var cost = Magnitude(levels);
        ChromaLevels(canvas.Cr, canvas.ChromaStride, x, y, mode, levels);
        return cost + Magnitude(levels);
    }

    /// <summary>ChromaDCLevel of one component of one macroblock.</summary>
    private static void ChromaLevels(ReadOnlySpan<byte> cells, int stride, int x, int y, int mode, Span<int> levels)
    {
        var origin = y * ChromaSide * stride + x * ChromaSide;
        for (var row = 0; row < ChromaSide; row++)
        {
            for (var column = 0; column < ChromaSide; column++)
            {
                var predicted = mode switch
                {
                    ChromaVertical => cells[origin - stride + column],
                    ChromaHorizontal => cells[origin + row * stride - 1],
                    _ => y > 0 ? cells[origin - stride] : x > 0 ? cells[origin - 1] : PredictionWithoutNeighbours,
                };
                levels[row * ChromaSide + column] = (cells[origin + row * stride + column] - predicted) / ChromaStep;
            }
        }
        var (a, b, c, d) = (levels[0], levels[1], levels[2], levels[3]);
        levels[0] = a + b + c + d;
        levels[1] = a - b + c - d;
        levels[2] = a + b - c - d;
        levels[3] = a - b - c + d;
    }

    /// <summary>Zero only for a block without residual; grows with the bits it takes.</summary>
    private static int Magnitude(ReadOnlySpan<int> levels)
    {
        var sum = 0;
        foreach (var level in levels) sum += Math.Abs(level);
        return sum;
    }
}
