namespace Agent.Rtc.Congestion;

/// <summary>The packets of one session that feedback may still be about, by transport-wide sequence number, extended to 64 bits.</summary>
internal sealed class SentPackets
{
    /// <summary>A power of two: 0.7 s at 32 Mbit/s, more than a feedback interval and a round trip. Older ones are forgotten.</summary>
    public const int Capacity = 2048;

    private readonly SentPacket[] _packets = new SentPacket[Capacity];

    /// <summary>Number of the next packet.</summary>
    public long Next { get; private set; }

    public void Add(int bytes, MonotonicTime now, byte cluster) =>
        _packets[Next++ & (Capacity - 1)] = new SentPacket { SentAt = now, Bytes = (ushort)Math.Min(bytes, ushort.MaxValue), Cluster = cluster };

    /// <summary>Extends a number of feedback to the newest packet sent under it.</summary>
    public long Extend(ushort sequence) => Next - 1 - (ushort)((ushort)(Next - 1) - sequence);

    public bool IsKnown(long sequence) => sequence >= 0 && sequence < Next && Next - sequence <= Capacity;

    /// <summary>One that <see cref="IsKnown"/>.</summary>
    public ref SentPacket At(long sequence) => ref _packets[sequence & (Capacity - 1)];
}

internal struct SentPacket
{
    public MonotonicTime SentAt;
    public ushort Bytes;

    /// <summary>The probe that it belongs to; 0 for none.</summary>
    public byte Cluster;
    public PacketFate Fate;
}

internal enum PacketFate : byte
{
    Unknown,
    Lost,
    Received,
}
