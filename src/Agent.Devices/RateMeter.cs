namespace Agent.Devices;

/// <summary>How much passed per second over the last two seconds. Thread-safe.</summary>
internal sealed class RateMeter
{
    private const int BucketCount = 8;
    private static readonly TimeSpan BucketLength = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly long[] _amounts = new long[BucketCount + 1];
    private long _bucket = long.MinValue;
    private long _firstBucket;

    public void Add(TimeSpan now, long amount)
    {
        lock (_lock)
        {
            Advance(now);
            _amounts[_bucket % _amounts.Length] += amount;
        }
    }

    /// <summary>Over the full buckets of the window, or as many as there have been.</summary>
    public double PerSecond(TimeSpan now)
    {
        lock (_lock)
        {
            if (_bucket == long.MinValue) return 0;
            Advance(now);
            var buckets = Math.Min(BucketCount, _bucket - _firstBucket);
            if (buckets <= 0) return 0;
            long sum = 0;
            // The bucket being filled is left out.
            for (var i = 1; i <= buckets; i++) sum += _amounts[(_bucket - i) % _amounts.Length];
            return sum / (buckets * BucketLength.TotalSeconds);
        }
    }

    private void Advance(TimeSpan now)
    {
        var bucket = now.Ticks / BucketLength.Ticks;
        if (_bucket == long.MinValue)
        {
            _firstBucket = bucket;
            _bucket = bucket;
            return;
        }
        if (bucket - _bucket >= _amounts.Length)
        {
            Array.Clear(_amounts);
            _bucket = bucket;
        }
        while (_bucket < bucket) _amounts[++_bucket % _amounts.Length] = 0;
    }
}
