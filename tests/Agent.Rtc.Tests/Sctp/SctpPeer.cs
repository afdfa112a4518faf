using Agent.Rtc.Sctp;
using Agent.Rtc.Tests.Network;

namespace Agent.Rtc.Tests.Sctp;

/// <summary>An association as a host of the simulated network, with all that it is told.</summary>
internal sealed class SctpPeer : SimulatedNode, ISctpHandler
{
    private readonly TransportAddress _remote;

    internal SctpPeer(IRandomSource random, TransportAddress own, TransportAddress remote)
        : base(own)
    {
        _remote = remote;
        Association = new SctpAssociation(5000, 5000, this, random);
    }

    internal SctpAssociation Association { get; }

    internal List<(ushort Stream, uint Ppid, byte[] Data)> Messages { get; } = [];

    internal List<ushort> IncomingResets { get; } = [];

    internal List<ushort> OutgoingResets { get; } = [];

    internal bool WasEstablished { get; private set; }

    internal string? Closed { get; private set; }

    internal int PacketsSent { get; private set; }

    public override MonotonicTime NextTimeout => Association.NextTimeout;

    public override void HandleTimeout(MonotonicTime now) => Association.HandleTimeout(now);

    public override void HandleDatagram(Span<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now) =>
        Association.HandlePacket(datagram, now);

    public override bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, out Transmit transmit)
    {
        var any = Association.TryWritePacket(buffer, now, out var length);
        PacketsSent += any ? 1 : 0;
        transmit = new Transmit(length, Addresses[0], _remote);
        return any;
    }

    public void OnMessage(ushort stream, uint ppid, ReadOnlySpan<byte> message) => Messages.Add((stream, ppid, message.ToArray()));

    public void OnEstablished() => WasEstablished = true;

    public void OnIncomingReset(ushort stream) => IncomingResets.Add(stream);

    public void OnOutgoingReset(ushort stream) => OutgoingResets.Add(stream);

    public void OnClosed(string reason) => Closed = reason;
}

/// <summary>Two associations on a network.</summary>
internal sealed class SctpPair
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    internal SctpPair(int seed = 1, NetworkConditions? conditions = null, IRandomSource? random = null)
    {
        Network = new SimulatedNetwork(seed, conditions);
        var (a, b) = (PeerSessionScenario.Address("192.0.2.1", 8443), PeerSessionScenario.Address("192.0.2.2", 50000));
        A = new SctpPeer(random ?? new SeededRandomSource(seed + 100), a, b);
        B = new SctpPeer(random ?? new SeededRandomSource(seed + 200), b, a);
        Network.Add(A);
        Network.Add(B);
    }

    internal SimulatedNetwork Network { get; }

    internal SctpPeer A { get; }

    internal SctpPeer B { get; }

    internal MonotonicTime Now => Network.Now;

    internal SctpPair Connect()
    {
        A.Association.Start(Now);
        B.Association.Start(Now);
        RunUntil(() => A.WasEstablished && B.WasEstablished);
        return this;
    }

    internal void RunUntil(Func<bool> condition, TimeSpan? limit = null) =>
        Assert.True(Network.RunUntil(condition, limit ?? Patience), $"A {A.Association.State} {A.Closed}, B {B.Association.State} {B.Closed}, B has {B.Messages.Count} messages");

    internal bool TrySend(ushort stream, ReadOnlySpan<byte> data, SctpReliability reliability = default) =>
        A.Association.TrySend(stream, 51, data, reliability, Now);

    /// <summary>Sends messages from A, as fast as they are taken.</summary>
    internal void SendAll(IReadOnlyList<(ushort Stream, byte[] Data)> messages, SctpReliability reliability = default)
    {
        var end = Now + Patience;
        for (var next = 0; next < messages.Count;)
        {
            while (next < messages.Count && TrySend(messages[next].Stream, messages[next].Data, reliability)) next++;
            Assert.True(Now < end, $"only {next} were taken; {A.Closed} {B.Closed}");
            Network.Run(TimeSpan.FromMilliseconds(5));
        }
    }

    internal static byte[] Bytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
