using Agent.Media;
using Agent.Rtc;

namespace Agent.Transport;

/// <summary>
/// Has the encoder of one of a camera's layers follow the links of its viewers: one stream is for all of them, so it is as good as a configured share
/// can take, and the few with the narrowest links are left behind rather than everybody slowed down to them. The loop's own.
/// </summary>
internal sealed class BitrateFollower(FrameHub hub, TransportOptions options)
{
    /// <summary>Less at once, by no less than so much; more only if it is worth an encoder's while, and not too often.</summary>
    internal const double LeastDecrease = 0.95;
    internal const double LeastIncrease = 1.08;
    internal static readonly TimeSpan IncreaseInterval = TimeSpan.FromMilliseconds(500);

    private const int Percent = 100;

    private readonly List<long> _rates = [];
    private MonotonicTime _changedAt;
    private bool _hasBegun;

    /// <summary>Draws the conclusions from the estimates of those viewers who have the layer, or are about to.</summary>
    internal void Update(IReadOnlyList<Viewer> viewers, LayerFeed layer, MonotonicTime now)
    {
        _rates.Clear();
        for (var i = 0; options.Adaptation && i < viewers.Count; i++)
        {
            if (viewers[i].Target == layer && viewers[i].Session.VideoBitrate is { } rate)
                _rates.Add(rate);
        }

        if (_rates.Count == 0)
            return;

        _rates.Sort();
        Follow((int)Math.Min(_rates[GetIndex(_rates.Count, options.AdaptationPercentile)], hub.BitrateCeiling), isFirst: !_hasBegun, now);
        _hasBegun = true;
    }

    /// <summary>What it would be if one more viewer had the layer, as of the last update.</summary>
    /// <param name="rate">What that viewer's link carries, bit/s.</param>
    internal long Predict(long rate)
    {
        var place = _rates.BinarySearch(rate);
        place = place < 0 ? ~place : place;
        var index = GetIndex(_rates.Count + 1, options.AdaptationPercentile);
        return index == place ? rate : _rates[index < place ? index : index - 1];
    }

    /// <summary>Nobody watches any more.</summary>
    internal void Reset()
    {
        hub.BitrateLimit = FrameHub.NoBitrateLimit;
        _hasBegun = false;
        _rates.Clear();
    }

    /// <summary>The place among ascending rates at which that share of all, in percent, is at or below: of two, at 75, the better.</summary>
    internal static int GetIndex(int count, int percentile) => Math.Max(0, (count * percentile + Percent - 1) / Percent - 1);

    internal void Follow(int bitsPerSecond, bool isFirst, MonotonicTime now)
    {
        var limit = hub.BitrateLimit;
        var isIncrease = bitsPerSecond > limit && (bitsPerSecond >= limit * LeastIncrease || bitsPerSecond == hub.BitrateCeiling) && now - _changedAt >= IncreaseInterval;
        if (!isFirst && !isIncrease && bitsPerSecond > limit * LeastDecrease)
            return;

        hub.BitrateLimit = bitsPerSecond;
        _changedAt = now;
    }
}
