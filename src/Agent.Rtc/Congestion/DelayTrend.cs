namespace Agent.Rtc.Congestion;

/// <summary>
/// Whether queues on the path grow: the slope of the one-way delay over the last groups of packets, against a threshold that adapts, so
/// that a flow which fills queues cannot push this one aside (draft-ietf-rmcat-gcc-02 §5.3, §5.4; the line instead of a Kalman filter and
/// the constants are those of libwebrtc's trendline_estimator.cc).
/// </summary>
internal sealed class DelayTrend
{
    private const int Window = 20;
    private const double Smoothing = 0.9;

    /// <summary>Scale between the slope and the threshold; it counts for more the more groups have been seen, up to a bound.</summary>
    private const double Gain = 4;
    private const int MaximumDeltas = 60;

    /// <summary>In ms; gcc-02 §5.4 starts at 12.5 and keeps it between 6 and 600.</summary>
    private const double InitialThreshold = 12.5;
    private const double MinimumThreshold = 6;
    private const double MaximumThreshold = 600;

    /// <summary>How fast the threshold follows, upwards and downwards, per ms.</summary>
    private const double RaiseFactor = 0.0087;
    private const double LowerFactor = 0.039;

    /// <summary>A slope that is so far above the threshold is a spike, and no measure for it.</summary>
    private const double Spike = 15;
    private const double LongestUpdate = 100;

    /// <summary>For how long the slope must exceed the threshold, in ms.</summary>
    private const double OveruseTime = 10;

    private readonly (double Arrival, double Delay)[] _points = new (double, double)[Window];
    private int _count;
    private int _next;
    private int _deltas;
    private double _firstArrival;
    private double _accumulated;
    private double _smoothed;
    private double _threshold = InitialThreshold;
    private double _previousTrend;
    private double _overuseTime = -1;
    private int _overuses;
    private double _lastUpdate = -1;

    public BandwidthUsage Usage { get; private set; }

    /// <summary>Takes two groups' distances.</summary>
    public void Update(TimeSpan sendDelta, TimeSpan arrivalDelta, TimeSpan arrival)
    {
        var at = arrival.TotalMilliseconds;
        if (_deltas == 0)
            _firstArrival = at;

        _deltas = Math.Min(_deltas + 1, MaximumDeltas);
        _accumulated += (arrivalDelta - sendDelta).TotalMilliseconds;
        _smoothed = Smoothing * _smoothed + (1 - Smoothing) * _accumulated;
        _points[_next] = (at - _firstArrival, _smoothed);
        _next = (_next + 1) % Window;
        _count = Math.Min(_count + 1, Window);
        var trend = _count == Window ? Slope() ?? _previousTrend : _previousTrend;
        Detect(trend, sendDelta.TotalMilliseconds, at);
        _previousTrend = trend;
    }

    /// <summary>The path is another one.</summary>
    public void Reset()
    {
        (_count, _next, _deltas, _overuses) = (0, 0, 0, 0);
        (_accumulated, _smoothed, _previousTrend, _overuseTime, _lastUpdate) = (0, 0, 0, -1, -1);
        Usage = BandwidthUsage.Normal;
    }

    /// <summary>The least squares line; <c>null</c> if all arrived at once.</summary>
    private double? Slope()
    {
        double sumX = 0, sumY = 0;
        foreach (var (x, y) in _points)
            (sumX, sumY) = (sumX + x, sumY + y);

        double averageX = sumX / Window, averageY = sumY / Window, numerator = 0, denominator = 0;
        foreach (var (x, y) in _points)
        {
            numerator += (x - averageX) * (y - averageY);
            denominator += (x - averageX) * (x - averageX);
        }

        return denominator == 0 ? null : numerator / denominator;
    }

    private void Detect(double trend, double sendDelta, double at)
    {
        if (_deltas < 2)
        {
            Usage = BandwidthUsage.Normal;
            return;
        }

        var scaled = _deltas * trend * Gain;
        if (scaled > _threshold)
        {
            _overuseTime = _overuseTime < 0 ? sendDelta / 2 : _overuseTime + sendDelta;
            _overuses++;
            if (_overuseTime > OveruseTime && _overuses > 1 && trend >= _previousTrend)
            {
                (_overuseTime, _overuses) = (0, 0);
                Usage = BandwidthUsage.Overusing;
            }
        }
        else
        {
            (_overuseTime, _overuses) = (-1, 0);
            Usage = scaled < -_threshold ? BandwidthUsage.Underusing : BandwidthUsage.Normal;
        }

        Adapt(Math.Abs(scaled), at);
    }

    private void Adapt(double scaled, double at)
    {
        var elapsed = _lastUpdate < 0 ? 0 : Math.Clamp(at - _lastUpdate, 0, LongestUpdate);
        _lastUpdate = at;
        if (scaled > _threshold + Spike)
            return;

        var factor = scaled < _threshold ? LowerFactor : RaiseFactor;
        _threshold = Math.Clamp(_threshold + factor * (scaled - _threshold) * elapsed, MinimumThreshold, MaximumThreshold);
    }
}
