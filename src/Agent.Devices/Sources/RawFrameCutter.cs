namespace Agent.Devices.Sources;

/// <summary>Frames that are all of one size and follow each other without anything between.</summary>
internal sealed class RawFrameCutter : FrameCutter
{
    private readonly VideoFormat _format;
    private readonly int _size;
    private PipeFrame _current;
    private TimeSpan _arrivedAt;

    public RawFrameCutter(VideoFormat format)
    {
        _format = format;
        _size = PipeFrame.SizeOf(format);
        _current = Pool.Rent();
        _current.Reserve(_size);
    }

    public override Span<byte> Space => _current.Space[..(_size - _current.Length)];

    /// <summary>Always 0: there is nothing to tell damage by.</summary>
    public override long FramesDamaged => 0;

    public override void Advance(int count, TimeSpan arrivedAt)
    {
        if (_current.Length == 0) _arrivedAt = arrivedAt;
        _current.Advance(count);
    }

    public override PipeFrame? TryTake()
    {
        if (_current.Length < _size) return null;
        var frame = _current.Lend(_format, _arrivedAt);
        _current = Pool.Rent();
        _current.Reserve(_size);
        return frame;
    }
}
