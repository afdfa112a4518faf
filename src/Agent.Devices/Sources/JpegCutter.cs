namespace Agent.Devices.Sources;

/// <summary>JPEG images one behind the other; what lies between them is skipped.</summary>
internal sealed class JpegCutter : FrameCutter
{
    /// <summary>At most this much of the next image is read with the last of an image, and must be moved.</summary>
    private const int ReadSize = 65536;

    /// <summary>Larger than any picture a browser shows: 4096x4096 at 16 bits a pixel.</summary>
    private const int MaximumImage = 32 * 1024 * 1024;

    private readonly VideoFormat _expected;
    private PipeFrame _current;
    private TimeSpan _arrivedAt;
    private TimeSpan _lastArrivedAt;
    private JpegScanner _scanner;
    private bool _isInImage;
    private long _damaged;

    /// <param name="expected">Size and rate by the configuration; each image may be of another size.</param>
    public JpegCutter(VideoFormat expected)
    {
        _expected = expected;
        _current = Pool.Rent();
    }

    public override Span<byte> Space
    {
        get
        {
            if (_current.Space.Length < ReadSize) _current.Reserve(Math.Max(_current.Length + ReadSize, _current.Length * 2));
            return _current.Space[..ReadSize];
        }
    }

    public override long FramesDamaged => _damaged;

    public override void Advance(int count, TimeSpan arrivedAt)
    {
        if (_current.Length == 0) _arrivedAt = arrivedAt;
        _lastArrivedAt = arrivedAt;
        _current.Advance(count);
    }

    public override PipeFrame? TryTake()
    {
        while (_isInImage || TryFindStart())
        {
            var result = _scanner.Scan(_current.Bytes, out var length);
            if (result == JpegScanResult.Complete) return Cut(length);
            if (result == JpegScanResult.NeedsMore && _current.Length <= MaximumImage) return null;
            _damaged++;
            // The next start may lie within what was taken for an image.
            _current.RemoveFirst(1);
            _isInImage = false;
        }
        return null;
    }

    /// <summary>Throws away what comes before the next image.</summary>
    private bool TryFindStart()
    {
        var start = _current.Bytes.IndexOf(JpegScanner.Start);
        _isInImage = start >= 0;
        // The last bytes may be the beginning of a start.
        var skipped = _isInImage ? start : Math.Max(0, _current.Length - JpegScanner.Start.Length + 1);
        if (skipped > 0)
        {
            _current.RemoveFirst(skipped);
            _arrivedAt = _lastArrivedAt;
        }
        _scanner = default;
        return _isInImage;
    }

    private PipeFrame Cut(int length)
    {
        var next = Pool.Rent();
        next.Append(_current.Bytes[length..]);
        _current.Truncate(length);
        var format = _scanner is { Width: > 0, Height: > 0 } ? _expected with { Width = _scanner.Width, Height = _scanner.Height } : _expected;
        var frame = _current.Lend(format, _arrivedAt);
        _current = next;
        _arrivedAt = _lastArrivedAt;
        _isInImage = false;
        return frame;
    }
}
