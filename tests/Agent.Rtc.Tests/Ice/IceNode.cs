using Agent.Rtc.Ice;
using Agent.Rtc.Tests.Network;

namespace Agent.Rtc.Tests.Ice;

/// <summary>An <see cref="IceAgent"/> on a simulated network.</summary>
internal sealed class IceNode : SimulatedNode
{
    public IceNode(IceRole role, int seed, params string[] addresses)
        : base([.. addresses.Select(Parse)])
    {
        Random = new SeededRandomSource(seed);
        Agent = new IceAgent(role, IceCredentials.Create(Random), Random);
    }

    public SeededRandomSource Random { get; }

    public IceAgent Agent { get; }

    public bool IsConnected => Agent.State == IceConnectionState.Connected;

    public override MonotonicTime NextTimeout => Agent.NextTimeout;

    /// <summary>"192.0.2.1:1", "[fe80::1%2]:1", or with "/tcp" behind.</summary>
    public static TransportAddress Parse(string text)
    {
        if (text.EndsWith("/tcp", StringComparison.Ordinal))
        {
            return Parse(text[..^"/tcp".Length]).WithProtocol(TransportProtocol.Tcp);
        }

        var colon = text.LastIndexOf(':');
        var host = text[..colon].Trim('[', ']');
        Assert.True(TransportAddress.TryParse(host, ushort.Parse(text[(colon + 1)..]), out var address));
        return address;
    }

    public List<IceCandidate> Candidates() =>
        [.. Addresses.Select((address, index) => IceCandidate.CreateHost(address, (ushort)(IcePriority.HighestLocalPreference - index)))];

    public void AddLocalCandidates(MonotonicTime now) => Candidates().ForEach(candidate => Agent.AddLocalCandidate(candidate, now));

    public void AddRemoteCandidates(IceNode peer, MonotonicTime now) => peer.Candidates().ForEach(candidate => Agent.AddRemoteCandidate(candidate, now));

    /// <summary>What a full exchange of offer and answer gives to this side.</summary>
    public void Signal(IceNode peer, MonotonicTime now)
    {
        Agent.SetRemoteCredentials(peer.Agent.LocalCredentials);
        AddLocalCandidates(now);
        AddRemoteCandidates(peer, now);
        Agent.SetRemoteEndOfCandidates();
    }

    public override void HandleTimeout(MonotonicTime now) => Agent.HandleTimeout(now);

    public override void HandleDatagram(Span<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now) =>
        Agent.HandleDatagram(datagram, local, remote, now);

    public override bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, out Transmit transmit) =>
        Agent.TryDequeueTransmit(buffer, out transmit);
}
