namespace Agent.Rtc.Congestion;

/// <summary>
/// Notices a link that has become much narrower from the next few packets: the slope of the delay (<see cref="DelayTrend"/>) takes twenty
/// groups of packets to tell, over half a second of pictures, and by then most home routers' queues have overflowed.
/// </summary>
internal sealed class LinkCollapse
{
    /// <summary>A link that still carries more than this part of the estimate is the delay trend's to judge.</summary>
    private const double MuchNarrower = 0.5;

    /// <summary>
    /// A queue grows: packets that were sent together arrive evenly apart, and how far apart is the link's rate. Those that a radio link
    /// held up arrive all at once, and those that a busy receiver reads late at any distance.
    /// </summary>
    private const int Delayed = 4;
    private const double Evenness = 2;
    private static readonly TimeSpan s_delay = TimeSpan.FromMilliseconds(40);

    /// <summary>
    /// A full queue, or a policer, drops at least every second packet and delays none. A policer lets bursts pass, so that a rate takes
    /// several pictures.
    /// </summary>
    private const int Thinned = 8;
    private const int LostForOne = 1;
    private static readonly TimeSpan s_thinned = TimeSpan.FromMilliseconds(100);

    /// <summary>A power of two: 6 Mbit/s over that time.</summary>
    private const int Memory = 64;

    private readonly Arrival[] _arrivals = new Arrival[Memory];
    private int _count;

    /// <summary>Takes a packet that arrived.</summary>
    /// <param name="sequence">Its extended transport-wide number.</param>
    /// <param name="lost">Packets that have been reported lost so far, as a count that grows.</param>
    /// <param name="packet">As sent.</param>
    /// <param name="arrival">On the receiver's clock.</param>
    /// <param name="estimate">What the link is held to carry, bit/s.</param>
    /// <param name="bitsPerSecond">What it carries, if that is much less.</param>
    /// <returns>True if it is.</returns>
    public bool TryFind(long sequence, long lost, in SentPacket packet, TimeSpan arrival, long estimate, out long bitsPerSecond)
    {
        bitsPerSecond = 0;
        if (_count > 0 && sequence <= At(1).Sequence)
            return false;

        _arrivals[_count++ & (Memory - 1)] = new Arrival(sequence, lost, packet.SentAt, arrival, packet.Bytes);
        var limit = MuchNarrower * estimate;
        return IsDelayed(limit, ref bitsPerSecond) || IsThinned(limit, ref bitsPerSecond);
    }

    public void Reset() => _count = 0;

    private bool IsDelayed(double limit, ref long bitsPerSecond)
    {
        if (_count < Delayed)
            return false;

        double fastest = 0, slowest = double.PositiveInfinity;
        for (var back = 1; back < Delayed; back++)
        {
            var rate = At(back).Bytes * 8 / (At(back).ArrivedAt - At(back + 1).ArrivedAt).TotalSeconds;
            (fastest, slowest) = (Math.Max(fastest, rate), Math.Min(slowest, rate));
        }

        // Where the receiver has set its clock back the rate is negative.
        if (fastest >= limit || slowest <= 0 || fastest > Evenness * slowest)
            return false;

        var arrived = At(1).ArrivedAt - At(Delayed).ArrivedAt;
        var sent = At(1).SentAt - At(Delayed).SentAt;
        if (arrived - sent < s_delay || sent > arrived * MuchNarrower)
            return false;

        bitsPerSecond = GetRate(Delayed);
        return true;
    }

    private bool IsThinned(double limit, ref long bitsPerSecond)
    {
        for (var count = Thinned; count <= Math.Min(_count, Memory); count++)
        {
            if (At(1).ArrivedAt - At(count).ArrivedAt < s_thinned)
                continue;

            bitsPerSecond = GetRate(count);
            return bitsPerSecond < limit && At(1).Lost - At(count).Lost >= (count - 1) * LostForOne;
        }

        return false;
    }

    /// <summary>Of the last so many packets, without the first: what counts are the intervals.</summary>
    private long GetRate(int count)
    {
        long bits = 0;
        for (var back = 1; back < count; back++)
            bits += At(back).Bytes * 8;

        return (long)(bits / (At(1).ArrivedAt - At(count).ArrivedAt).TotalSeconds);
    }

    /// <summary>The last packet, at 1, or one before it.</summary>
    private ref Arrival At(int back) => ref _arrivals[(_count - back) & (Memory - 1)];

    private readonly record struct Arrival(long Sequence, long Lost, MonotonicTime SentAt, TimeSpan ArrivedAt, int Bytes);
}
