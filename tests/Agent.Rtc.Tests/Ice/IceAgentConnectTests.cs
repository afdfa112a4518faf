using Agent.Rtc.Ice;
using Agent.Rtc.Tests.Network;

namespace Agent.Rtc.Tests.Ice;

/// <summary>Two agents find each other on a simulated network.</summary>
public sealed class IceAgentConnectTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(0.0, 200, 1)]
    [InlineData(0.1, 200, 5)]
    [InlineData(0.3, 200, 12)]
    public void Two_agents_agree_on_a_pair_under_loss_for_every_seed(double loss, int seeds, double longestSeconds)
    {
        for (var seed = 0; seed < seeds; seed++)
        {
            var (network, offerer, answerer) = Create(seed, Lossy(loss), ["192.0.2.1:1000", "198.51.100.1:1000"], ["192.0.2.2:2000"]);
            var start = network.Now;
            offerer.Signal(answerer, network.Now);
            answerer.Signal(offerer, network.Now);

            Assert.True(network.RunUntil(() => offerer.IsConnected && answerer.IsConnected, Limit), $"seed {seed}");
            Assert.True(network.Now - start < TimeSpan.FromSeconds(longestSeconds), $"seed {seed} took {network.Now - start}");
            network.RunUntil(() => PathsMirror(offerer, answerer), TimeSpan.FromSeconds(10));
            Assert.True(PathsMirror(offerer, answerer), $"seed {seed}");
        }
    }

    [Theory]
    [InlineData(IceRole.Controlling)]
    [InlineData(IceRole.Controlled)]
    public void A_role_conflict_is_resolved_by_the_tiebreaker(IceRole both)
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var network = new SimulatedNetwork(seed, Lossy(0.1));
            var left = new IceNode(both, 1000 + seed, "192.0.2.1:1000");
            var right = new IceNode(both, 2000 + seed, "192.0.2.2:2000");
            network.Add(left);
            network.Add(right);
            left.Signal(right, network.Now);
            right.Signal(left, network.Now);

            Assert.True(network.RunUntil(() => left.IsConnected && right.IsConnected, Limit), $"seed {seed}");
            Assert.NotEqual(left.Agent.Role, right.Agent.Role);
        }
    }

    [Fact]
    public void A_peer_whose_candidates_are_unknown_is_found_by_its_checks()
    {
        var (network, browser, agent) = Create(7, Lossy(0), ["192.0.2.1:1000"], ["192.0.2.2:2000"]);
        browser.Signal(agent, network.Now);
        agent.Agent.SetRemoteCredentials(browser.Agent.LocalCredentials);
        agent.AddLocalCandidates(network.Now);

        Assert.True(network.RunUntil(() => browser.IsConnected && agent.IsConnected, TimeSpan.FromSeconds(1)));
        Assert.Equal(IceCandidateType.PeerReflexive, agent.Agent.SelectedPair!.RemoteType);

        agent.AddRemoteCandidates(browser, network.Now);
        Assert.Equal(IceCandidateType.Host, agent.Agent.SelectedPair!.RemoteType);
        Assert.Single(agent.Agent.GetPairs());
    }

    [Fact]
    public void A_check_of_the_peer_is_returned_without_waiting_for_the_pace_of_ordinary_checks()
    {
        var (network, browser, agent) = Create(8, new NetworkConditions(), ["192.0.2.1:1000"], ["192.0.2.2:2000"]);
        var start = network.Now;
        browser.Signal(agent, network.Now);
        agent.Agent.SetRemoteCredentials(browser.Agent.LocalCredentials);
        agent.AddLocalCandidates(network.Now);
        var dead = IceCandidate.CreateHost(IceNode.Parse("203.0.113.9:9"), IcePriority.HighestLocalPreference);
        agent.Agent.AddRemoteCandidate(dead, network.Now);

        Assert.True(network.RunUntil(() => agent.IsConnected, IceLimits.Pacing), $"not within {network.Now - start}");
    }

    [Fact]
    public void Checks_that_come_before_the_peers_credentials_are_answered_and_returned_later()
    {
        var (network, browser, agent) = Create(8, new NetworkConditions(), ["192.0.2.1:1000"], ["192.0.2.2:2000"]);
        browser.Signal(agent, network.Now);
        agent.AddLocalCandidates(network.Now);
        network.Run(TimeSpan.FromSeconds(2));
        Assert.Equal("Succeeded", Assert.Single(browser.Agent.GetPairs()).State);
        Assert.False(agent.IsConnected);

        agent.Agent.SetRemoteCredentials(browser.Agent.LocalCredentials);
        Assert.True(network.RunUntil(() => browser.IsConnected && agent.IsConnected, TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public void Candidates_that_trickle_in_late_still_connect()
    {
        var (network, offerer, answerer) = Create(9, Lossy(0.1), ["192.0.2.1:1000"], ["192.0.2.2:2000"]);
        offerer.Agent.SetRemoteCredentials(answerer.Agent.LocalCredentials);
        answerer.Agent.SetRemoteCredentials(offerer.Agent.LocalCredentials);
        network.Run(TimeSpan.FromSeconds(29));
        offerer.AddLocalCandidates(network.Now);
        answerer.AddLocalCandidates(network.Now);
        offerer.AddRemoteCandidates(answerer, network.Now);

        Assert.True(network.RunUntil(() => offerer.IsConnected && answerer.IsConnected, TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void IPv6_pairs_connect_and_link_local_addresses_pair_only_with_their_like_on_the_local_scope()
    {
        // The simulated link has no scopes of its own: both hosts call it interface 2, but the peer's candidate came without a scope.
        var (network, offerer, answerer) = Create(10, Lossy(0), ["[fe80::1%2]:1000", "[2001:db8::1]:1000", "192.0.2.1:1000"], ["[fe80::2%2]:2000"]);
        offerer.Agent.SetRemoteCredentials(answerer.Agent.LocalCredentials);
        offerer.AddLocalCandidates(network.Now);
        offerer.Agent.AddRemoteCandidate(IceCandidate.CreateHost(IceNode.Parse("[fe80::2]:2000")), network.Now);
        answerer.Signal(offerer, network.Now);

        Assert.True(network.RunUntil(() => offerer.IsConnected && answerer.IsConnected, TimeSpan.FromSeconds(1)));
        var pair = Assert.Single(offerer.Agent.GetPairs());
        Assert.Equal("[fe80::2%2]:2000", pair.Remote.ToString());
        Assert.Equal("[fe80::1%2]:1000", pair.Local.ToString());
        Assert.Single(answerer.Agent.GetPairs());
    }

    [Fact]
    public void A_peer_that_reaches_an_address_that_was_never_signalled_is_answered_from_there()
    {
        var (network, browser, agent) = Create(11, Lossy(0), ["192.0.2.1:1000"], ["192.0.2.2:2000", "192.0.2.3:2000"]);
        browser.Agent.SetRemoteCredentials(agent.Agent.LocalCredentials);
        browser.AddLocalCandidates(network.Now);
        browser.Agent.AddRemoteCandidate(IceCandidate.CreateHost(agent.Addresses[1]), network.Now);
        agent.Agent.SetRemoteCredentials(browser.Agent.LocalCredentials);
        agent.Agent.AddLocalCandidate(agent.Candidates()[0], network.Now);
        network.Blocks = (from, to, _) => from == agent.Addresses[0] || to == agent.Addresses[0];

        Assert.True(network.RunUntil(() => browser.IsConnected && agent.IsConnected, TimeSpan.FromSeconds(2)));
        Assert.True(agent.Agent.TryGetSelectedPath(out var local, out _));
        Assert.Equal(agent.Addresses[1], local);
    }

    [Fact]
    public void The_best_working_pair_is_nominated_when_the_best_one_is_blocked()
    {
        var (network, offerer, answerer) = Create(12, Lossy(0), ["192.0.2.1:1000", "198.51.100.1:1000"], ["192.0.2.2:2000", "198.51.100.2:2000"]);
        var blocked = offerer.Addresses[0];
        network.Blocks = (from, to, _) => from == blocked || to == blocked;
        offerer.Signal(answerer, network.Now);
        answerer.Signal(offerer, network.Now);

        Assert.True(network.RunUntil(() => offerer.IsConnected && answerer.IsConnected, TimeSpan.FromSeconds(2)));
        Assert.True(offerer.Agent.TryGetSelectedPath(out var local, out _));
        Assert.Equal(offerer.Addresses[1], local);
    }

    internal static NetworkConditions Lossy(double loss) => new()
    {
        Loss = loss,
        Jitter = TimeSpan.FromMilliseconds(20),
        Duplication = loss / 2,
        Reordering = loss / 2,
    };

    internal static (SimulatedNetwork Network, IceNode Controlling, IceNode Controlled) Create(
        int seed, NetworkConditions conditions, string[] controlling, string[] controlled)
    {
        var network = new SimulatedNetwork(seed, conditions);
        var left = new IceNode(IceRole.Controlling, seed + 100_000, controlling);
        var right = new IceNode(IceRole.Controlled, seed + 200_000, controlled);
        network.Add(left);
        network.Add(right);
        return (network, left, right);
    }

    internal static bool PathsMirror(IceNode left, IceNode right) =>
        left.Agent.TryGetSelectedPath(out var leftLocal, out var leftRemote)
        && right.Agent.TryGetSelectedPath(out var rightLocal, out var rightRemote)
        && leftLocal == rightRemote && leftRemote == rightLocal;
}
