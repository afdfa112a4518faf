using System.Text;
using Agent.Rtc.Ice;
using Agent.Rtc.Stun;
using Agent.Rtc.Tests.Network;
using Agent.Rtc.Tests.Stun;

namespace Agent.Rtc.Tests.Ice;

/// <summary>What a hostile or broken peer may send: errors as the RFCs ask, bounded memory, and no change to a good path.</summary>
public sealed class IceAgentHostileTests
{
    private static readonly TransportAddress Viewer = IceNode.Parse("192.0.2.1:1000");

    [Fact]
    public void Requests_without_or_with_wrong_credentials_get_400_and_401_and_start_nothing()
    {
        var peer = new ScriptedPeer(IceRole.Controlled, "192.0.2.2:2000");
        var buffer = new byte[1500];
        var writer = new StunMessageWriter(buffer, StunClass.Request, StunTransactionId.Create(new SeededRandomSource(1)));
        writer.WriteFingerprint();
        Assert.False(peer.Inject(buffer.AsSpan(0, writer.Length), Viewer));
        Assert.False(peer.Check(Viewer, 1, username: "wrong:user"));
        Assert.False(peer.Check(Viewer, 1, username: peer.Agent.LocalCredentials.Ufrag));
        Assert.False(peer.Check(Viewer, 1, password: "0000000000000000000000"));

        Assert.Equal(1, peer.Responses[StunErrorCode.BadRequest]);
        Assert.Equal(3, peer.Responses[StunErrorCode.Unauthenticated]);
        Assert.Empty(peer.Agent.GetPairs());
        Assert.Equal(4, peer.Agent.DatagramsDropped);
    }

    [Theory]
    [InlineData("224.0.0.251:5353", false)]
    [InlineData("239.255.255.250:1900", false)]
    [InlineData("255.255.255.255:9", false)]
    [InlineData("0.0.0.0:9", false)]
    [InlineData("223.255.255.1:9", true)]
    public void A_candidate_that_is_no_hosts_address_is_left_out(string address, bool taken)
    {
        var peer = new ScriptedPeer(IceRole.Controlled, "192.0.2.2:2000");
        peer.Agent.AddRemoteCandidate(IceCandidate.CreateHost(IceNode.Parse(address)), peer.Now);
        Assert.Equal(taken ? 1 : 0, peer.Agent.GetPairs().Count);

        var peerIPv6 = new ScriptedPeer(IceRole.Controlled, "[2001:db8::2]:2000");
        peerIPv6.Agent.AddRemoteCandidate(IceCandidate.CreateHost(IceNode.Parse("[ff05::fb]:5353")), peerIPv6.Now);
        Assert.Empty(peerIPv6.Agent.GetPairs());
    }

    [Fact]
    public void What_is_not_authenticated_drives_no_check()
    {
        var peer = new ScriptedPeer(IceRole.Controlled, "192.0.2.2:2000") { Answers = false };
        peer.Agent.AddRemoteCandidate(IceCandidate.CreateHost(Viewer), peer.Now);
        peer.Now += IceLimits.MinimumRto;
        Assert.False(peer.Check(Viewer, 1, password: "0000000000000000000000"));
        var sent = peer.ChecksSeen;
        peer.Now += IceLimits.MinimumRto;
        Assert.False(peer.Check(Viewer, 1, password: "0000000000000000000000"));
        Assert.Equal(sent, peer.ChecksSeen);
        peer.Agent.HandleTimeout(peer.Now);
        peer.RunFor(TimeSpan.Zero);
        Assert.False(peer.Check(Viewer, 1, password: "0000000000000000000000"));
        Assert.Equal(sent + 1, peer.ChecksSeen);
    }

