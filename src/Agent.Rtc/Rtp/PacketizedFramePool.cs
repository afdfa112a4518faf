using System.Numerics;

namespace Agent.Rtc.Rtp;

/// <summary>
/// Idle frames by size class, so that a small frame does not sit on the buffer of an IDR. Frames come back on any thread.
/// </summary>
internal sealed class PacketizedFramePool
{
    /// <summary>Smallest buffer: 2^12 bytes.</summary>
    private const int SmallestClass = 12;
    private const int ClassCount = 32 - SmallestClass;

    /// <summary>
    /// Bytes that idle frames may hold. More than a second of history at 16 Mbit/s comes back when the last viewer leaves; what
    /// exceeds the bound is left to the garbage collector.
    /// </summary>
    private const int MaximumIdleBytes = 8 << 20;

    private readonly Lock _lock = new();
    private readonly Stack<PacketizedFrame>[] _idle = new Stack<PacketizedFrame>[ClassCount];
    private int _idleBytes;

    public PacketizedFramePool()
    {
        for (var i = 0; i < _idle.Length; i++)
            _idle[i] = new Stack<PacketizedFrame>();
    }

    /// <summary>Takes or makes a frame that holds at least that many payload bytes.</summary>
    public PacketizedFrame Rent(int capacity)
    {
        var sizeClass = GetClass(capacity);
        lock (_lock)
        {
            if (_idle[sizeClass].TryPop(out var frame))
            {
                _idleBytes -= frame.Capacity;
                return frame;
            }
        }

        return new PacketizedFrame(this, 1 << (sizeClass + SmallestClass));
    }

    public void Return(PacketizedFrame frame)
    {
        lock (_lock)
        {
            if (_idleBytes + frame.Capacity > MaximumIdleBytes)
                return;

            _idleBytes += frame.Capacity;
            _idle[GetClass(frame.Capacity)].Push(frame);
        }
    }

    private static int GetClass(int capacity) =>
        Math.Max(0, BitOperations.Log2((uint)Math.Max(1, capacity - 1)) + 1 - SmallestClass);
}
