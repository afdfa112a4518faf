using Agent.Rtc.Ice;
using Agent.Rtc.Stun;
using Agent.Rtc.Tests.Ice;
using Agent.Rtc.Tests.Network;
using Agent.Rtc.Turn;

namespace Agent.Rtc.Tests.Turn;

/// <summary>The client's life with a server in virtual time, over networks that lose, double and reorder.</summary>
public sealed class TurnClientTests
{
    private const string ClientAddress = "10.0.0.2:8443";
    private const string PeerAddress = "198.51.100.9:5000";
    private const int Seeds = 25;
    private static readonly TransportAddress Server = IceNode.Parse("203.0.113.1:3478");
    private static readonly TransportAddress Relayed = IceNode.Parse("203.0.113.1:50000");
    private static readonly byte[] Check = [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    private static readonly byte[] Media = [0x80, 96, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 42];

    [Fact]
    public void It_allocates_and_relays_both_ways_over_a_lossy_network()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var (network, server, node, peer) = Create(seed, Lossy);
            Assert.True(network.RunUntil(() => node.Client.State == TurnState.Allocated, TimeSpan.FromSeconds(40)), $"seed {seed}: {node.Client.Failure}");
            Assert.Equal((Relayed, node.Addresses[0]), (node.Client.RelayedIPv4, node.Client.MappedAddress));
            Assert.Equal(1, server.Allocations);

            Assert.True(RunSending(network, node, peer, Media, () => node.Received.Count >= 20), $"seed {seed}");
            Assert.All(node.Received, one => Assert.Equal((peer.Addresses[0], Convert.ToHexString(Media)), (one.Peer, Convert.ToHexString(one.Data))));
            Assert.All(peer.Received, one => Assert.Equal(Media, one));
        }
    }

    [Fact]
    public void The_first_datagram_waits_for_the_permission_and_is_not_lost()
    {
        var (network, server, node, peer) = Allocate(1);
        node.Send(Check, peer.Addresses[0]);
        network.Run(TimeSpan.FromMilliseconds(200));
        Assert.Equal(Check, Assert.Single(peer.Received));
        Assert.Equal(Check, Assert.Single(node.Received).Data);
        Assert.Equal((1, 0), (server.SendIndications, server.ChannelDatagrams));
    }

    [Fact]
    public void Data_takes_a_channel_and_checks_do_not()
    {
        var (network, server, node, peer) = Allocate(2);
        for (var i = 0; i < 5; i++)
        {
            node.Send(Check, peer.Addresses[0]);
            network.Run(TimeSpan.FromMilliseconds(200));
        }

        Assert.Equal((5, 0), (server.SendIndications, server.ChannelDatagrams));
        node.Send(Media, peer.Addresses[0]);
        network.Run(TimeSpan.FromMilliseconds(200));
        node.Send(Media, peer.Addresses[0]);
        node.Send(Check, peer.Addresses[0]);
        network.Run(TimeSpan.FromMilliseconds(200));
        Assert.Equal((6, 2), (server.SendIndications, server.ChannelDatagrams));
        Assert.Equal(8, node.Received.Count);
    }

    [Fact]
    public void Allocation_permission_and_channel_outlast_their_lifetimes_while_they_are_used_with_a_nonce_that_goes_stale()
    {
        var (network, server, node, peer) = Allocate(3, s => s.NonceLifetime = TimeSpan.FromSeconds(37));
        for (var minute = 0; minute < 35; minute++)
        {
            for (var i = 0; i < 10; i++)
            {
                node.Send(Media, peer.Addresses[0]);
                network.Run(TimeSpan.FromSeconds(6));
            }
        }

        Assert.Equal(350, node.Received.Count);
        Assert.Equal(0, node.Client.DatagramsDropped);
        Assert.Equal(TurnState.Allocated, node.Client.State);
        Assert.True(server.StaleNonces > 20);
        Assert.True(server.ChannelDatagrams > 345);
    }

    [Fact]
    public void What_is_not_used_is_not_renewed_and_a_peer_that_comes_back_is_bound_anew()
    {
        var (network, server, node, peer) = Allocate(4);
        node.Send(Media, peer.Addresses[0]);
        network.Run(TimeSpan.FromMinutes(1));
        var requests = server.Requests;
        network.Run(TimeSpan.FromMinutes(30));
        Assert.Equal(30 * 60 / 25, server.Requests - requests, tolerance: 1); // Refresh only
        for (var i = 0; i < 3; i++)
        {
            node.Send(Media, peer.Addresses[0]); // the first waits for the permission, the second asks for a channel
            network.Run(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(4, node.Received.Count);
        Assert.Equal(1, server.ChannelDatagrams);
    }

    [Fact]
    public void A_restarted_server_is_noticed_within_half_a_minute()
    {
        var (network, server, node, _) = Allocate(5);
        server.Restart();
        Assert.True(network.RunUntil(() => node.Client.State == TurnState.Failed, TimeSpan.FromSeconds(30)));
        Assert.Contains("(437)", node.Client.Failure);
    }

    [Fact]
    public void When_the_way_may_be_another_one_the_server_is_asked_at_once_whether_it_knows_the_allocation()
    {
        var (network, server, node, _) = Allocate(7);
        var requests = server.Requests;
        node.Client.AskAgain();
        node.Client.AskAgain();
        network.Run(TimeSpan.FromSeconds(1));
        Assert.Equal((TurnState.Allocated, requests + 1), (node.Client.State, server.Requests));

        server.Restart();
        node.Client.AskAgain();
        Assert.True(network.RunUntil(() => node.Client.State == TurnState.Failed, TimeSpan.FromSeconds(1)));
        Assert.Contains("(437)", node.Client.Failure);
    }

    [Fact]
    public void A_host_that_is_wanted_is_let_in_before_anything_was_sent_to_it_and_for_as_long()
    {
        var (network, server, node, peer) = Allocate(8);
        Assert.Equal(0, Send());
        var requests = server.Requests;
        for (var i = 0; i < 3; i++) node.Client.SetWanted(peer.Addresses[0], isWanted: true, network.Now);
        Assert.Equal(1, Send());
        Assert.Equal(requests + 1, server.Requests);
        network.Run(TimeSpan.FromMinutes(30));
        Assert.Equal(2, Send());

        node.Client.SetWanted(peer.Addresses[0], isWanted: false, network.Now);
        network.Run(TimeSpan.FromMinutes(6));
        Assert.Equal(2, Send());
        requests = server.Requests;
        for (var i = 0; i < 2000; i++) node.Client.SetWanted(IceNode.Parse($"192.0.{2 + (i / 250)}.{1 + (i % 250)}:0"), isWanted: true, network.Now);
        network.Run(TimeSpan.FromSeconds(10));
        Assert.InRange(server.Requests, requests + 1000, requests + 1026);

        int Send()
        {
            peer.Send(Check, Relayed);
            network.Run(TimeSpan.FromSeconds(1));
            return node.Received.Count;
        }
    }

    [Fact]
    public void A_server_that_refuses_a_host_that_is_wanted_is_asked_once()
    {
        var (network, server, node, peer) = Allocate(9, static one => one.Denies = static _ => true);
        var requests = server.Requests;
        node.Client.SetWanted(peer.Addresses[0], isWanted: true, network.Now);
        network.Run(TimeSpan.FromSeconds(20));
        node.Client.SetWanted(peer.Addresses[0], isWanted: true, network.Now);
        network.Run(TimeSpan.FromSeconds(1));
        Assert.Equal((requests + 1, 1), (server.Requests, node.Client.PermissionsRefused));
        Assert.Equal(TurnState.Allocated, node.Client.State);
    }

    [Fact]
    public void An_allocation_of_before_a_crash_is_deleted_and_made_anew()
    {
        var (network, server, node, _) = Allocate(6);
        node.Client = new TurnClient(false, SimulatedTurnServer.UserName, SimulatedTurnServer.Password, new SeededRandomSource(99));
        Assert.True(network.RunUntil(() => node.Client.State == TurnState.Allocated, TimeSpan.FromSeconds(2)), node.Client.Failure);
        Assert.Equal(1, server.Allocations);
        Assert.NotEqual(Relayed, node.Client.RelayedIPv4);
    }

    [Theory]
    [InlineData(486, "user-quota")]
    [InlineData(508, "bandwidth")]
    [InlineData(442, "UDP")]
    [InlineData(437, "437")]
    [InlineData(440, "family")]
    [InlineData(599, "599")]
    public void An_error_is_told_in_words(int code, string words)
    {
        var (network, _, node, _) = Create(7, new NetworkConditions(), server => server.Errors[TurnFormat.Allocate] = code);
        Assert.True(network.RunUntil(() => node.Client.State == TurnState.Failed, TimeSpan.FromSeconds(3)));
        Assert.Contains(words, node.Client.Failure);
        Assert.False(node.Client.TryDequeueTransmit(new byte[1500], network.Now, out _));
    }

    [Fact]
    public void A_wrong_password_is_told_in_words_after_one_try()
    {
        var network = new SimulatedNetwork(8);
        var server = new SimulatedTurnServer(Server, Relayed, 8);
        var node = new TurnNode(ClientAddress, Server, 8, "south");
        network.Add(server);
        network.Add(node);
        Assert.True(network.RunUntil(() => node.Client.State == TurnState.Failed, TimeSpan.FromSeconds(3)));
        Assert.Contains("(401)", node.Client.Failure);
        Assert.Equal(2, server.Requests);
    }

    [Fact]
    public void A_server_that_sends_elsewhere_says_where()
    {
        var (network, _, node, _) = Create(9, new NetworkConditions(), server =>
        {
            server.Errors[TurnFormat.Allocate] = StunErrorCode.TryAlternate;
            server.Alternate = IceNode.Parse("203.0.113.2:3479");
        });
        Assert.True(network.RunUntil(() => node.Client.State == TurnState.Failed, TimeSpan.FromSeconds(3)));
        Assert.Equal(IceNode.Parse("203.0.113.2:3479"), node.Client.AlternateServer);
    }

    [Fact]
    public void A_server_that_is_not_there_is_given_up_after_the_time_of_RFC_8489()
    {
        var network = new SimulatedNetwork(10);
        var node = new TurnNode(ClientAddress, Server, 10);
        network.Add(node);
        var start = network.Now;
        Assert.True(network.RunUntil(() => node.Client.State == TurnState.Failed, TimeSpan.FromMinutes(1)));
        Assert.Equal(39.5, (network.Now - start).TotalSeconds, tolerance: 0.01);
        Assert.Equal(7, network.Sent);
        Assert.Contains("does not answer", node.Client.Failure);
    }

    [Fact]
    public void A_stale_nonce_without_end_is_a_failure()
    {
        var (network, server, node, _) = Create(11, new NetworkConditions(), s => s.NonceLifetime = TimeSpan.FromTicks(1));
        Assert.True(network.RunUntil(() => node.Client.State == TurnState.Failed, TimeSpan.FromSeconds(3)));
        Assert.Contains("(438)", node.Client.Failure);
        Assert.True(server.Requests < 10);
    }

    [Fact]
    public void A_peer_that_the_server_forbids_harms_no_other()
    {
        var (network, server, node, peer) = Allocate(12, s => s.Denies = address => address.ToString().StartsWith("192.168.", StringComparison.Ordinal));
        var forbidden = IceNode.Parse("192.168.0.9:1");
        for (var i = 0; i < 50; i++)
        {
            node.Send(Check, forbidden);
            node.Send(Check, peer.Addresses[0]);
            network.Run(TimeSpan.FromMilliseconds(500));
        }

        Assert.Equal(50, node.Received.Count);
        Assert.Equal(1, node.Client.PermissionsRefused);
        Assert.Equal(50, node.Client.DatagramsDropped);
        Assert.True(server.Requests < 8, $"{server.Requests}");
    }

    [Fact]
    public void Closing_gives_the_allocation_back()
    {
        var (network, server, node, peer) = Allocate(13);
        node.Client.Close();
        node.Send(Media, peer.Addresses[0]);
        network.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(0, server.Allocations);
        Assert.Empty(peer.Received);
        Assert.Equal(MonotonicTime.Never, node.Client.NextTimeout);
    }

    [Fact]
    public void Thousands_of_peers_get_no_more_than_the_caps_and_come_to_no_harm()
    {
        var (network, server, node, _) = Allocate(14);
        for (var i = 0; i < 3000; i++)
        {
            node.Send(Media, IceNode.Parse($"198.51.{100 + (i / 250)}.{1 + (i % 250)}:7"));
        }

        network.Run(TimeSpan.FromSeconds(5));
        Assert.Equal(TurnState.Allocated, node.Client.State);
        Assert.Equal(3000 - TurnLimits.MaximumPeers, node.Client.DatagramsDropped);
        network.Run(TimeSpan.FromMinutes(20));
        Assert.Equal(1, server.Allocations);
    }

    [Fact]
    public void Forged_messages_change_nothing()
    {
        var (network, _, node, peer) = Allocate(15);
        var relayedBefore = node.Client.RelayedIPv4;
        var random = new SeededRandomSource(15);
        var buffer = new byte[1500];
        foreach (ushort method in new[] { TurnFormat.Allocate, TurnFormat.Refresh, TurnFormat.CreatePermission, TurnFormat.ChannelBind })
        {
            var writer = new StunMessageWriter(buffer, method, StunClass.ErrorResponse, StunTransactionId.Create(random));
            writer.WriteErrorCode(StunErrorCode.AllocationMismatch, "No");
            Assert.False(node.Client.HandleMessage(buffer.AsSpan(0, writer.Length), network.Now, out _));
        }

        Assert.False(node.Client.HandleMessage([0x40, 0, 0, 4, 1, 2, 3, 4], network.Now, out _)); // a channel that nobody has bound
        node.Send(Media, peer.Addresses[0]);
        network.Run(TimeSpan.FromSeconds(1));
        Assert.Single(node.Received);
        Assert.Equal((TurnState.Allocated, relayedBefore), (node.Client.State, node.Client.RelayedIPv4));
    }

    [Fact]
    public void Wrapping_allocates_nothing_once_the_channel_is_bound()
    {
        var (network, _, node, peer) = Allocate(16);
        for (var i = 0; i < 2; i++)
        {
            node.Send(Media, peer.Addresses[0]);
            network.Run(TimeSpan.FromSeconds(1));
        }

        var buffer = new byte[1536];
        Assert.Equal(1204, node.Client.Wrap(buffer, 1200, peer.Addresses[0], network.Now));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            node.Client.Wrap(buffer, 1200, peer.Addresses[0], network.Now);
            node.Client.HandleMessage(buffer.AsSpan(0, 1204), network.Now, out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Two_agents_that_can_only_be_reached_through_the_relay_connect()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var (network, _, node, _) = Create(seed, Lossy);
            network.Add(new SimulatedNat("203.0.113.7", NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent, "10.0.0.2"));
            network.Add(new SimulatedNat("198.51.100.7", NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent, "10.1.0.2"));
            var browser = new IceNode(IceRole.Controlling, 500 + seed, "10.1.0.2:5000");
            network.Add(browser);
            Assert.True(network.RunUntil(() => node.Client.State == TurnState.Allocated, TimeSpan.FromSeconds(40)));

            var random = new SeededRandomSource(700 + seed);
            var relayed = IceCandidate.CreateRelayed(node.Client.RelayedIPv4, Server, 1);
            node.Ice = new IceAgent(IceRole.Controlled, IceCredentials.Create(random), random);
            node.Ice.SetRemoteCredentials(browser.Agent.LocalCredentials);
            node.Ice.AddLocalCandidate(relayed, network.Now);

            // What a viewer's STUN server has told: its NAT has another port for the relay, whose permission is for the address (RFC 8656 §9).
            node.Ice.AddRemoteCandidate(IceCandidate.CreateServerReflexive(IceNode.Parse("198.51.100.7:40000"), browser.Addresses[0], default, 1), network.Now);
            browser.Agent.SetRemoteCredentials(node.Ice.LocalCredentials);
            browser.AddLocalCandidates(network.Now);
            browser.Agent.AddRemoteCandidate(relayed, network.Now);
            Assert.True(network.RunUntil(() => browser.IsConnected && node.Ice.State == IceConnectionState.Connected, TimeSpan.FromSeconds(20)), $"seed {seed}");
            Assert.Equal((IceCandidateType.Relayed, relayed.Address), (node.Ice.SelectedPair!.LocalType, node.Ice.SelectedPair.Local));
            Assert.Equal(IceCandidateType.PeerReflexive, node.Ice.SelectedPair.RemoteType);
        }
    }

    private static NetworkConditions Lossy => new() { Jitter = TimeSpan.FromMilliseconds(30), Loss = 0.15, Duplication = 0.05, Reordering = 0.05 };

    private static (SimulatedNetwork Network, SimulatedTurnServer Server, TurnNode Node, EchoNode Peer) Create(
        int seed, NetworkConditions conditions, Action<SimulatedTurnServer>? configure = null)
    {
        var network = new SimulatedNetwork(seed, conditions);
        var server = new SimulatedTurnServer(Server, Relayed, 100 + seed);
        configure?.Invoke(server);
        var node = new TurnNode(ClientAddress, Server, 200 + seed);
        var peer = new EchoNode(PeerAddress);
        network.Add(server);
        network.Add(node);
        network.Add(peer);
        return (network, server, node, peer);
    }

    private static (SimulatedNetwork Network, SimulatedTurnServer Server, TurnNode Node, EchoNode Peer) Allocate(
        int seed, Action<SimulatedTurnServer>? configure = null)
    {
        var all = Create(seed, new NetworkConditions(), configure);
        Assert.True(all.Network.RunUntil(() => all.Node.Client.State == TurnState.Allocated, TimeSpan.FromSeconds(2)), all.Node.Client.Failure);
        return all;
    }

    private static bool RunSending(SimulatedNetwork network, TurnNode node, EchoNode peer, byte[] data, Func<bool> isDone)
    {
        for (var i = 0; i < 500 && !isDone(); i++)
        {
            node.Send(data, peer.Addresses[0]);
            network.Run(TimeSpan.FromMilliseconds(100));
        }

        return isDone();
    }
}
