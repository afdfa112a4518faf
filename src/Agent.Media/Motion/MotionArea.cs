namespace Agent.Media.Motion;

/// <summary>A point as shares of the picture's width and height, from 0 at its top left to 1.</summary>
public readonly record struct MotionPoint(double X, double Y);

/// <summary>A part of the picture: a polygon, whichever way round it is drawn.</summary>
public sealed class MotionArea
{
    public const int FewestPoints = 3;

    private readonly MotionPoint[] _points;

    /// <param name="points">Its corners, at least three; the last is joined to the first.</param>
    public MotionArea(IReadOnlyList<MotionPoint> points)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(points.Count, FewestPoints, nameof(points));
        _points = [.. points];
    }

    public static MotionArea WholePicture { get; } = Rectangle(0, 0, 1, 1);

    public IReadOnlyList<MotionPoint> Points => _points;

    public static MotionArea Rectangle(double x, double y, double width, double height) =>
        new([new(x, y), new(x + width, y), new(x + width, y + height), new(x, y + height)]);

    /// <summary>Whether a point lies within, by the number of edges to its right (even-odd rule).</summary>
    public bool Contains(MotionPoint point)
    {
        var isInside = false;
        var before = _points[^1];
        foreach (var corner in _points)
        {
            if ((corner.Y > point.Y) != (before.Y > point.Y)
                && point.X < ((before.X - corner.X) * (point.Y - corner.Y) / (before.Y - corner.Y)) + corner.X)
                isInside = !isInside;
            before = corner;
        }
        return isInside;
    }

    /// <summary>Its cells: those whose middle lies within; of an area that holds no middle, the cell at the mean of its corners.</summary>
    internal bool[] Cover(LumaGrid grid)
    {
        var cells = new bool[grid.Count];
        for (var cell = 0; cell < cells.Length; cell++) cells[cell] = Contains(grid.Middle(cell));
        if (cells.Contains(true)) return cells;
        var column = Math.Clamp((int)(_points.Average(static point => point.X) * grid.Columns), 0, grid.Columns - 1);
        var row = Math.Clamp((int)(_points.Average(static point => point.Y) * grid.Rows), 0, grid.Rows - 1);
        cells[(row * grid.Columns) + column] = true;
        return cells;
    }
}
