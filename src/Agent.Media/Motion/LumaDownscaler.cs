using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Agent.Media.Motion;

/// <summary>How a picture's luma samples lie in a line.</summary>
public enum LumaLayout
{
    /// <summary>One behind the other: NV12, YU12.</summary>
    Planar,
    /// <summary>Every second byte, beginning with the first: YUYV.</summary>
    EverySecond,
}

/// <summary>Makes the coarse picture of pictures of one size: each cell is the mean of its pixels. Used by one thread; allocates nothing.</summary>
public sealed class LumaDownscaler
{
    /// <summary>Lines that can be added up in 16 bits: 65535 / 255. The longest side may be 80 times that.</summary>
    private const int MaximumCellLines = 257;

    private readonly int _width;
    private readonly int _height;

    /// <summary>For each column of pixels, the sum over the lines of the row of cells at hand.</summary>
    private readonly ushort[] _sums;

    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels; at most 20560 on either side.</param>
    public LumaDownscaler(int width, int height)
    {
        Grid = LumaGrid.For(width, height);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Math.Max(width, height), LumaGrid.LongestSide * MaximumCellLines, nameof(width));
        (_width, _height) = (width, height);
        _sums = new ushort[width];
    }

    public LumaGrid Grid { get; }

    public bool IsFor(int width, int height) => width == _width && height == _height;

    /// <summary>Downscales one picture.</summary>
    /// <param name="luma">Its plane of luma.</param>
    /// <param name="bytesPerLine">From the beginning of one line to that of the next.</param>
    /// <param name="layout">Where luma is in a line.</param>
    /// <param name="cells">Receives <see cref="LumaGrid.Count"/> means in 1/<see cref="LumaGrid.Precision"/> of a luma step, row by row, rounded to the nearest.</param>
    /// <exception cref="ArgumentException">The plane or the cells are too short.</exception>
    public void Downscale(ReadOnlySpan<byte> luma, int bytesPerLine, LumaLayout layout, Span<ushort> cells)
    {
        var lineLength = layout == LumaLayout.EverySecond ? (2 * _width) - 1 : _width;
        if (bytesPerLine < lineLength || luma.Length < ((long)(_height - 1) * bytesPerLine) + lineLength) throw new ArgumentException("plane too short", nameof(luma));
        if (cells.Length < Grid.Count) throw new ArgumentException("too few cells", nameof(cells));
        for (var row = 0; row < Grid.Rows; row++)
        {
            var (first, end) = (row * _height / Grid.Rows, (row + 1) * _height / Grid.Rows);
            Array.Clear(_sums);
            for (var line = first; line < end; line++)
            {
                var samples = luma.Slice(line * bytesPerLine, lineLength);
                if (layout == LumaLayout.EverySecond) AddEverySecond(samples, _sums);
                else Add(samples, _sums);
            }
            for (var column = 0; column < Grid.Columns; column++)
            {
                var (left, right) = (column * _width / Grid.Columns, (column + 1) * _width / Grid.Columns);
                var pixels = (uint)((right - left) * (end - first));
                cells[(row * Grid.Columns) + column] = (ushort)(((Sum(_sums.AsSpan(left, right - left)) * LumaGrid.Precision) + (pixels / 2)) / pixels);
            }
        }
    }

    private static void Add(ReadOnlySpan<byte> samples, Span<ushort> sums)
    {
        ref var from = ref MemoryMarshal.GetReference(samples);
        ref var to = ref MemoryMarshal.GetReference(sums);
        var vectors = samples.Length - (samples.Length % Vector128<byte>.Count);
        for (nuint i = 0; i < (nuint)vectors; i += (nuint)Vector128<byte>.Count)
        {
            var (low, high) = Vector128.Widen(Vector128.LoadUnsafe(ref from, i));
            var next = i + (nuint)Vector128<ushort>.Count;
            (Vector128.LoadUnsafe(ref to, i) + low).StoreUnsafe(ref to, i);
            (Vector128.LoadUnsafe(ref to, next) + high).StoreUnsafe(ref to, next);
        }
        for (var i = vectors; i < samples.Length; i++) sums[i] += samples[i];
    }

    private static void AddEverySecond(ReadOnlySpan<byte> samples, Span<ushort> sums)
    {
        ref var from = ref MemoryMarshal.GetReference(samples);
        ref var to = ref MemoryMarshal.GetReference(sums);
        var luma = Vector128.Create((ushort)byte.MaxValue);
        // The last sample has no chroma byte behind it that would certainly be there.
        var vectors = (sums.Length - 1) / Vector128<ushort>.Count * Vector128<ushort>.Count;
        for (nuint i = 0; i < (nuint)vectors; i += (nuint)Vector128<ushort>.Count)
        {
            var pairs = Vector128.LoadUnsafe(ref from, 2 * i).AsUInt16();
            (Vector128.LoadUnsafe(ref to, i) + (pairs & luma)).StoreUnsafe(ref to, i);
        }
        for (var i = vectors; i < sums.Length; i++) sums[i] += samples[2 * i];
    }

    private static uint Sum(ReadOnlySpan<ushort> values)
    {
        var total = Vector128<uint>.Zero;
        var i = 0;
        for (; i <= values.Length - Vector128<ushort>.Count; i += Vector128<ushort>.Count)
        {
            var (low, high) = Vector128.Widen(Vector128.Create(values.Slice(i, Vector128<ushort>.Count)));
            total += low + high;
        }
        var sum = Vector128.Sum(total);
        for (; i < values.Length; i++) sum += values[i];
        return sum;
    }
}
