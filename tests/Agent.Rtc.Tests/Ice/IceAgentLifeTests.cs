using Agent.Rtc.Ice;
using Agent.Rtc.Stun;
using Agent.Rtc.Tests.Network;
using static Agent.Rtc.Tests.Ice.IceAgentConnectTests;

namespace Agent.Rtc.Tests.Ice;

/// <summary>What happens after, or instead of, a connection: consent, failure, restart, renomination.</summary>
public sealed class IceAgentLifeTests
{
    [Fact]
    public void Consent_keeps_a_quiet_path_alive_and_its_checks_come_every_four_to_six_seconds()
    {
        var (network, offerer, answerer) = Connected(1);
        List<MonotonicTime> checks = [];
        network.Blocks = (from, _, datagram) =>
        {
            if (from == offerer.Addresses[0] && StunMessage.TryReadLocalUfrag(datagram.Span, out ReadOnlySpan<byte> _))
            {
                checks.Add(network.Now);
            }

            return false;
        };
        network.Run(TimeSpan.FromMinutes(10));

        Assert.True(offerer.IsConnected && answerer.IsConnected);
        Assert.InRange(checks.Count, 100, 150);
        Assert.All(checks.Zip(checks.Skip(1), (a, b) => b - a), gap => Assert.InRange(gap.TotalSeconds, 4, 6));
        Assert.True(checks.Zip(checks.Skip(1), (a, b) => b - a).Distinct().Count() > 50, "the interval is not randomised");
        Assert.InRange(offerer.Agent.RoundTripTime!.Value.TotalMilliseconds, 20, 60);
    }

    [Fact]
    public void Consent_lapses_thirty_seconds_after_the_last_answer()
    {
        var (network, offerer, _) = Connected(2);
        network.Run(TimeSpan.FromSeconds(60));
        network.Blocks = static (_, _, _) => true;
        var cut = network.Now;

        Assert.True(network.RunUntil(() => offerer.Agent.State == IceConnectionState.Failed, TimeSpan.FromSeconds(40)));
        Assert.InRange((network.Now - cut).TotalSeconds, 24, 30);
        Assert.False(offerer.Agent.TryGetSelectedPath(out _, out _));
        Assert.Contains("RFC 7675", offerer.Agent.FailureReason);

        // Nothing leaves the agent any more.
        var sent = network.Sent;
        network.Blocks = null;
        network.Run(TimeSpan.FromMinutes(1));
        Assert.Equal(MonotonicTime.Never, offerer.Agent.NextTimeout);
        Assert.True(network.Sent - sent < 20, "only the peer, which lapses as well, may have sent");
    }

    [Fact]
    public void Without_any_candidate_the_agent_waits_for_the_peers_checks_and_then_fails()
    {
        var (network, _, agent) = Create(3, Lossy(0), ["192.0.2.1:1000"], ["192.0.2.2:2000"]);
        agent.Agent.SetRemoteCredentials(IceCredentials.Create(agent.Random));
        agent.AddLocalCandidates(network.Now);
        var start = network.Now;

        Assert.True(network.RunUntil(() => agent.Agent.State == IceConnectionState.Failed, TimeSpan.FromMinutes(5)));
        Assert.InRange((network.Now - start).TotalSeconds, 59, 61);
        Assert.Contains("No candidate pair:", agent.Agent.FailureReason);
    }

    [Fact]
    public void With_all_candidates_known_and_every_pair_failed_the_agent_fails_at_the_PAC_timer_and_says_why()
    {
        var (network, offerer, answerer) = Create(4, Lossy(0), ["192.0.2.1:1000"], ["192.0.2.2:2000"]);
        network.Blocks = static (_, _, _) => true;
        offerer.Signal(answerer, network.Now);
        var start = network.Now;

        Assert.False(network.RunUntil(() => offerer.Agent.State == IceConnectionState.Failed, TimeSpan.FromSeconds(39)));
        Assert.True(network.RunUntil(() => offerer.Agent.State == IceConnectionState.Failed, TimeSpan.FromSeconds(1)));
        Assert.InRange((network.Now - start).TotalSeconds, 39.5, 40);
        var pair = Assert.Single(offerer.Agent.GetPairs());
        Assert.Equal("Failed", pair.State);
        Assert.Contains("No answer", pair.FailureReason);
    }

