namespace Agent.Media.Motion;

/// <summary>Measures what hangs together: noise and rain change cells here and there, things that move change neighbours. Used by one thread.</summary>
internal sealed class CellGroups
{
    private readonly LumaGrid _grid;
    private readonly bool[] _seen;
    private readonly int[] _stack;

    public CellGroups(LumaGrid grid) => (_grid, _seen, _stack) = (grid, new bool[grid.Count], new int[grid.Count]);

    /// <summary>The number of cells in the largest group of cells that are stronger than a contrast and touch at an edge or a corner.</summary>
    /// <param name="cells">Which cells count.</param>
    /// <param name="strengths">Each cell's strength.</param>
    /// <param name="contrast">What it must exceed.</param>
    public int FindLargest(ReadOnlySpan<bool> cells, ReadOnlySpan<float> strengths, float contrast)
    {
        var largest = 0;
        for (var cell = 0; cell < cells.Length; cell++) _seen[cell] = !cells[cell] || strengths[cell] <= contrast;
        for (var cell = 0; cell < cells.Length; cell++)
        {
            if (!_seen[cell]) largest = Math.Max(largest, Fill(cell));
        }
        return largest;
    }

    private int Fill(int start)
    {
        var (size, depth) = (0, 0);
        _seen[start] = true;
        _stack[depth++] = start;
        while (depth > 0)
        {
            var cell = _stack[--depth];
            size++;
            var (column, row) = (cell % _grid.Columns, cell / _grid.Columns);
            for (var y = Math.Max(row - 1, 0); y <= Math.Min(row + 1, _grid.Rows - 1); y++)
            {
                for (var x = Math.Max(column - 1, 0); x <= Math.Min(column + 1, _grid.Columns - 1); x++)
                {
                    var neighbour = (y * _grid.Columns) + x;
                    if (_seen[neighbour]) continue;
                    _seen[neighbour] = true;
                    _stack[depth++] = neighbour;
                }
            }
        }
        return size;
    }
}
