namespace Agent.Rtc.Sctp;

/// <summary>The retransmission timeout of RFC 9260 §6.3.1, from measured round trips.</summary>
internal struct RetransmissionTimeout()
{
    /// <summary>
    /// RFC 9260 §16 recommends 1 s at least. A viewer's command waits for it, and acknowledgements are delayed by 200 ms at most (§6.2), so it
    /// is as short as WebRTC's own implementations have it.
    /// </summary>
    public static readonly TimeSpan Minimum = TimeSpan.FromMilliseconds(400);

    /// <summary>RFC 9260 §16: 1 s.</summary>
    public static readonly TimeSpan Initial = TimeSpan.FromSeconds(1);

    /// <summary>RFC 9260 §16 has 60 s; whether the peer is there at all ICE's consent tells within 30 s.</summary>
    public static readonly TimeSpan Maximum = TimeSpan.FromSeconds(10);

    // RFC 9260 §6.3.1: RTO.Alpha and RTO.Beta.
    private const double Alpha = 1.0 / 8;
    private const double Beta = 1.0 / 4;
    private const int VariationFactor = 4;

    private TimeSpan _smoothed;
    private TimeSpan _variation;

    public TimeSpan Current { get; private set; } = Initial;

    /// <summary>The smoothed round trip, zero before the first measurement.</summary>
    public readonly TimeSpan RoundTrip => _smoothed;

    public void Measure(TimeSpan roundTrip)
    {
        if (_smoothed == TimeSpan.Zero)
        {
            (_smoothed, _variation) = (roundTrip, roundTrip / 2);
        }
        else
        {
            _variation = ((1 - Beta) * _variation) + (Beta * (_smoothed - roundTrip).Duration());
            _smoothed = ((1 - Alpha) * _smoothed) + (Alpha * roundTrip);
        }

        Current = Clamp(_smoothed + (VariationFactor * _variation));
    }

    /// <summary>RFC 9260 §6.3.3 E2.</summary>
    public void BackOff() => Current = Clamp(2 * Current);

    private static TimeSpan Clamp(TimeSpan value) => value < Minimum ? Minimum : value > Maximum ? Maximum : value;
}
