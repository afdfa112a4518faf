namespace Agent.Rtc.Tests.Network;

/// <summary>A host on a <see cref="SimulatedNetwork"/>: a sans-IO core with its addresses.</summary>
internal abstract class SimulatedNode(params TransportAddress[] addresses)
{
    /// <summary>Where datagrams reach this node. A transmit that leaves the source open takes the first of the family.</summary>
    public List<TransportAddress> Addresses { get; } = [.. addresses];

    public abstract MonotonicTime NextTimeout { get; }

    public abstract void HandleTimeout(MonotonicTime now);

    /// <summary>The datagram may be changed in place.</summary>
    public abstract void HandleDatagram(Span<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now);

    public abstract bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, out Transmit transmit);
}
