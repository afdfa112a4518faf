namespace Agent.Rtc.Congestion;

/// <summary>
/// What arrives, in bit/s: a Bayesian mean of the rate in short windows, which trusts a sample the less the further it is from the mean.
/// Model and constants are those of libwebrtc's bitrate_estimator.cc.
/// </summary>
internal sealed class AcknowledgedBitrate
{
    private const int BitsPerByte = 8;
    private const double BitsPerKilobit = 1000;

    /// <summary>How far a sample may be from the mean before it counts for little.</summary>
    private const double UncertaintyScale = 10;

    /// <summary>Variance that each window adds, since the rate changes.</summary>
    private const double VarianceOfChange = 5;
    private const double InitialVariance = 50;
    private const double VarianceOfFastChange = 200;

    private static readonly TimeSpan s_firstWindow = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_window = TimeSpan.FromMilliseconds(150);

    private double _estimate;
    private double _variance = InitialVariance;
    private TimeSpan? _last;
    private TimeSpan _inWindow;
    private long _bytes;
    private bool _isKnown;

    /// <summary><c>null</c> until the first window is over.</summary>
    public long? BitsPerSecond => _isKnown ? (long)(_estimate * BitsPerKilobit) : null;

    /// <summary>A packet has arrived; in the order of feedback.</summary>
    public void Add(TimeSpan arrival, int bytes)
    {
        var window = _isKnown ? s_window : s_firstWindow;
        if (_last is { } last && arrival > last)
        {
            _inWindow += arrival - last;
            if (arrival - last > window)
            {
                // A pause, which says nothing about the rate.
                _bytes = 0;
                _inWindow = new TimeSpan(_inWindow.Ticks % window.Ticks);
            }
        }

        _last = _last is null || arrival > _last ? arrival : _last;
        if (_inWindow >= window)
        {
            Take(_bytes * BitsPerByte / window.TotalMilliseconds);
            _inWindow -= window;
            _bytes = 0;
        }

        _bytes += bytes;
    }

    /// <summary>More will be sent from now on: the next windows count for more than what was before.</summary>
    public void ExpectChange() => _variance += VarianceOfFastChange;

    /// <summary>The rate is known from elsewhere.</summary>
    public void Set(long bitsPerSecond)
    {
        (_estimate, _variance, _isKnown) = (bitsPerSecond / BitsPerKilobit, InitialVariance, true);
        (_bytes, _inWindow) = (0, TimeSpan.Zero);
    }

    private void Take(double sample)
    {
        if (!_isKnown)
        {
            _estimate = sample;
            _isKnown = true;
            return;
        }

        var uncertainty = UncertaintyScale * Math.Abs(_estimate - sample) / Math.Max(_estimate, 1);
        var sampleVariance = uncertainty * uncertainty;
        var variance = _variance + VarianceOfChange;
        _estimate = (sampleVariance * _estimate + variance * sample) / (sampleVariance + variance);
        _variance = sampleVariance * variance / (sampleVariance + variance);
    }
}
