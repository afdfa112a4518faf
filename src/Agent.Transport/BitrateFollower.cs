using Agent.Media;
using Agent.Rtc;

namespace Agent.Transport;

/// <summary>The links of one camera's viewers, for the metrics.</summary>
/// <param name="Camera">Its name.</param>
/// <param name="LowestEstimateBps">Of the viewer with the narrowest link, bit/s; 0 without viewers.</param>
/// <param name="HighestEstimateBps">Of the one with the widest.</param>
/// <param name="LongestQueue">What waits to be sent to a viewer, as the time that it takes.</param>
/// <param name="BitrateLimitBps">What the viewers' links leave to the encoder; <c>null</c> if they set no limit.</param>
public sealed record CameraLinks(string Camera, long LowestEstimateBps, long HighestEstimateBps, TimeSpan LongestQueue, int? BitrateLimitBps);

/// <summary>
/// Has a camera's encoder follow its viewers' links: one stream is for all, so it is as good as a configured share of them can take, and the
/// few with the narrowest links are left behind rather than everybody slowed down to them. The loop's own, but for the status.
/// </summary>
internal sealed class BitrateFollower(FrameHub hub, TransportOptions options)
{
    /// <summary>Less at once, by no less than so much; more only if it is worth an encoder's while, and not too often.</summary>
    internal const double LeastDecrease = 0.95;
    internal const double LeastIncrease = 1.08;
    internal static readonly TimeSpan IncreaseInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Estimates change with feedback, which comes about as often.</summary>
    internal static readonly TimeSpan UpdateInterval = TimeSpan.FromMilliseconds(100);

    private const int Percent = 100;

    private readonly List<long> _rates = [];
    private MonotonicTime? _updatedAt;
    private MonotonicTime _changedAt;
    private long _lowest;
    private long _highest;
    private long _queueTicks;

    /// <summary>Any thread.</summary>
    internal CameraLinks Status => new(
        hub.Camera, Volatile.Read(ref _lowest), Volatile.Read(ref _highest), new TimeSpan(Volatile.Read(ref _queueTicks)),
        hub.BitrateLimit == FrameHub.NoBitrateLimit ? null : hub.BitrateLimit);

    /// <summary>Draws the conclusions from the viewers' estimates; to be called with each frame.</summary>
    internal void Update(IReadOnlyList<Viewer> viewers, MonotonicTime now)
    {
        if (!options.Adaptation || now - _updatedAt < UpdateInterval)
            return;

        _rates.Clear();
        long lowest = long.MaxValue, highest = 0, queue = 0;
        for (var i = 0; i < viewers.Count; i++)
        {
            var session = viewers[i].Session;
            session.SetMaximumBitrate(hub.BitrateCeiling, now);
            if (session.VideoBitrate is not { } rate || session.Congestion is not { } congestion)
                continue;

            _rates.Add(rate);
            lowest = Math.Min(lowest, congestion.EstimateBps);
            highest = Math.Max(highest, congestion.EstimateBps);
            queue = Math.Max(queue, congestion.QueueDelay.Ticks);
        }

        Volatile.Write(ref _lowest, _rates.Count == 0 ? 0 : lowest);
        Volatile.Write(ref _highest, highest);
        Volatile.Write(ref _queueTicks, queue);
        if (_rates.Count == 0)
            return;

        _rates.Sort();
        Follow((int)Math.Min(_rates[GetIndex(_rates.Count, options.AdaptationPercentile)], hub.BitrateCeiling), isFirst: _updatedAt is null, now);
        _updatedAt = now;
    }

    /// <summary>Nobody watches any more.</summary>
    internal void Reset()
    {
        hub.BitrateLimit = FrameHub.NoBitrateLimit;
        _updatedAt = null;
        Volatile.Write(ref _lowest, 0);
        Volatile.Write(ref _highest, 0);
        Volatile.Write(ref _queueTicks, 0);
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
