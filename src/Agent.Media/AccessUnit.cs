namespace Agent.Media;

/// <summary>
/// One encoded picture (H.264 access unit, Annex B) in a pooled buffer, shared by reference count between everything that consumes
/// it. Immutable once built; its NAL units are found once.
/// </summary>
public sealed class AccessUnit
{
    /// <summary>Holds a 2 Mbit/s stream's ordinary pictures and most of its IDRs, so that buffers seldom grow.</summary>
    private const int InitialCapacity = 64 * 1024;

    /// <summary>SPS, PPS, SEI and a slice or two; grown for streams that cut more slices.</summary>
    private const int InitialNalUnits = 8;

    private readonly AccessUnitPool _pool;
    private byte[] _buffer = new byte[InitialCapacity];
    private Range[] _nalUnits = new Range[InitialNalUnits];
    private int _length;
    private int _nalUnitCount;
    private int _references;

    internal AccessUnit(AccessUnitPool pool) => _pool = pool;

    /// <summary>The bytes, with start codes.</summary>
    public ReadOnlyMemory<byte> Data => _buffer.AsMemory(0, _length);

    /// <summary>Where each NAL unit lies in <see cref="Data"/>, without its start code.</summary>
    public ReadOnlySpan<Range> NalUnits => _nalUnits.AsSpan(0, _nalUnitCount);

    /// <summary>True if it holds an IDR picture (nal_unit_type 5).</summary>
    public bool IsKeyFrame { get; private set; }

    /// <summary>Capture instant, CLOCK_MONOTONIC since its zero.</summary>
    public TimeSpan CapturedAt { get; private set; }

    /// <summary>The payload of the first NAL unit of one type, header byte included, or empty.</summary>
    public ReadOnlySpan<byte> FindNalUnit(NalUnitType type)
    {
        foreach (var range in NalUnits)
        {
            var nalUnit = _buffer.AsSpan(range);
            if (NalUnit.TypeOf(nalUnit[0]) == type) return nalUnit;
        }
        return default;
    }

    /// <exception cref="InvalidOperationException">It was already back in its pool: a bug.</exception>
    public void AddReference()
    {
        if (Interlocked.Increment(ref _references) <= 1)
            throw new InvalidOperationException("access unit referenced after its last release");
    }

    /// <summary>Drops one reference; the last returns the buffer to its pool.</summary>
    /// <exception cref="InvalidOperationException">Released more often than referenced: a bug.</exception>
    public void Release()
    {
        var left = Interlocked.Decrement(ref _references);
        if (left < 0) throw new InvalidOperationException("access unit released more often than it was referenced");
        if (left == 0) _pool.Return(this);
    }

    /// <summary>Takes a copy of the bytes; leaves one reference.</summary>
    internal void Fill(ReadOnlySpan<byte> annexB, TimeSpan capturedAt)
    {
        _length = annexB.Length;
        if (_buffer.Length < _length) _buffer = new byte[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)_length)];
        annexB.CopyTo(_buffer);
        CapturedAt = capturedAt;
        _nalUnitCount = 0;
        IsKeyFrame = false;
        var position = 0;
        while (NalUnit.TryFindNext(_buffer.AsSpan(0, _length), ref position, out var range))
        {
            if (_nalUnitCount == _nalUnits.Length) Array.Resize(ref _nalUnits, 2 * _nalUnits.Length);
            _nalUnits[_nalUnitCount++] = range;
            IsKeyFrame |= NalUnit.TypeOf(_buffer[range.Start.Value]) == NalUnitType.IdrSlice;
        }
        Volatile.Write(ref _references, 1);
    }
}
