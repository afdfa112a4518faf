using Agent.Rtc.Ice;

namespace Agent.Rtc.Tests.Ice;

/// <summary>Passive TCP candidates (RFC 6544): the peer connects, and its checks make the pairs.</summary>
public sealed class IceTcpTests
{
    private static readonly TransportAddress Viewer = IceNode.Parse("192.0.2.1:50000/tcp");

    private readonly ScriptedPeer _peer = new(IceRole.Controlled, "192.0.2.2:2000/tcp");

    [Fact]
    public void A_check_over_a_connection_is_answered_checked_back_and_selected()
    {
        Assert.True(_peer.Check(Viewer, 1, useCandidate: true));
        _peer.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(Viewer, _peer.SelectedRemote);
        Assert.Equal(1, _peer.ChecksSeen);
        Assert.Equal("192.0.2.1:50000/tcp", _peer.Agent.SelectedPair!.Remote.ToString());
    }

    [Fact]
    public void A_connections_peer_is_paired_with_the_address_that_it_connected_to_and_no_other()
    {
        _peer.Agent.AddLocalCandidate(IceCandidate.CreateHost(IceNode.Parse("192.0.2.3:2000/tcp")), _peer.Now);
        _peer.Check(Viewer, 1);
        _peer.Agent.AddLocalCandidate(IceCandidate.CreateHost(IceNode.Parse("192.0.2.4:2000/tcp")), _peer.Now);

        Assert.Equal(_peer.AgentAddress, Assert.Single(_peer.Agent.GetPairs()).Local);
    }

    [Fact]
    public void A_signalled_active_candidate_makes_no_pair_and_is_named_when_nobody_connects()
    {
        _peer.Agent.AddRemoteCandidate(IceCandidate.CreateHost(IceNode.Parse("192.0.2.1:9/tcp")), _peer.Now);
        _peer.Agent.SetRemoteEndOfCandidates();
        _peer.RunFor(TimeSpan.FromMinutes(1));

        Assert.Equal(0, _peer.ChecksSeen);
        Assert.Empty(_peer.Agent.GetPairs());
        Assert.Contains("No TCP connection", _peer.Agent.FailureReason, StringComparison.Ordinal);
    }

    [Fact]
    public void UDP_and_TCP_of_one_number_are_different_addresses()
    {
        _peer.Agent.AddLocalCandidate(IceCandidate.CreateHost(_peer.AgentAddress.WithProtocol(TransportProtocol.Udp)), _peer.Now);
        _peer.Agent.AddRemoteCandidate(IceCandidate.CreateHost(Viewer.WithProtocol(TransportProtocol.Udp)), _peer.Now);
        _peer.Check(Viewer, 1);

        var pairs = _peer.Agent.GetPairs();
        Assert.Equal(2, pairs.Count);
        Assert.All(pairs, pair => Assert.Equal(pair.Local.Protocol, pair.Remote.Protocol));
    }

    [Fact]
    public void Checks_over_TCP_are_not_sent_twice()
    {
        _peer.Answers = false;
        _peer.Check(Viewer, 1);
        _peer.RunFor(TimeSpan.FromSeconds(38));
        Assert.Equal(1, _peer.ChecksSeen);
        Assert.Null(Assert.Single(_peer.Agent.GetPairs()).FailureReason);

        _peer.RunFor(TimeSpan.FromSeconds(3)); // Ti = 39.5 s (RFC 8489 §6.2.2)
        Assert.Equal(1, _peer.ChecksSeen);
        Assert.NotNull(Assert.Single(_peer.Agent.GetPairs()).FailureReason);
    }

    /// <summary>RFC 6544 §4.2: whatever the kind, but for a relay, UDP is preferred; among TCP the order of types stays.</summary>
    [Fact]
    public void UDP_is_preferred_to_TCP()
    {
        static uint Udp(IceCandidateType type) => IcePriority.Compute(type, 0);
        static uint Tcp(IceCandidateType type) => IcePriority.Compute(type, IcePriority.HighestLocalPreference, TransportProtocol.Tcp);

        Assert.True(Udp(IceCandidateType.ServerReflexive) > Tcp(IceCandidateType.Host));
        Assert.True(Tcp(IceCandidateType.Host) > Tcp(IceCandidateType.PeerReflexive));
        Assert.True(Tcp(IceCandidateType.PeerReflexive) > Tcp(IceCandidateType.ServerReflexive));
        Assert.True(Tcp(IceCandidateType.ServerReflexive) > Udp(IceCandidateType.Relayed));

        // 90 * 2^24 + (4 * 2^13 + 8191) * 2^8 + 255
        Assert.Equal(1_520_435_199u, Tcp(IceCandidateType.Host));
        Assert.Equal(Tcp(IceCandidateType.PeerReflexive), IcePriority.AsPeerReflexive(Tcp(IceCandidateType.Host), TransportProtocol.Tcp));
    }
}