    [Fact]
    public void A_wrong_password_is_named_as_the_reason()
    {
        var (network, offerer, answerer) = Create(5, Lossy(0), ["192.0.2.1:1000"], ["192.0.2.2:2000"]);
        offerer.Agent.SetRemoteCredentials(answerer.Agent.LocalCredentials with { Password = "0000000000000000000000" });
        offerer.AddLocalCandidates(network.Now);
        offerer.AddRemoteCandidates(answerer, network.Now);
        answerer.AddLocalCandidates(network.Now);
        network.Run(TimeSpan.FromSeconds(50));

        Assert.Contains("401", Assert.Single(offerer.Agent.GetPairs()).FailureReason);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.1)]
    public void A_restart_keeps_the_old_path_until_a_new_one_works(double loss)
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var (network, offerer, answerer) = Connected(seed, loss);
            var oldPath = offerer.Addresses[0];
            var newAddress = IceNode.Parse("198.51.100.1:1001");
            offerer.Addresses.Add(newAddress);
            var offererCredentials = IceCredentials.Create(offerer.Random);
            var answererCredentials = IceCredentials.Create(answerer.Random);

            // The answerer restarts first; the offerer learns of it a second later, as signalling takes its time.
            answerer.Agent.Restart(answererCredentials, offererCredentials, network.Now);
            Assert.True(answerer.Agent.TryGetSelectedPath(out _, out var remote));
            Assert.Equal(oldPath, remote);
            network.Run(TimeSpan.FromSeconds(1));
            Assert.True(answerer.IsConnected && offerer.IsConnected);

            network.Blocks = (from, to, _) => from == oldPath || to == oldPath; // The Wi-Fi has changed.
            offerer.Agent.Restart(offererCredentials, answererCredentials, network.Now);
            offerer.Agent.AddLocalCandidate(IceCandidate.CreateHost(newAddress), network.Now);
            offerer.AddRemoteCandidates(answerer, network.Now);
            answerer.Agent.AddRemoteCandidate(IceCandidate.CreateHost(newAddress), network.Now);

            bool OnNewPath() => answerer.Agent.TryGetSelectedPath(out _, out var to) && to == newAddress
                && offerer.Agent.TryGetSelectedPath(out var from, out _) && from == newAddress;
            Assert.True(network.RunUntil(OnNewPath, TimeSpan.FromSeconds(loss == 0 ? 2 : 20)), $"seed {seed}");
            Assert.True(answerer.IsConnected && offerer.IsConnected);
            Assert.Equal(answererCredentials, answerer.Agent.LocalCredentials);
        }
    }

    [Fact]
    public void After_a_restart_the_first_new_pair_that_works_is_used_before_the_peer_nominates_it()
    {
        var peer = new ScriptedPeer(IceRole.Controlled, "192.0.2.2:2000");
        var (old, found, nominated) = (IceNode.Parse("192.0.2.1:1000"), IceNode.Parse("192.0.2.3:1000"), IceNode.Parse("192.0.2.3:1001"));
        peer.Check(old, priority: 2_000_000, useCandidate: true);
        peer.RunFor(TimeSpan.FromSeconds(1));

        peer.Restart();
        peer.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(old, peer.SelectedRemote);
        peer.Check(found, priority: 2_000_000);
        peer.RunFor(TimeSpan.FromMilliseconds(100));
        Assert.Equal(found, peer.SelectedRemote);
        peer.Check(nominated, priority: 1_000_000, useCandidate: true);
        peer.RunFor(TimeSpan.FromMilliseconds(100));
        Assert.Equal(nominated, peer.SelectedRemote);
    }

    [Fact]
    public void A_restart_revives_a_failed_agent()
    {
        var (network, offerer, answerer) = Connected(6);
        network.Blocks = static (_, _, _) => true;
        network.Run(TimeSpan.FromSeconds(40));
        Assert.Equal(IceConnectionState.Failed, answerer.Agent.State);
        network.Blocks = null;

        var (left, right) = (IceCredentials.Create(offerer.Random), IceCredentials.Create(answerer.Random));
        offerer.Agent.Restart(left, right, network.Now);
        answerer.Agent.Restart(right, left, network.Now);
        Assert.Equal(IceConnectionState.Checking, answerer.Agent.State);
        offerer.AddRemoteCandidates(answerer, network.Now);
        Assert.True(network.RunUntil(() => offerer.IsConnected && answerer.IsConnected, TimeSpan.FromSeconds(2)));
    }

    [Fact]
    public void An_old_path_that_dies_during_a_restart_leaves_the_agent_checking()
    {
        var (network, _, answerer) = Connected(7);
        network.Blocks = static (_, _, _) => true;
        network.Run(TimeSpan.FromSeconds(10));
        answerer.Agent.Restart(IceCredentials.Create(answerer.Random), IceCredentials.Create(answerer.Random), network.Now);
        network.Run(TimeSpan.FromSeconds(25));
        Assert.Equal(IceConnectionState.Checking, answerer.Agent.State);
        Assert.False(answerer.Agent.TryGetSelectedPath(out _, out _));
        network.Run(TimeSpan.FromSeconds(40));
        Assert.Equal(IceConnectionState.Failed, answerer.Agent.State);
    }

    [Fact]
    public void Of_two_pairs_nominated_at_once_the_better_is_used_and_a_later_nomination_of_the_worse_switches()
    {
        var peer = new ScriptedPeer(IceRole.Controlled, "192.0.2.2:2000");
        var better = IceNode.Parse("192.0.2.1:1000");
        var worse = IceNode.Parse("192.0.2.1:1001");
        peer.Check(better, priority: 2_000_000, useCandidate: true);
        peer.Check(worse, priority: 1_000_000, useCandidate: true);
        peer.RunFor(TimeSpan.FromMilliseconds(500));
        Assert.Equal(better, peer.SelectedRemote);

        // Chromium goes on nominating both; the better one stays.
        for (var i = 0; i < 60; i++)
        {
            peer.RunFor(TimeSpan.FromSeconds(1));
            peer.Check(i % 3 == 0 ? better : worse, priority: 1_000_000, useCandidate: true);
            Assert.Equal(better, peer.SelectedRemote);
        }

        // The better one is given up.
        peer.RunFor(IceLimits.AggressiveNominationWindow);
        peer.Check(worse, priority: 1_000_000, useCandidate: true);
        peer.RunFor(TimeSpan.FromMilliseconds(500));
        Assert.Equal(worse, peer.SelectedRemote);
        Assert.Equal(IceConnectionState.Connected, peer.Agent.State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Where_the_selected_pair_falls_silent_another_nominated_one_that_is_heard_takes_its_place_at_once(bool byMedia)
    {
        var peer = new ScriptedPeer(IceRole.Controlled, "192.0.2.2:2000");
        var (before, after, notNominated) = (IceNode.Parse("192.0.2.1:1000"), IceNode.Parse("192.0.2.3:1000"), IceNode.Parse("192.0.2.4:1000"));
        peer.Check(before, priority: 2_000_000, useCandidate: true);
        peer.Check(notNominated, priority: 1_500_000);
        peer.RunFor(TimeSpan.FromMilliseconds(500));
        peer.Agent.HandleMedia(peer.AgentAddress, before, peer.Now);
        peer.Check(after, priority: 1_000_000, useCandidate: true);
        peer.RunFor(IceLimits.MediaSilence / 2);
        Hear(after);
        Assert.Equal(before, peer.SelectedRemote);

        peer.RunFor(IceLimits.MediaSilence / 2);
        peer.Agent.HandleMedia(peer.AgentAddress, notNominated, peer.Now);
        Assert.Equal(before, peer.SelectedRemote);
        Hear(after);
        Assert.Equal(after, peer.SelectedRemote);
        peer.RunFor(TimeSpan.FromMinutes(1));
        Assert.Equal(after, peer.SelectedRemote);

        void Hear(TransportAddress from)
        {
            if (byMedia) peer.Agent.HandleMedia(peer.AgentAddress, from, peer.Now);
            else peer.Check(from, priority: 1_000_000, useCandidate: true);
        }
    }

    [Fact]
    public void A_check_with_credentials_of_different_generations_is_refused()
    {
        var peer = new ScriptedPeer(IceRole.Controlled, "192.0.2.2:2000");
        var (old, found) = (IceNode.Parse("192.0.2.1:1000"), IceNode.Parse("192.0.2.3:1000"));
        peer.Check(old, priority: 2_000_000, useCandidate: true);
        peer.RunFor(TimeSpan.FromSeconds(1));
        var before = peer.Agent.LocalCredentials;

        // A browser that restarts has new credentials before the agent knows of it; and goes on with the agent's until it has the new ones.
        peer.Check(found, priority: 2_000_000, useCandidate: true, username: $"{before.Ufrag}:new");
        peer.Restart();
        peer.Check(found, priority: 2_000_000, useCandidate: true, username: $"{before.Ufrag}:new", password: before.Password);
        Assert.Equal(2, peer.Responses[401]);
        Assert.Equal(old, peer.SelectedRemote);
        peer.Check(found, priority: 2_000_000, useCandidate: true);
        peer.RunFor(TimeSpan.FromMilliseconds(100));
        Assert.Equal(found, peer.SelectedRemote);
    }

    [Fact]
    public void A_closed_agent_is_silent()
    {
        var (network, offerer, _) = Connected(8);
        offerer.Agent.Close();
        offerer.AddLocalCandidates(network.Now);
        offerer.Agent.HandleTimeout(network.Now + TimeSpan.FromMinutes(1));
        Assert.Equal(IceConnectionState.Closed, offerer.Agent.State);
        Assert.Equal(MonotonicTime.Never, offerer.Agent.NextTimeout);
        Assert.False(offerer.Agent.TryDequeueTransmit(new byte[1500], out _));
        Assert.False(offerer.Agent.TryGetSelectedPath(out _, out _));
    }

    private static (SimulatedNetwork Network, IceNode Controlling, IceNode Controlled) Connected(int seed, double loss = 0)
    {
        var (network, offerer, answerer) = Create(seed, Lossy(loss), ["192.0.2.1:1000"], ["192.0.2.2:2000"]);
        offerer.Signal(answerer, network.Now);
        answerer.Signal(offerer, network.Now);
        Assert.True(network.RunUntil(() => offerer.IsConnected && answerer.IsConnected, TimeSpan.FromSeconds(30)));
        return (network, offerer, answerer);
    }
}
