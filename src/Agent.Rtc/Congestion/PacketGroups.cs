namespace Agent.Rtc.Congestion;

/// <summary>
/// Puts packets that were sent together into groups and compares how far apart two groups were sent and arrived
/// (draft-ietf-rmcat-gcc-02 §5.2), since what a pacer or a radio link bundles says nothing about queues.
/// </summary>
internal sealed class PacketGroups
{
    private static readonly TimeSpan s_burst = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_longestBurst = TimeSpan.FromMilliseconds(100);

    /// <summary>Groups that arrive before the one ahead of them, one after the other, until the comparison begins anew.</summary>
    private const int ReorderedUntilReset = 3;

    private Group _current;
    private Group _previous;
    private int _reordered;

    /// <summary>Takes a packet that arrived.</summary>
    /// <param name="sentAt">When it was sent.</param>
    /// <param name="arrival">When it arrived, on the receiver's clock.</param>
    /// <param name="sendDelta">Between the last two whole groups.</param>
    /// <param name="arrivalDelta">The same on the receiver's clock.</param>
    /// <returns>True if the packet has begun a new group and there are two whole ones.</returns>
    public bool TryCompare(MonotonicTime sentAt, TimeSpan arrival, out TimeSpan sendDelta, out TimeSpan arrivalDelta)
    {
        (sendDelta, arrivalDelta) = (default, default);
        var isCompared = false;
        if (!_current.IsSet)
        {
            _current = new Group(sentAt, sentAt, arrival, arrival, true);
            return false;
        }

        if (sentAt < _current.FirstSent)
            return false;

        if (!IsSameGroup(sentAt, arrival))
        {
            if (_previous.IsSet)
            {
                sendDelta = _current.LastSent - _previous.LastSent;
                arrivalDelta = _current.LastArrival - _previous.LastArrival;
                isCompared = arrivalDelta >= TimeSpan.Zero;
                _reordered = isCompared ? 0 : _reordered + 1;
                if (_reordered == ReorderedUntilReset)
                {
                    // The receiver's clock was set.
                    Reset();
                    return false;
                }
            }

            _previous = _current;
            _current = new Group(sentAt, sentAt, arrival, arrival, true);
            return isCompared;
        }

        _current = _current with { LastSent = sentAt > _current.LastSent ? sentAt : _current.LastSent, LastArrival = arrival };
        return false;
    }

    /// <summary>The path is another one: delays cannot be compared with those before.</summary>
    public void Reset() => (_current, _previous, _reordered) = (default, default, 0);

    private bool IsSameGroup(MonotonicTime sentAt, TimeSpan arrival)
    {
        if (sentAt - _current.FirstSent <= s_burst || sentAt == _current.LastSent)
            return true;

        // What a link held back and then let go at once arrives closer together than it was sent.
        var arrivalDelta = arrival - _current.LastArrival;
        return arrivalDelta < sentAt - _current.LastSent && arrivalDelta <= s_burst && arrival - _current.FirstArrival < s_longestBurst;
    }

    private readonly record struct Group(MonotonicTime FirstSent, MonotonicTime LastSent, TimeSpan FirstArrival, TimeSpan LastArrival, bool IsSet);
}
