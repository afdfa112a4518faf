namespace Agent.Devices.Encoders;

/// <summary>
/// Finds the capture instant of a coded picture by the timestamp that the driver copied from its frame (V4L2_BUF_FLAG_TIMESTAMP_COPY): the
/// kernel's has microseconds, the agent's a tenth of that. Used by one thread.
/// </summary>
/// <param name="capacity">Frames that may be on their way; of more, the oldest is forgotten.</param>
internal sealed class V4l2M2mCaptureTimes(int capacity)
{
    private readonly TimeSpan[] _pending = new TimeSpan[capacity];
    private int _first;

    /// <summary>Frames whose pictures have not come.</summary>
    public int Count { get; private set; }

    /// <summary>The timestamp for the kernel.</summary>
    public static long Microseconds(TimeSpan instant) => instant.Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Notes a frame that has gone in.</summary>
    public void Add(TimeSpan capturedAt)
    {
        if (Count == capacity) RemoveFirst(1);
        _pending[(_first + Count) % capacity] = capturedAt;
        Count++;
    }

    /// <summary>
    /// The instant of the frame with this timestamp. Earlier frames are forgotten with it: pictures come in order, so theirs were left out.
    /// An unknown timestamp, of a driver that copies none, stands for the oldest frame.
    /// </summary>
    public TimeSpan Take(long timestamp)
    {
        if (Count == 0) return new TimeSpan(timestamp * TimeSpan.TicksPerMicrosecond);
        var position = 0;
        while (position < Count && Microseconds(At(position)) != timestamp) position++;
        if (position == Count) position = 0;
        var instant = At(position);
        RemoveFirst(position + 1);
        return instant;
    }

    /// <summary>Forgets all. Returns how many there were.</summary>
    public int Clear()
    {
        var count = Count;
        RemoveFirst(count);
        return count;
    }

    private TimeSpan At(int position) => _pending[(_first + position) % capacity];

    private void RemoveFirst(int count)
    {
        _first = (_first + count) % capacity;
        Count -= count;
    }
}
