using Agent.Devices.Sources;

namespace Agent.Devices;

/// <summary>
/// How many of a camera's frames are encoded: where the bitrate falls below what all of them need, every second, third … so that each has more of it and
/// the picture stays a picture. Time and bitrate come in; steps back are taken late and with a margin. Used by one thread.
/// </summary>
internal sealed class FrameRateStep(VideoFormat format)
{
    /// <summary>
    /// Bits for each pixel of each frame below which the software encoders' pictures dissolve into blocks as soon as something moves: half a
    /// megabit for 1280 × 720 at 30 frames per second.
    /// </summary>
    internal const double LeastBitsPerPixel = 0.02;

    /// <summary>Fewer frames per second are no moving picture any more.</summary>
    internal const double LeastFrameRate = 8;

    /// <summary>Rather than fewer frames than this the smaller layer is shown, if there is one.</summary>
    internal const double LeastFrameRateAtFullSize = 12;

    /// <summary>A target that is configured lower than the above is meant: up to this share of it nothing is left out.</summary>
    private const double LeastTargetShare = 0.75;

    /// <summary>Nor is a stream not worth its size above this share of its own target.</summary>
    private const double LeastTargetShareAtFullSize = 0.5;

    private const double RaiseMargin = 1.25;

    private static readonly TimeSpan s_lowerAfter = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_raiseAfter = TimeSpan.FromSeconds(3);

    private TimeSpan? _pendingSince;
    private int _pending;
    private TimeSpan? _lastTaken;
    private bool _hasBegun;

    /// <summary>One of so many frames is encoded.</summary>
    public int Divisor { get; private set; } = 1;

    /// <summary>The bitrate below which pictures of this format are not worth their size, bit/s, whatever frame rate they have.</summary>
    /// <param name="format">Size and frame rate.</param>
    /// <param name="target">What the encoder makes if nothing limits it, bit/s.</param>
    public static int GetFloor(VideoFormat format, int target)
    {
        if (format.FrameRateNumerator <= 0) return 0;
        var divisor = Math.Max(1, (int)(format.FramesPerSecond / LeastFrameRateAtFullSize));
        return (int)Math.Min(Need(format, divisor), LeastTargetShareAtFullSize * target);
    }

    /// <summary>Decides anew; true if <see cref="Divisor"/> has changed.</summary>
    /// <param name="bitsPerSecond">What the encoder is to make.</param>
    /// <param name="target">What it makes if nothing limits it, bit/s.</param>
    /// <param name="now">On the clock of the frames.</param>
    public bool Update(int bitsPerSecond, int target, TimeSpan now)
    {
        if (format.FrameRateNumerator <= 0) return false;
        var most = Math.Max(1, (int)(format.FramesPerSecond / LeastFrameRate));
        var low = Find(most, bitsPerSecond, margin: 1, LeastTargetShare * target);
        var high = Find(most, bitsPerSecond, RaiseMargin, target);
        var wanted = low > Divisor ? low : high < Divisor ? high : Divisor;
        if (wanted == Divisor)
        {
            _pendingSince = null;
            _hasBegun = true;
            return false;
        }

        // Before the first picture there is nothing to change from.
        if (_hasBegun)
        {
            if (_pendingSince is null || wanted > Divisor != _pending > Divisor || now < _pendingSince) _pendingSince = now;
            _pending = wanted;
            if (now - _pendingSince < (wanted > Divisor ? s_lowerAfter : s_raiseAfter)) return false;
        }

        (Divisor, _pendingSince, _hasBegun) = (wanted, null, true);
        return true;
    }

    /// <summary>Whether this frame is one to encode. To be called for each.</summary>
    public bool Takes(TimeSpan capturedAt)
    {
        // By time, not by number: a camera that delivers less than it says loses no frame twice.
        if (Divisor > 1 && _lastTaken is { } last && capturedAt >= last && (capturedAt - last).TotalSeconds < (Divisor - 0.5) / format.FramesPerSecond)
            return false;
        _lastTaken = capturedAt;
        return true;
    }

    /// <summary>The least divisor for which the bitrate is enough.</summary>
    private int Find(int most, int bitsPerSecond, double margin, double enough)
    {
        var divisor = 1;
        while (divisor < most && bitsPerSecond < Math.Min(margin * Need(format, divisor), enough)) divisor++;
        return divisor;
    }

    private static double Need(VideoFormat format, int divisor) => LeastBitsPerPixel * format.Width * format.Height * format.FramesPerSecond / divisor;
}
