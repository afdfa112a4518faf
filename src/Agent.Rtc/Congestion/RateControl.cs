namespace Agent.Rtc.Congestion;

/// <summary>
/// The rate that the delay allows: less at once when queues grow, slowly more while they do not, carefully near the rate at which they
/// last grew (draft-ietf-rmcat-gcc-02 §5.5).
/// </summary>
internal sealed class RateControl
{
    /// <summary>Of what arrives, when queues have grown: so that they drain.</summary>
    private const double DecreaseFactor = 0.85;

    /// <summary>Per second, far from what the link is known to carry.</summary>
    private const double IncreaseFactor = 1.08;

    /// <summary>Beyond what arrives the rate does not grow: what is not sent proves nothing.</summary>
    private const double ThroughputFactor = 1.5;
    private const long ThroughputMargin = 10_000;

    /// <summary>Near the link's known rate one packet is added in each response time.</summary>
    private const double PacketBits = 1200 * 8;
    private const double MinimumAdditiveIncrease = 4_000;
    private static readonly TimeSpan s_detectionTime = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan s_minimumReduceInterval = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan s_maximumReduceInterval = TimeSpan.FromMilliseconds(200);

    private readonly LinkCapacity _capacity = new();
    private bool _isHeld = true;
    private MonotonicTime _changedAt;
    private MonotonicTime _reducedAt;

    public RateControl(long start, MonotonicTime now) => (BitsPerSecond, _changedAt, _reducedAt) = (start, now, now);

    public long BitsPerSecond { get; private set; }

    /// <summary>When it was last lowered; at first when it began.</summary>
    public MonotonicTime ReducedAt => _reducedAt;

    /// <summary>Takes feedback's conclusion.</summary>
    /// <param name="usage">What the delay says.</param>
    /// <param name="acknowledged">What arrives, in bit/s, if known.</param>
    /// <param name="roundTripTime">Of the path.</param>
    /// <param name="now">The present.</param>
    public void Update(BandwidthUsage usage, long? acknowledged, TimeSpan roundTripTime, MonotonicTime now)
    {
        switch (usage)
        {
            case BandwidthUsage.Overusing:
                Decrease(acknowledged, roundTripTime, now);
                break;
            case BandwidthUsage.Underusing:
                // The queues that were built up drain; growing now would keep them.
                _isHeld = true;
                break;
            default:
                if (_isHeld)
                    _changedAt = now;
                else
                    Increase(acknowledged, roundTripTime, now);

                _isHeld = false;
                break;
        }
    }

    /// <summary>A measurement has shown more, or somebody else sets the rate.</summary>
    public void Set(long bitsPerSecond, MonotonicTime now)
    {
        if (bitsPerSecond < BitsPerSecond)
            _reducedAt = now;

        (BitsPerSecond, _changedAt) = (bitsPerSecond, now);
    }

    /// <summary>The link carries this much from now on, bit/s, and much less than before.</summary>
    public void Collapse(long bitsPerSecond, MonotonicTime now)
    {
        Set((long)(DecreaseFactor * bitsPerSecond), now);
        _capacity.Forget();
        _capacity.Learn(bitsPerSecond);
        _isHeld = true;
    }

    private void Increase(long? acknowledged, TimeSpan roundTripTime, MonotonicTime now)
    {
        var seconds = Math.Min((now - _changedAt).TotalSeconds, 1);
        _changedAt = now;
        if (acknowledged is { } arriving)
        {
            if (arriving > _capacity.UpperBound)
                _capacity.Forget();

            if (BitsPerSecond >= arriving * ThroughputFactor + ThroughputMargin)
                return;
        }

        var response = roundTripTime + s_detectionTime;
        var increase = _capacity.IsKnown
            ? Math.Max(MinimumAdditiveIncrease, PacketBits / response.TotalSeconds) * seconds
            : BitsPerSecond * (Math.Pow(IncreaseFactor, seconds) - 1);
        BitsPerSecond += (long)Math.Max(increase, 1);
    }

    private void Decrease(long? acknowledged, TimeSpan roundTripTime, MonotonicTime now)
    {
        var interval = new TimeSpan(Math.Clamp(roundTripTime.Ticks, s_minimumReduceInterval.Ticks, s_maximumReduceInterval.Ticks));
        if (now - _reducedAt < interval && !(acknowledged < BitsPerSecond / 2))
            return;

        _isHeld = true;
        var lowered = acknowledged is { } arriving ? (long)(DecreaseFactor * arriving) : BitsPerSecond / 2;
        if (lowered > BitsPerSecond && _capacity.IsKnown)
            lowered = (long)(DecreaseFactor * _capacity.Estimate);

        if (lowered < BitsPerSecond)
            Set(lowered, now);

        if (acknowledged is { } rate)
        {
            if (rate < _capacity.LowerBound)
                _capacity.Forget();

            _capacity.Learn(rate);
        }
    }

    /// <summary>What arrived when queues grew, in bit/s: the mean with three standard deviations around it.</summary>
    private sealed class LinkCapacity
    {
        private const double Weight = 0.05;
        private const double MinimumDeviation = 0.4;
        private const double MaximumDeviation = 2.5;
        private const double Kilobit = 1000;

        private double _estimate;
        private double _deviation = MinimumDeviation;

        public bool IsKnown => _estimate > 0;

        public double Estimate => _estimate * Kilobit;

        public double UpperBound => IsKnown ? (_estimate + Spread) * Kilobit : double.PositiveInfinity;

        public double LowerBound => IsKnown ? Math.Max(0, _estimate - Spread) * Kilobit : 0;

        private double Spread => 3 * Math.Sqrt(_deviation * _estimate);

        public void Learn(long bitsPerSecond)
        {
            var sample = bitsPerSecond / Kilobit;
            _estimate = IsKnown ? (1 - Weight) * _estimate + Weight * sample : sample;
            var error = _estimate - sample;
            _deviation = Math.Clamp((1 - Weight) * _deviation + Weight * error * error / Math.Max(_estimate, 1), MinimumDeviation, MaximumDeviation);
        }

        public void Forget() => _estimate = 0;
    }
}