    [Fact]
    public void An_unknown_comprehension_required_attribute_gets_a_signed_420_that_names_it()
    {
        var peer = new ScriptedPeer(IceRole.Controlled, "192.0.2.2:2000");
        Assert.False(peer.Check(Viewer, 1, extra: (StunAttributeType)0x0042));
        Assert.Equal(1, peer.Responses[StunErrorCode.UnknownAttribute]);
        Assert.True(StunMessage.TryParse(peer.LastResponse, out var response));
        Assert.True(response.VerifyMessageIntegrity(Encoding.ASCII.GetBytes(peer.Agent.LocalCredentials.Password)));
        Assert.True(peer.LastResponse.AsSpan().IndexOf(Convert.FromHexString("000A00020042")) > 0);
        Assert.Empty(peer.Agent.GetPairs());

        Assert.True(peer.Check(Viewer, 1, extra: (StunAttributeType)0xC057)); // Comprehension-optional.
    }

    [Theory]
    [InlineData(IceRole.Controlling, true, 0ul, true)]
    [InlineData(IceRole.Controlling, true, ulong.MaxValue, false)]
    [InlineData(IceRole.Controlled, false, 0ul, false)]
    [InlineData(IceRole.Controlled, false, ulong.MaxValue, true)]
    public void A_role_conflict_gets_487_or_makes_the_agent_switch(IceRole role, bool peerControlling, ulong tieBreaker, bool error)
    {
        var peer = new ScriptedPeer(role, "192.0.2.2:2000");
        Assert.True(peer.Check(Viewer, 1, controlling: peerControlling, tieBreaker: tieBreaker));
        Assert.Equal(error ? 1 : 0, peer.Responses.GetValueOrDefault(StunErrorCode.RoleConflict));
        Assert.Equal(error, peer.Agent.Role == role);
    }

    [Fact]
    public void A_flood_of_signed_checks_from_many_addresses_stays_within_the_caps_and_the_viewer_stays_connected()
    {
        var peer = new ScriptedPeer(IceRole.Controlled, "192.0.2.2:2000");
        peer.Check(Viewer, 2_000_000, useCandidate: true);
        peer.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(Viewer, peer.SelectedRemote);

        peer.Answers = false;
        var flood = new Random(3);
        for (var i = 0; i < 5_000; i++)
        {
            peer.Check(IceNode.Parse($"203.0.113.{flood.Next(256)}:{flood.Next(1, 65536)}"), (uint)flood.Next());
        }

        var pairs = peer.Agent.GetPairs();
        Assert.InRange(pairs.Count, 1, IceLimits.MaximumRemoteCandidates);
        Assert.Equal(5_001, peer.Responses[0]);
        Assert.Equal(Viewer, peer.SelectedRemote);
        Assert.Contains(pairs, pair => pair.Remote == Viewer && pair.Nominated);
    }

    [Fact]
    public void A_flood_of_signalled_candidates_stays_within_the_caps_and_pacing()
    {
        var random = new SeededRandomSource(4);
        var agent = new IceAgent(IceRole.Controlled, IceCredentials.Create(random), random);
        var now = MonotonicTime.From(TimeSpan.FromHours(1));
        agent.SetRemoteCredentials(IceCredentials.Create(random));
        for (var i = 0; i < 100; i++)
        {
            agent.AddLocalCandidate(IceCandidate.CreateHost(IceNode.Parse($"192.0.2.{i}:2000")), now);
        }

        for (var i = 0; i < 2_000; i++)
        {
            agent.AddRemoteCandidate(IceCandidate.CreateHost(IceNode.Parse($"203.0.113.1:{i + 1}")), now);
        }

        Assert.Equal(IceLimits.MaximumPairs, agent.GetPairs().Count);
        Assert.True(agent.CandidatesRefused > 0);

        // RFC 8445 §14: no more than one check each Ta, retransmissions included, until the agent gives up.
        var buffer = new byte[1500];
        var sent = 0;
        var end = now + TimeSpan.FromSeconds(50);
        while (agent.NextTimeout <= end)
        {
            now = agent.NextTimeout > now ? agent.NextTimeout : now;
            agent.HandleTimeout(now);
            while (agent.TryDequeueTransmit(buffer, out _))
            {
                sent++;
            }
        }

        Assert.InRange(sent, 100, 50 * 20 * 2);
        Assert.Equal(0, agent.TransmitsDropped);
    }

