using System.Net;
using Agent.Rtc;
using Agent.Rtc.Ice;

namespace Agent.Transport.Tests;

public sealed class ServerCandidatesTests
{
    private static readonly TransportAddress Host = Parse("10.0.0.2", 8443);
    private static readonly TransportAddress OtherHost = Parse("10.1.0.2", 8443);
    private static readonly TransportAddress Server = Parse("203.0.113.1", 3478);
    private static readonly IceCandidate[] Hosts = [IceCandidate.CreateHost(Host), IceCandidate.CreateHost(OtherHost, 1)];

    [Fact]
    public void A_mapped_address_leads_to_the_host_that_the_server_answered_and_a_relayed_one_is_its_own_base()
    {
        var relayed = Parse("203.0.113.1", 50000);
        var mapped = Parse("198.51.100.7", 40000);
        var candidates = ServerCandidates.Get(
            [
                new GatheredAddress(IceCandidateType.ServerReflexive, mapped, OtherHost, Server),
                new GatheredAddress(IceCandidateType.Relayed, relayed, default, Server),
            ],
            Hosts);
        Assert.Equal(
            [(IceCandidateType.ServerReflexive, mapped, OtherHost), (IceCandidateType.Relayed, relayed, relayed)],
            candidates.Select(one => (one.Type, one.Address, one.Base)));
        Assert.True(Hosts.Min(one => one.Priority) > candidates[0].Priority && candidates[0].Priority > candidates[1].Priority);
        Assert.Equal(4, Hosts.Concat(candidates).Select(one => one.Foundation).Distinct().Count());
    }

    [Fact]
    public void What_is_known_already_is_left_out()
    {
        Assert.Empty(ServerCandidates.Get(
            [
                new GatheredAddress(IceCandidateType.ServerReflexive, Host, Host, Server), // no NAT
                new GatheredAddress(IceCandidateType.ServerReflexive, Parse("2001:db8::1", 8443), default, Server), // no host candidate of the family
            ],
            Hosts));
        var mapped = new GatheredAddress(IceCandidateType.ServerReflexive, Parse("198.51.100.7", 40000), default, Server);
        Assert.Equal(Host, Assert.Single(ServerCandidates.Get([mapped, mapped with { Server = Parse("203.0.113.2", 1) }], Hosts)).Base);
    }

    private static TransportAddress Parse(string address, int port) => TransportAddress.From(IPAddress.Parse(address), port);
}
