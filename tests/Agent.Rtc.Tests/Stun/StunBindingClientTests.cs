using Agent.Rtc.Stun;
using Agent.Rtc.Tests.Ice;
using Agent.Rtc.Tests.Network;

namespace Agent.Rtc.Tests.Stun;

/// <summary>How the agent learns its mapped address, and keeps it.</summary>
public sealed class StunBindingClientTests
{
    private const string Host = "10.0.0.2:8443";
    private static readonly TransportAddress Server = IceNode.Parse("203.0.113.1:3478");

    [Fact]
    public void The_mapped_address_is_told_and_stays_for_hours_behind_a_router_that_forgets_after_30_seconds()
    {
        for (var seed = 0; seed < 25; seed++)
        {
            var (network, node, nat) = Create(seed, new NetworkConditions { Loss = 0.1, Jitter = TimeSpan.FromMilliseconds(30), Duplication = 0.05 });
            Assert.True(network.RunUntil(() => !node.Client.MappedAddress.IsNone, TimeSpan.FromSeconds(20)), $"seed {seed}");
            Assert.Equal((IceNode.Parse("198.51.100.7:50000"), IceNode.Parse(Host)), (node.Client.MappedAddress, node.Client.LocalAddress));
            network.Run(TimeSpan.FromMinutes(30));
            Assert.False(node.Client.MappedAddress.IsNone);
            nat.Restart();
            network.Run(TimeSpan.FromMinutes(2));
            Assert.False(node.Client.MappedAddress.IsNone);
        }
    }

    [Fact]
    public void A_server_that_is_not_there_is_asked_ever_more_seldom_and_found_when_it_comes()
    {
        var (network, node, _) = Create(1, new NetworkConditions());
        network.Blocks = static (_, _, _) => true;
        network.Run(TimeSpan.FromSeconds(39.6));
        Assert.Contains("does not answer", node.Client.Failure);
        Assert.Equal(7, network.Sent);
        network.Run(TimeSpan.FromHours(1));
        Assert.InRange(network.Sent, 7 * 10, 7 * 25); // one round takes 39.5 s and waits for five minutes at most
        network.Blocks = null;
        Assert.True(network.RunUntil(() => !node.Client.MappedAddress.IsNone, TimeSpan.FromMinutes(6)));
        Assert.Null(node.Client.Failure);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void When_the_way_may_be_another_one_the_server_is_asked_at_once(bool isMappingLost)
    {
        var (network, node, _) = Create(1, new NetworkConditions());
        Assert.True(network.RunUntil(() => !node.Client.MappedAddress.IsNone, TimeSpan.FromSeconds(1)));
        network.Run(TimeSpan.FromSeconds(1));
        var asked = network.Sent;
        node.Client.AskAgain(isMappingLost, network.Now);
        Assert.Equal(isMappingLost, node.Client.MappedAddress.IsNone);
        network.Run(TimeSpan.FromSeconds(1));
        Assert.InRange(network.Sent, asked + 2, asked + 4); // through the router, there and back
        Assert.False(node.Client.MappedAddress.IsNone);

        // A server that was out of reach is not waited for.
        network.Blocks = static (_, _, _) => true;
        network.Run(TimeSpan.FromMinutes(10));
        network.Blocks = null;
        node.Client.AskAgain(isMappingLost, network.Now);
        Assert.True(network.RunUntil(() => !node.Client.MappedAddress.IsNone, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void Answers_to_other_questions_and_errors_are_told_apart()
    {
        var client = new StunBindingClient(Server, new SeededRandomSource(1), MonotonicTime.Zero);
        var buffer = new byte[1500];
        client.HandleTimeout(MonotonicTime.Zero);
        Assert.True(client.TryDequeueTransmit(buffer, out var transmit));
        Assert.Equal(Server, transmit.Remote);
        Assert.True(StunMessage.TryParse(buffer.AsSpan(0, transmit.Length), out var request));
        var foreign = new StunMessageWriter(buffer, StunClass.SuccessResponse, StunTransactionId.Create(new SeededRandomSource(2)));
        foreign.WriteXorMappedAddress(Server);
        Assert.False(client.HandleDatagram(buffer.AsSpan(0, foreign.Length), default, MonotonicTime.Zero));
        var error = new StunMessageWriter(buffer, StunClass.ErrorResponse, request.TransactionId);
        error.WriteErrorCode(500, "No");
        Assert.True(client.HandleDatagram(buffer.AsSpan(0, error.Length), default, MonotonicTime.Zero));
        Assert.Contains("500", client.Failure);
        Assert.InRange(client.NextTimeout.SinceZero.TotalSeconds, 2.5, 5);
    }

    private static (SimulatedNetwork Network, BindingNode Node, SimulatedNat Nat) Create(int seed, NetworkConditions conditions)
    {
        var network = new SimulatedNetwork(seed, conditions);
        var nat = new SimulatedNat("198.51.100.7", NatMapping.EndpointIndependent, NatFiltering.AddressAndPortDependent, "10.0.0.2");
        var node = new BindingNode(new StunBindingClient(Server, new SeededRandomSource(seed), network.Now));
        network.Add(nat);
        network.Add(node);
        network.Add(new ServerNode());
        return (network, node, nat);
    }

    private sealed class BindingNode(StunBindingClient client) : SimulatedNode(IceNode.Parse(Host))
    {
        public StunBindingClient Client => client;

        public override MonotonicTime NextTimeout => client.NextTimeout;

        public override void HandleTimeout(MonotonicTime now) => client.HandleTimeout(now);

        public override void HandleDatagram(Span<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now) =>
            client.HandleDatagram(datagram, local, now);

        public override bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, out Transmit transmit) => client.TryDequeueTransmit(buffer, out transmit);
    }

    private sealed class ServerNode() : SimulatedNode(Server)
    {
        private readonly Queue<(StunTransactionId Id, TransportAddress Client)> _asked = [];

        public override MonotonicTime NextTimeout => MonotonicTime.Never;

        public override void HandleTimeout(MonotonicTime now)
        {
        }

        public override void HandleDatagram(Span<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now)
        {
            Assert.True(StunMessage.TryParse(datagram, out var request));
            _asked.Enqueue((request.TransactionId, remote));
        }

        public override bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, out Transmit transmit)
        {
            transmit = default;
            if (!_asked.TryDequeue(out var asked))
            {
                return false;
            }

            var writer = new StunMessageWriter(buffer, StunClass.SuccessResponse, asked.Id);
            writer.WriteXorMappedAddress(asked.Client);
            transmit = new Transmit(writer.Length, Server, asked.Client);
            return true;
        }
    }
}
