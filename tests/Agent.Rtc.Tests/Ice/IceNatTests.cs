using Agent.Rtc.Ice;
using Agent.Rtc.Tests.Network;

namespace Agent.Rtc.Tests.Ice;

/// <summary>Agents behind NATs find each other as far as the NATs allow.</summary>
public sealed class IceNatTests
{
    private const string AgentHost = "10.0.0.2:8443";
    private const string BrowserHost = "10.1.0.2:5000";
    private const int Seeds = 50;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(NatMapping.EndpointIndependent, NatFiltering.AddressAndPortDependent)]
    [InlineData(NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent)]
    public void A_forwarded_port_that_is_offered_as_public_address_is_reached_through_every_nat(NatMapping mapping, NatFiltering filtering)
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var (network, browser, agent) = Create(seed);
            var router = new SimulatedNat("203.0.113.7", NatMapping.EndpointIndependent, NatFiltering.AddressAndPortDependent, "10.0.0.2");
            router.Forward(8443, IceNode.Parse(AgentHost));
            network.Add(router);
            network.Add(new SimulatedNat("198.51.100.9", mapping, filtering, "10.1.0.2"));
            var mapped = IceCandidate.CreateServerReflexive(
                IceNode.Parse("203.0.113.7:8443"), IceNode.Parse(AgentHost), default, IcePriority.HighestLocalPreference);
            Signal(network, browser, agent, [], [mapped]);

            Assert.True(network.RunUntil(() => browser.IsConnected && agent.IsConnected, Limit), $"seed {seed}");
            var pair = agent.Agent.SelectedPair!;
            Assert.Equal((IceCandidateType.ServerReflexive, IceNode.Parse(AgentHost)), (pair.LocalType, pair.Local));
            Assert.Equal(IceCandidateType.PeerReflexive, pair.RemoteType);
            Assert.Equal(mapped.Address, browser.Agent.SelectedPair!.Remote);
        }
    }

    private static (SimulatedNetwork Network, IceNode Browser, IceNode Agent) Create(int seed)
    {
        var network = new SimulatedNetwork(seed, new NetworkConditions { Delay = TimeSpan.FromMilliseconds(20), Jitter = TimeSpan.FromMilliseconds(20), Loss = 0.1 });
        var browser = new IceNode(IceRole.Controlling, 1000 + seed, BrowserHost);
        var agent = new IceNode(IceRole.Controlled, 2000 + seed, AgentHost);
        network.Add(browser);
        network.Add(agent);
        return (network, browser, agent);
    }

    /// <summary>Offer and answer with the host candidates of both and the reflexive ones given.</summary>
    private static void Signal(SimulatedNetwork network, IceNode browser, IceNode agent, IceCandidate[] ofBrowser, IceCandidate[] ofAgent)
    {
        browser.Signal(agent, network.Now);
        agent.Signal(browser, network.Now);
        foreach (var candidate in ofBrowser)
        {
            browser.Agent.AddLocalCandidate(candidate, network.Now);
            agent.Agent.AddRemoteCandidate(candidate, network.Now);
        }

        foreach (var candidate in ofAgent)
        {
            agent.Agent.AddLocalCandidate(candidate, network.Now);
            browser.Agent.AddRemoteCandidate(candidate, network.Now);
        }
    }
}
