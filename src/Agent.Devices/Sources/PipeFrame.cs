using Agent.Media;

namespace Agent.Devices.Sources;

/// <summary>A frame read from a program's output, in managed memory; goes back to its pool when it is disposed.</summary>
internal sealed class PipeFrame(PipeFramePool pool) : CapturedFrame
{
    private byte[] _bytes = [];
    private VideoFormat _format;
    private TimeSpan _capturedAt;
    private bool _isLent;

    public override VideoFormat Format => _format;

    public override TimeSpan CapturedAt => _capturedAt;

    public override int PlaneCount => _format.PixelFormat switch { PixelFormat.Yu12 => 3, PixelFormat.Nv12 => 2, _ => 1 };

    /// <summary>Bytes that were filled in so far.</summary>
    public int Length { get; private set; }

    /// <summary>What was filled in so far.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    /// <summary>The free rest of the buffer.</summary>
    public Span<byte> Space => _bytes.AsSpan(Length);

    /// <summary>Bytes of one frame without padding; 0 for compressed formats, whose frames differ.</summary>
    public static int SizeOf(VideoFormat format) => format.PixelFormat switch
    {
        PixelFormat.Yu12 or PixelFormat.Nv12 => format.Width * format.Height * 3 / 2,
        PixelFormat.Yuyv => format.Width * format.Height * 2,
        _ => 0,
    };

    /// <summary>Makes the buffer at least this large; what it holds stays.</summary>
    public void Reserve(int size)
    {
        if (_bytes.Length < size) Array.Resize(ref _bytes, size);
    }

    /// <summary>This many bytes of <see cref="Space"/> were filled in.</summary>
    public void Advance(int count) => Length += count;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        Reserve(Length + bytes.Length);
        bytes.CopyTo(Space);
        Length += bytes.Length;
    }

    /// <summary>Takes bytes away at the front.</summary>
    public void RemoveFirst(int count)
    {
        _bytes.AsSpan(count, Length - count).CopyTo(_bytes);
        Length -= count;
    }

    /// <summary>Takes bytes away at the end.</summary>
    public void Truncate(int length) => Length = length;

    /// <summary>Makes a full-range YU12 picture one of limited range, as encoders take them.</summary>
    public void LimitRange()
    {
        var luma = _format.Width * _format.Height;
        SampleRange.LimitLuma(_bytes.AsSpan(0, luma));
        SampleRange.LimitChroma(_bytes.AsSpan(luma, Length - luma));
    }

    /// <summary>Hands the frame out.</summary>
    public PipeFrame Lend(VideoFormat format, TimeSpan capturedAt)
    {
        (_format, _capturedAt, _isLent) = (format, capturedAt, true);
        return this;
    }

    public override ReadOnlySpan<byte> GetPlane(int plane)
    {
        ObjectDisposedException.ThrowIf(!_isLent, this);
        var luma = _format.Width * _format.Height;
        return (_format.PixelFormat, plane) switch
        {
            (PixelFormat.Yu12 or PixelFormat.Nv12, 0) => Bytes[..luma],
            (PixelFormat.Yu12, 1) => Bytes.Slice(luma, luma / 4),
            (PixelFormat.Yu12, 2) => Bytes.Slice(luma + luma / 4, luma / 4),
            (PixelFormat.Nv12, 1) => Bytes.Slice(luma, luma / 2),
            _ => Bytes,
        };
    }

    public override int GetBytesPerLine(int plane) => (_format.PixelFormat, plane) switch
    {
        (PixelFormat.Yu12, > 0) => _format.Width / 2,
        (PixelFormat.Yu12 or PixelFormat.Nv12, _) => _format.Width,
        (PixelFormat.Yuyv, _) => _format.Width * 2,
        _ => 0,
    };

    public override void Dispose()
    {
        if (!_isLent) return;
        _isLent = false;
        pool.Return(this);
    }

    /// <summary>Empties it for the next use.</summary>
    public void Clear() => (Length, _isLent) = (0, false);
}

/// <summary>Frames in reuse: encoders give them back from threads of their own. Thread-safe; no allocation in steady state.</summary>
internal sealed class PipeFramePool
{
    /// <summary>One being filled, one being shown, and as many as a hardware encoder queues; what comes back beyond that is left to the collector.</summary>
    private const int MaximumRetained = 16;

    private readonly Lock _lock = new();
    private readonly Stack<PipeFrame> _free = new(MaximumRetained);

    /// <summary>An empty frame.</summary>
    public PipeFrame Rent()
    {
        PipeFrame? frame;
        lock (_lock) _free.TryPop(out frame);
        frame ??= new PipeFrame(this);
        frame.Clear();
        return frame;
    }

    public void Return(PipeFrame frame)
    {
        lock (_lock)
        {
            if (_free.Count < MaximumRetained) _free.Push(frame);
        }
    }
}
