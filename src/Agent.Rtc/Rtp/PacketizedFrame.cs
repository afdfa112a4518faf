namespace Agent.Rtc.Rtp;

/// <summary>
/// The RTP payloads of one access unit, made once and shared by all viewers and their retransmission histories: pooled and
/// reference-counted. Immutable once built.
/// </summary>
public sealed class PacketizedFrame
{
    /// <summary>Packets that a frame has room for before its first growth; most inter frames need fewer.</summary>
    private const int InitialPackets = 16;

    private readonly PacketizedFramePool _pool;
    private readonly byte[] _bytes;
    private int[] _ends = new int[InitialPackets];
    private int _references;

    internal PacketizedFrame(PacketizedFramePool pool, int capacity)
    {
        _pool = pool;
        _bytes = new byte[capacity];
    }

    /// <summary>RTP timestamp before the viewer's random offset, 90 kHz (RFC 6184 §8.1).</summary>
    public uint RtpTimestamp { get; private set; }

    /// <summary>When the picture was captured.</summary>
    public MonotonicTime CapturedAt { get; private set; }

    /// <summary>True if the frame holds an IDR picture, with its parameter sets if the stream has shown any.</summary>
    public bool IsKeyFrame { get; private set; }

    public int PacketCount { get; private set; }

    /// <summary>All payload bytes together.</summary>
    public int TotalBytes { get; private set; }

    internal int Capacity => _bytes.Length;

    /// <summary>The RTP payload of one packet; the last has the marker bit.</summary>
    public ReadOnlySpan<byte> GetPayload(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)PacketCount);
        var start = index == 0 ? 0 : _ends[index - 1];
        return _bytes.AsSpan(start, _ends[index] - start);
    }

    /// <summary>Takes one more reference; only somebody who holds one may.</summary>
    public void AddReference()
    {
        if (Interlocked.Increment(ref _references) <= 1)
            throw new InvalidOperationException("A packetized frame was referenced after its last release.");
    }

    /// <summary>Drops one reference; the last returns the frame to its pool.</summary>
    public void Release()
    {
        var left = Interlocked.Decrement(ref _references);
        if (left == 0)
            _pool.Return(this);
        else if (left < 0)
            throw new InvalidOperationException("A packetized frame was released more often than it was referenced.");
    }

    /// <summary>Makes a frame out of the pool an empty one with one reference.</summary>
    internal void Reset(uint rtpTimestamp, MonotonicTime capturedAt, bool isKeyFrame)
    {
        RtpTimestamp = rtpTimestamp;
        CapturedAt = capturedAt;
        IsKeyFrame = isKeyFrame;
        PacketCount = 0;
        TotalBytes = 0;
        Volatile.Write(ref _references, 1);
    }

    /// <summary>Adds a packet; the packetizer fills in its payload before it shares the frame.</summary>
    internal Span<byte> AddPacket(int length)
    {
        if (PacketCount == _ends.Length)
            Array.Resize(ref _ends, _ends.Length * 2);

        var payload = _bytes.AsSpan(TotalBytes, length);
        TotalBytes += length;
        _ends[PacketCount++] = TotalBytes;
        return payload;
    }
}