    [Fact]
    public void Forged_and_mutated_messages_do_not_disturb_a_connected_agent()
    {
        var peer = new ScriptedPeer(IceRole.Controlled, "192.0.2.2:2000");
        peer.Check(Viewer, 2_000_000, useCandidate: true);
        peer.RunFor(TimeSpan.FromSeconds(1));
        var random = new Random(5);
        byte[][] seeds = [Rfc5769Vectors.Request, Rfc5769Vectors.IPv4Response, Rfc5769Vectors.IPv6Response];
        for (var round = 0; round < 20_000; round++)
        {
            var mutated = (byte[])seeds[round % seeds.Length].Clone();
            mutated[random.Next(mutated.Length)] ^= (byte)random.Next(256);
            Assert.False(peer.Inject(mutated, Viewer));
        }

        Assert.Equal(20_000, peer.Agent.DatagramsDropped);
        Assert.Equal(Viewer, peer.SelectedRemote);
        Assert.Single(peer.Agent.GetPairs());
    }

    [Fact]
    public void A_silent_rebinding_peer_can_always_be_followed_because_old_addresses_are_evicted()
    {
        var peer = new ScriptedPeer(IceRole.Controlled, "192.0.2.2:2000");
        for (var i = 0; i < 5 * IceLimits.MaximumRemoteCandidates; i++)
        {
            var from = Viewer.WithPort((ushort)(1000 + i));
            peer.Check(from, 1_000_000, useCandidate: true);
            peer.RunFor(IceLimits.AggressiveNominationWindow);
            peer.Check(from, 1_000_000, useCandidate: true);
            Assert.Equal(from, peer.SelectedRemote);
        }
    }

    [Fact]
    public void Steady_state_allocates_nothing()
    {
        var (network, offerer, answerer) = IceAgentConnectTests.Create(6, IceAgentConnectTests.Lossy(0), ["192.0.2.1:1000"], ["192.0.2.2:2000"]);
        offerer.Signal(answerer, network.Now);
        answerer.Signal(offerer, network.Now);
        Assert.True(network.RunUntil(() => offerer.IsConnected && answerer.IsConnected, TimeSpan.FromSeconds(1)));
        network.Run(TimeSpan.FromSeconds(10));

        var buffer = new byte[1500];
        var now = network.Now;
        var exchanges = 0;
        Exchange(TimeSpan.FromMinutes(10));
        var warm = exchanges;
        var before = GC.GetAllocatedBytesForCurrentThread();
        Exchange(TimeSpan.FromHours(2));
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(exchanges - warm > 2_500, $"{exchanges - warm} exchanges");
        Assert.True(offerer.IsConnected && answerer.IsConnected);

        void Exchange(TimeSpan duration)
        {
            var end = now + duration;
            while (now < end)
            {
                now = MonotonicTime.Min(offerer.Agent.NextTimeout, answerer.Agent.NextTimeout);
                offerer.Agent.HandleTimeout(now);
                answerer.Agent.HandleTimeout(now);
                for (var moved = true; moved;)
                {
                    moved = Move(offerer.Agent, answerer.Agent) | Move(answerer.Agent, offerer.Agent);
                }
            }
        }

        bool Move(IceAgent from, IceAgent to)
        {
            if (!from.TryDequeueTransmit(buffer, out var transmit))
            {
                return false;
            }

            exchanges++;
            StunMessage.TryReadLocalUfrag(buffer.AsSpan(0, transmit.Length), out _);
            to.HandleDatagram(buffer.AsSpan(0, transmit.Length), transmit.Remote, transmit.Local, now);
            return to.TryGetSelectedPath(out _, out _);
        }
    }
}
