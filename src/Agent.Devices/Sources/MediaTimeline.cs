namespace Agent.Devices.Sources;

/// <summary>
/// Turns the timestamps of a file that is played over and over into ones that only grow: laps follow each other at one frame's distance,
/// missing timestamps are made up, and jumps (joined recordings) become one frame's distance too.
/// </summary>
/// <param name="timestampUnit">Seconds per timestamp unit.</param>
/// <param name="frameDuration">What a frame without a better answer lasts.</param>
internal sealed class MediaTimeline(double timestampUnit, TimeSpan frameDuration)
{
    /// <summary>AV_NOPTS_VALUE (libavutil/avutil.h).</summary>
    private const long NoTimestamp = long.MinValue;

    /// <summary>Further apart than any two frames of one recording.</summary>
    private static readonly TimeSpan LargestStep = TimeSpan.FromSeconds(10);

    private TimeSpan _last = -frameDuration;
    private TimeSpan _offset;
    private bool _isAnchored;

    /// <summary>The file begins anew.</summary>
    public void StartLap() => _isAnchored = false;

    /// <summary>When the next frame is due, counted from the first; always later than the one before.</summary>
    public TimeSpan Next(long timestamp)
    {
        var next = _last + frameDuration;
        if (timestamp != NoTimestamp)
        {
            var inFile = TimeSpan.FromSeconds(timestamp * timestampUnit);
            var step = inFile + _offset - _last;
            if (!_isAnchored || step <= TimeSpan.Zero || step > LargestStep) _offset = next - inFile;
            _isAnchored = true;
            next = inFile + _offset;
        }
        return _last = next;
    }
}
