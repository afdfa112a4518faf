namespace Agent.Rtc.Rtp;

/// <summary>
/// How long a receiver is asked to hold pictures back: not at all, but where the link keeps losing packets for as long as it takes to send
/// them again. Without that a picture that was mended is shown late, which is seen as a standstill, one for every few losses. No clock and no I/O.
/// </summary>
internal sealed class RepairDelay(PlayoutDelay configured)
{
    /// <summary>So much of what is sent, as a mean, and pictures are held back; so little, and they are not any more.</summary>
    private const double MuchLoss = 0.02;
    private const double LittleLoss = 0.005;

    /// <summary>The weight of one report in the mean: a second of Chromium's. What a report says is cut, so that one alone changes nothing.</summary>
    private const double Weight = 0.2;
    private const double MostOfOneReport = 0.08;

    /// <summary>The request for a packet and the packet, and once more if that got lost too.</summary>
    private const int RoundTrips = 2;
    private static readonly TimeSpan s_least = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_most = TimeSpan.FromMilliseconds(500);

    /// <summary>Beyond the least, for receivers that find out what they need.</summary>
    private static readonly TimeSpan s_freedom = TimeSpan.FromMilliseconds(200);

    /// <summary>Each change is seen, as a pause or a hurry: only a way that has become so much longer makes one.</summary>
    private const double MuchLonger = 1.3;

    private readonly PlayoutDelay _configured = configured;
    private double _loss;
    private TimeSpan _delay;

    /// <summary>What the receiver is to be asked for now.</summary>
    public PlayoutDelay Value { get; private set; } = configured;

    /// <summary>Takes a receiver's report.</summary>
    /// <param name="loss">What it says was lost since the one before, 0 to 1.</param>
    /// <param name="roundTripTime">If it is known.</param>
    public void HandleReport(double loss, TimeSpan? roundTripTime)
    {
        _loss += Weight * (Math.Min(loss, MostOfOneReport) - _loss);
        if (_loss < LittleLoss)
        {
            _delay = TimeSpan.Zero;
        }
        else if (roundTripTime is { } roundTrip && (_delay > TimeSpan.Zero || _loss >= MuchLoss))
        {
            var wanted = new TimeSpan(Math.Clamp(RoundTrips * roundTrip.Ticks, s_least.Ticks, s_most.Ticks));
            if (wanted > _delay * MuchLonger)
                _delay = wanted;
        }

        Value = _delay <= _configured.Minimum
            ? _configured
            : new PlayoutDelay(_delay, _configured.Maximum > _delay + s_freedom ? _configured.Maximum : _delay + s_freedom);
    }
}
