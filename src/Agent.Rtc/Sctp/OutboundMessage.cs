using System.Buffers;

namespace Agent.Rtc.Sctp;

/// <summary>How hard delivery is tried (RFC 3758, RFC 7496); <c>default</c> is reliable and ordered.</summary>
/// <param name="IsUnordered">It may overtake what was sent before.</param>
/// <param name="MaximumRetransmissions">It is given up after so many, none for as long as it takes.</param>
/// <param name="Lifetime">It is given up so long after it was sent, none for as long as it takes.</param>
public readonly record struct SctpReliability(bool IsUnordered, ushort? MaximumRetransmissions = null, TimeSpan? Lifetime = null);

/// <summary>A message on its way out: its bytes live until the last fragment is acknowledged or given up. Pooled by the sender.</summary>
internal sealed class OutboundMessage
{
    public byte[] Buffer { get; private set; } = [];

    public int Length { get; private set; }

    public ushort Stream { get; private set; }

    public ushort Ssn { get; set; }

    public uint Ppid { get; private set; }

    public bool IsUnordered { get; private set; }

    public int MaximumTransmissions { get; private set; }

    public MonotonicTime ExpiresAt { get; private set; }

    /// <summary>Bytes that have a TSN.</summary>
    public int Sent { get; set; }

    /// <summary>Fragments that have a TSN and are neither acknowledged nor given up for good.</summary>
    public int Outstanding { get; set; }

    public bool IsAbandoned { get; set; }

    public void Set(ushort stream, uint ppid, ReadOnlySpan<byte> data, in SctpReliability reliability, MonotonicTime now)
    {
        Buffer = ArrayPool<byte>.Shared.Rent(data.Length);
        data.CopyTo(Buffer);
        (Length, Stream, Ppid, IsUnordered) = (data.Length, stream, ppid, reliability.IsUnordered);
        MaximumTransmissions = reliability.MaximumRetransmissions is { } retransmissions ? retransmissions + 1 : int.MaxValue;
        ExpiresAt = reliability.Lifetime is { } lifetime ? now + lifetime : MonotonicTime.Never;
        (Sent, Outstanding, IsAbandoned) = (0, 0, false);
    }

    public void Release()
    {
        ArrayPool<byte>.Shared.Return(Buffer);
        Buffer = [];
    }
}
