namespace Agent.Rtc.Rtp;

/// <summary>
/// The frames of one viewer in one ring: those sent, kept for retransmission; the one being sent; those queued. A frame changes from
/// one to the next by an index that moves, and its packets have consecutive sequence numbers, so nothing is kept per packet. Each frame
/// in it holds one reference. Sequence numbers are extended here: 64 bits without wraparound.
/// </summary>
internal sealed class RtpSendBuffer
{
    /// <summary>
    /// How long a frame sent can be asked for again while the round trip is unknown: a few of a bad link's. Receivers give up on a picture
    /// after about as long.
    /// </summary>
    public static readonly TimeSpan DefaultHistory = TimeSpan.FromMilliseconds(1500);

    /// <summary>Frames that may wait; four seconds at 30 per second, so that age is what usually limits.</summary>
    public const int MaximumQueuedFrames = 128;

    /// <summary>Payload bytes that may wait: one second at 16 Mbit/s. A single larger frame may.</summary>
    public const int MaximumQueuedBytes = 2 << 20;

    /// <summary>A frame that has waited longer is of no use to somebody who watches live.</summary>
    public static readonly TimeSpan MaximumQueueAge = TimeSpan.FromSeconds(1);

    /// <summary>Slots: the queue, and two seconds of history at 60 frames per second; a power of two.</summary>
    private const int Slots = 256;

    /// <summary>
    /// The other layer's encoder may be at an earlier picture when a viewer is moved to it: that far behind, timestamps are moved on. A larger step
    /// back is another clock. 90 kHz.
    /// </summary>
    private const int MostBehind = 2 * 90_000;

    /// <summary>A millisecond, less than the shortest time between two pictures.</summary>
    private const int SmallestStep = 90;

    private readonly Slot[] _slots = new Slot[Slots];
    private uint? _newestTimestamp;
    private long _oldest;
    private long _sending;
    private long _end;
    private int _nextPacket;
    private int _queuedBytes;

    public RtpSendBuffer(long firstSequence) => NextSequence = firstSequence;

    /// <summary>The sequence number of the next packet.</summary>
    public long NextSequence { get; private set; }

    public bool HasQueued => _sending < _end;

    /// <summary>Payload bytes of the frames that wait, the one being sent as a whole.</summary>
    public int QueuedBytes => _queuedBytes;

    /// <summary>True if another frame of that size would break a bound of the queue.</summary>
    public bool IsFull(int bytes, MonotonicTime now) =>
        HasQueued
        && (_end - _sending >= MaximumQueuedFrames || _queuedBytes + bytes > MaximumQueuedBytes || now - At(_sending).Time > MaximumQueueAge);

    /// <summary>Takes a reference to a frame with at least one packet.</summary>
    public void Enqueue(PacketizedFrame frame, MonotonicTime now)
    {
        if (_end - _oldest == Slots)
            ReleaseOldest();

        frame.AddReference();
        // Receivers take packets of one timestamp for one picture, and those of an earlier one for late.
        var timestamp = _newestTimestamp is { } newest && (int)(newest - frame.RtpTimestamp) is >= 0 and < MostBehind ? newest + SmallestStep : frame.RtpTimestamp;
        _newestTimestamp = timestamp;
        At(_end++) = new Slot { Frame = frame, PacketCount = frame.PacketCount, Time = now, RtpTimestamp = timestamp };
        _queuedBytes += frame.TotalBytes;
    }

    /// <summary>Drops the queued frames of which nothing was sent yet; the rest of one that was begun still goes out.</summary>
    /// <returns>How many.</returns>
    public int DropQueued()
    {
        var keep = _nextPacket > 0 ? _sending + 1 : _sending;
        var dropped = (int)(_end - keep);
        while (_end > keep)
        {
            ref var slot = ref At(--_end);
            _queuedBytes -= slot.Frame!.TotalBytes;
            Release(ref slot);
        }

        return dropped;
    }

    /// <summary>Drops the queued frames, and the rest of the one that was begun with them.</summary>
    /// <returns>How many.</returns>
    public int DropAll()
    {
        var dropped = DropQueued();
        if (_nextPacket == 0)
            return dropped;

        ref var slot = ref At(_sending++);
        _queuedBytes -= slot.Frame!.TotalBytes;
        slot.PacketCount = _nextPacket;
        _nextPacket = 0;
        return dropped + 1;
    }

    /// <summary>Takes the next packet in order, and gives it <see cref="NextSequence"/>.</summary>
    public bool TryTake(MonotonicTime now, out RtpSendItem item)
    {
        item = default;
        if (!HasQueued)
            return false;

        ref var slot = ref At(_sending);
        if (_nextPacket == 0)
        {
            slot.FirstSequence = NextSequence;
            slot.Time = now;
        }

        item = new RtpSendItem(slot.Frame!, _nextPacket++, NextSequence++, slot.RtpTimestamp);
        if (item.IsLast)
        {
            _queuedBytes -= item.Frame.TotalBytes;
            _nextPacket = 0;
            _sending++;
        }

        return true;
    }

    /// <summary>Finds a packet sent earlier; false if it was never sent or has left the history.</summary>
    public bool TryFind(long sequence, out RtpSendItem item)
    {
        item = default;
        var low = _oldest;
        var high = _nextPacket > 0 ? _sending : _sending - 1;
        while (low <= high)
        {
            var middle = low + (high - low) / 2;
            ref var slot = ref At(middle);
            if (sequence < slot.FirstSequence)
                high = middle - 1;
            else if (sequence >= slot.FirstSequence + slot.PacketCount)
                low = middle + 1;
            else
                item = new RtpSendItem(slot.Frame!, (int)(sequence - slot.FirstSequence), sequence, slot.RtpTimestamp);

            if (item.Frame is not null)
                return sequence < NextSequence;
        }

        return false;
    }

    /// <summary>Releases frames that were sent longer ago than that.</summary>
    public void Trim(MonotonicTime now, TimeSpan history)
    {
        while (_oldest < _sending && now - At(_oldest).Time > history)
            ReleaseOldest();
    }

    /// <summary>Releases everything.</summary>
    public void Clear()
    {
        while (_oldest < _end)
            ReleaseOldest();

        _sending = _end;
        _nextPacket = 0;
        _queuedBytes = 0;
    }

    private void ReleaseOldest() => Release(ref At(_oldest++));

    private static void Release(ref Slot slot)
    {
        slot.Frame!.Release();
        slot = default;
    }

    private ref Slot At(long position) => ref _slots[position & (Slots - 1)];

    private struct Slot
    {
        public PacketizedFrame? Frame;
        public long FirstSequence;
        public uint RtpTimestamp;

        /// <summary>Of its packets, those that are or will be sent.</summary>
        public int PacketCount;

        /// <summary>When the frame was queued, and once it is being sent, when that began.</summary>
        public MonotonicTime Time;
    }
}

/// <summary>One packet of a frame under its sequence number, with a timestamp that is later than the last one's.</summary>
internal readonly record struct RtpSendItem(PacketizedFrame Frame, int PacketIndex, long Sequence, uint RtpTimestamp)
{
    public bool IsLast => PacketIndex == Frame.PacketCount - 1;
}
