namespace Agent.Media.Motion;

/// <summary>The coarse picture in which motion is looked for: cells, row by row, each about as wide as high.</summary>
/// <param name="Columns">Cells in a row.</param>
/// <param name="Rows">Rows of cells.</param>
public readonly record struct LumaGrid(int Columns, int Rows)
{
    /// <summary>Fine enough for a person across the garden, coarse enough to average a sensor's noise away.</summary>
    public const int LongestSide = 80;

    /// <summary>Luma values of cells are kept in units of 1/16: the mean of many pixels is finer than one of them.</summary>
    public const int Precision = 16;

    public int Count => Columns * Rows;

    /// <summary>80 cells along the longer side, and never more cells than pixels.</summary>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    public static LumaGrid For(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        var side = Math.Max(Math.Max(width, height) / (double)LongestSide, 1);
        return new LumaGrid(Cells(width), Cells(height));

        int Cells(int length) => Math.Clamp((int)Math.Round(length / side), 1, LongestSide);
    }

    /// <summary>The middle of a cell as a share of the picture's width and height.</summary>
    internal MotionPoint Middle(int cell) => new(((cell % Columns) + 0.5) / Columns, ((cell / Columns) + 0.5) / Rows);
}
