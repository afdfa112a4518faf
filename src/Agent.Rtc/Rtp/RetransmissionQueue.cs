namespace Agent.Rtc.Rtp;

/// <summary>
/// Sequence numbers asked for again, first come first served. Requests that repeat one within a round trip are dropped, since what
/// was resent cannot have arrived yet (RFC 4585 §6.2.1); when it is full, so is the newest. All retransmissions together take no more
/// bytes than the video itself: a path that loses more is overloaded, and what is sent on top makes it worse.
/// </summary>
internal sealed class RetransmissionQueue
{
    /// <summary>Requests that may wait; more than that at once is a link that has failed, which an IDR mends better.</summary>
    public const int Capacity = 512;

    /// <summary>Bytes that may be saved up while nothing is lost: a large IDR picture, lost as a whole and once more.</summary>
    public const int MaximumCredit = 512 << 10;

    /// <summary>Packets of which the last retransmission is remembered; a power of two, about two seconds at 8 Mbit/s.</summary>
    private const int Memory = 2048;

    private readonly long[] _queue = new long[Capacity];
    private readonly Entry[] _sent = new Entry[Memory];
    private int _head;
    private int _count;
    private int _credit = MaximumCredit;

    /// <summary>Requests dropped because the queue was full or the video's own bytes were used up.</summary>
    public long Dropped { get; private set; }

    public bool HasQueued => _count > 0;

    /// <summary>Puts a request into the queue, unless it is full or the packet was resent just now.</summary>
    /// <param name="sequence">The extended sequence number.</param>
    /// <param name="now">The present.</param>
    /// <param name="holdOff">How long a repetition is ignored.</param>
    public void Add(long sequence, MonotonicTime now, TimeSpan holdOff)
    {
        ref var entry = ref _sent[sequence & (Memory - 1)];
        if (entry.Sequence == sequence && entry.IsSet && now - entry.At < holdOff)
            return;

        if (_count == Capacity)
        {
            Dropped++;
            return;
        }

        entry = new Entry(sequence, now, true);
        _queue[(_head + _count++) % Capacity] = sequence;
    }

    public bool TryTake(out long sequence)
    {
        sequence = 0;
        if (_count == 0)
            return false;

        sequence = _queue[_head];
        _head = (_head + 1) % Capacity;
        _count--;
        return true;
    }

    /// <summary>A packet of the video was sent for the first time.</summary>
    /// <param name="bytes">Its length.</param>
    /// <param name="maximum">Credit that may be saved up at most.</param>
    public void Earn(int bytes, int maximum) => _credit = Math.Min(_credit + bytes, maximum);

    /// <summary>Whether a retransmission of that many bytes may go out; otherwise it is dropped and counted.</summary>
    public bool TrySpend(int bytes)
    {
        if (bytes > _credit)
        {
            Dropped++;
            return false;
        }

        _credit -= bytes;
        return true;
    }

    public void Clear() => _count = 0;

    private readonly record struct Entry(long Sequence, MonotonicTime At, bool IsSet);
}
