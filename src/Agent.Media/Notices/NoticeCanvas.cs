namespace Agent.Media.Notices;

/// <summary>
/// A picture of flat cells: a luma cell is <see cref="CellSize"/> pixels wide and high, a chroma cell covers two by two of those, which in
/// 4:2:0 are as many samples of its own plane. The planes reach to whole macroblocks; only cells that lie wholly in the picture are counted
/// in <see cref="Columns"/> and <see cref="Rows"/>.
/// </summary>
internal sealed class NoticeCanvas
{
    /// <summary>Side of a transform block in samples (H.264 §6.4.3).</summary>
    public const int CellSize = 4;

    public const int CellsPerMacroblock = MacroblockSize / CellSize;
    public const int ChromaCellsPerMacroblock = CellsPerMacroblock / 2;

    private const int MacroblockSize = 16;

    private readonly byte[] _luma;
    private readonly byte[] _cb;
    private readonly byte[] _cr;

    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="background">The colour of all of it.</param>
    public NoticeCanvas(int width, int height, NoticeColour background)
    {
        Width = width;
        Height = height;
        MacroblocksAcross = (width + MacroblockSize - 1) / MacroblockSize;
        MacroblocksDown = (height + MacroblockSize - 1) / MacroblockSize;
        _luma = new byte[LumaStride * MacroblocksDown * CellsPerMacroblock];
        _cb = new byte[ChromaStride * MacroblocksDown * ChromaCellsPerMacroblock];
        _cr = new byte[_cb.Length];
        _luma.AsSpan().Fill(background.Luma);
        _cb.AsSpan().Fill(background.Cb);
        _cr.AsSpan().Fill(background.Cr);
    }

    /// <summary>Pixels.</summary>
    public int Width { get; }

    /// <summary>Pixels.</summary>
    public int Height { get; }

    public int MacroblocksAcross { get; }

    public int MacroblocksDown { get; }

    /// <summary>Luma cells that the picture is wide.</summary>
    public int Columns => Width / CellSize;

    /// <summary>Luma cells that the picture is high.</summary>
    public int Rows => Height / CellSize;

    /// <summary>Luma cells of whole macroblocks, row by row.</summary>
    public ReadOnlySpan<byte> Luma => _luma;

    public int LumaStride => MacroblocksAcross * CellsPerMacroblock;

    public ReadOnlySpan<byte> Cb => _cb;

    public ReadOnlySpan<byte> Cr => _cr;

    public int ChromaStride => MacroblocksAcross * ChromaCellsPerMacroblock;

    /// <summary>Paints one cell; the chroma cell that it lies in takes the colour as well. What lies outside is not painted.</summary>
    public void Paint(int column, int row, NoticeColour colour)
    {
        if ((uint)column >= (uint)Columns || (uint)row >= (uint)Rows) return;
        _luma[row * LumaStride + column] = colour.Luma;
        var chroma = row / 2 * ChromaStride + column / 2;
        _cb[chroma] = colour.Cb;
        _cr[chroma] = colour.Cr;
    }

    public void Fill(int left, int top, int width, int height, NoticeColour colour)
    {
        for (var row = top; row < top + height; row++)
        {
            for (var column = left; column < left + width; column++) Paint(column, row, colour);
        }
    }

    /// <summary>Draws a glyph or a pictogram.</summary>
    /// <param name="rows">A bit per dot, the rightmost is bit 0.</param>
    /// <param name="width">Dots, at most 32.</param>
    /// <param name="left">Cells.</param>
    /// <param name="top">Cells.</param>
    /// <param name="scale">Cells per dot.</param>
    /// <param name="colour">Its chroma should be the background's: chroma cells are too large for letters.</param>
    public void DrawDots(ReadOnlySpan<uint> rows, int width, int left, int top, int scale, NoticeColour colour)
    {
        for (var row = 0; row < rows.Length * scale; row++)
        {
            for (var column = 0; column < width * scale; column++)
            {
                if (IsInked(rows, width, column, row, scale)) Paint(left + column, top + row, colour);
            }
        }
    }

    /// <summary>
    /// Dots, and where two dots touch only by their corners a wedge between them, so that diagonals do not look like stairs (the
    /// character rounding of teletext decoders).
    /// </summary>
    private static bool IsInked(ReadOnlySpan<uint> rows, int width, int column, int row, int scale)
    {
        var (x, y) = (column / scale, row / scale);
        if (HasDot(rows, width, x, y)) return true;
        // The nearest corner of this empty dot, and the distance from it in cells.
        var (dx, dy) = (column % scale, row % scale);
        var isRight = 2 * dx >= scale;
        var isLower = 2 * dy >= scale;
        if (isRight) dx = scale - 1 - dx;
        if (isLower) dy = scale - 1 - dy;
        var (sideX, sideY) = (isRight ? x + 1 : x - 1, isLower ? y + 1 : y - 1);
        return dx + dy < scale / 2
            && HasDot(rows, width, sideX, y) && HasDot(rows, width, x, sideY) && !HasDot(rows, width, sideX, sideY);
    }

    private static bool HasDot(ReadOnlySpan<uint> rows, int width, int x, int y) =>
        x >= 0 && x < width && y >= 0 && y < rows.Length && (rows[y] >> (width - 1 - x) & 1) != 0;
}
