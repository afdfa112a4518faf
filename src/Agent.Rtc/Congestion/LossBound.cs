namespace Agent.Rtc.Congestion;

/// <summary>
/// The rate that loss allows (draft-ietf-rmcat-gcc-02 §6), for links that drop without queueing. Loss that does not fall when less is
/// sent is the link's own, as on a radio link, and is no reason to send ever less: so much is tolerated from then on.
/// </summary>
internal sealed class LossBound
{
    /// <summary>gcc-02 §6: below this more may be sent, above the other less must be.</summary>
    private const double LowLoss = 0.02;
    private const double HighLoss = 0.10;
    private const double IncreaseFactor = 1.08;
    private const double HoldFactor = 1.02;

    private const double MaximumTolerated = 0.3;
    private const double SomethingElse = 0.9;

    /// <summary>Less must have been sent by so much before the loss can be compared.</summary>
    private const double ComparableRate = 0.97;

    /// <summary>Losses differ from one moment to the next by chance; so far above what is tolerated they may be.</summary>
    private const double ToleranceMargin = 1.5;
    private const double Forgetting = 0.9;

    /// <summary>From the rate that loss has led to and up to so much above it, more is tried carefully, for a while.</summary>
    private const double CarefulUpTo = 1.25;
    private static readonly TimeSpan s_careful = TimeSpan.FromSeconds(10);

    private double _tolerated;
    private bool _isAlone;
    private long _found;
    private MonotonicTime _foundAt;
    private (double Loss, long Sending)? _decrease;
    private MonotonicTime _changedAt;

    /// <summary>In bit/s; <c>null</c> while loss is no limit.</summary>
    public long? BitsPerSecond { get; private set; }

    /// <summary>For receivers that report loss only: it is the estimate itself, from the start.</summary>
    public void Start(long bitsPerSecond, MonotonicTime now) => (BitsPerSecond, _changedAt, _isAlone) = (bitsPerSecond, now, true);

    /// <summary>Whether a loss says that more may be sent.</summary>
    public bool IsLow(double loss) => loss < Math.Max(LowLoss, _tolerated * ToleranceMargin);

    /// <summary>A probe has shown that the link carries this, bit/s.</summary>
    public void Raise(long bitsPerSecond) => BitsPerSecond = BitsPerSecond is { } bound ? Math.Max(bound, bitsPerSecond) : null;

    /// <summary>Something else limits the rate well below this, and little is lost.</summary>
    public void ReleaseAbove(long bitsPerSecond, double loss)
    {
        if (loss < LowLoss && bitsPerSecond < SomethingElse * BitsPerSecond)
            BitsPerSecond = null;
    }

    /// <summary>Takes the loss of an interval of at least half a second.</summary>
    /// <param name="loss">0 to 1.</param>
    /// <param name="sending">What was sent meanwhile, bit/s.</param>
    /// <param name="estimate">What is held to be the link's rate; with what is sent again more is sent.</param>
    /// <param name="maximum">From this on loss is no limit.</param>
    /// <param name="now">The present.</param>
    /// <param name="isQueued">Packets wait on the path: it is full, whatever its loss was before.</param>
    public void Update(double loss, long sending, long estimate, long maximum, bool isQueued, MonotonicTime now)
    {
        if (isQueued)
        {
            (_tolerated, _decrease) = (0, null);
        }
        else if (_decrease is { } before && sending < before.Sending * ComparableRate)
        {
            // A link that was full passes as much as before, of less; one that loses by itself loses the same share.
            var ifFull = Math.Max(0, 1 - (1 - before.Loss) * before.Sending / Math.Max(sending, 1));
            if (loss > (before.Loss + ifFull) / 2)
                _tolerated = Math.Min(MaximumTolerated, Math.Max(_tolerated, (before.Loss + loss) / 2));

            _decrease = null;
        }
        else if (loss < _tolerated / 2)
        {
            _tolerated *= Forgetting;
        }

        var seconds = Math.Min((now - _changedAt).TotalSeconds, 1);
        _changedAt = now;
        if (loss > Math.Max(HighLoss, _tolerated * ToleranceMargin))
        {
            BitsPerSecond = (long)(Math.Min(sending, estimate) * (1 - 0.5 * (loss - _tolerated)));
            (_found, _foundAt) = (BitsPerSecond.Value, now);
            _decrease = (loss, sending);
        }
        else if (BitsPerSecond is { } bound)
        {
            var isCareful = !_isAlone && bound >= _found && bound < CarefulUpTo * _found && now - _foundAt < s_careful;
            var factor = loss < Math.Max(LowLoss, _tolerated) && !isCareful ? IncreaseFactor : HoldFactor;
            bound = (long)(bound * Math.Pow(factor, seconds)) + 1;
            BitsPerSecond = bound < maximum ? bound : null;
        }
    }
}
