using System.Net;
using Agent.Rtc.Ice;
using Agent.Rtc.Sdp;

namespace Agent.Transport.Tests;

public sealed class PublicAddressesTests
{
    private static readonly IReadOnlyList<IceCandidate> Hosts =
        LocalAddresses.GetCandidates([IPAddress.Parse("192.168.1.20"), IPAddress.Parse("172.17.0.1")], [], 8443);

    [Fact]
    public void A_mapped_address_is_a_server_reflexive_candidate_of_the_best_host_candidate_on_the_media_port()
    {
        var candidate = PublicAddresses.GetCandidates([new IPEndPoint(IPAddress.Parse("203.0.113.7"), 0)], Hosts, 8443).Single();
        // RFC 8445 §5.1.2.1 with type preference 100, local preference 65535 and component 1; the grammar of RFC 8839 §5.1.
        Assert.Equal($"candidate:{candidate.Foundation} 1 udp 1694498815 203.0.113.7 8443 typ srflx raddr 192.168.1.20 rport 8443",
            SdpNegotiation.FormatCandidate(candidate));
    }

    [Fact]
    public void Several_have_priorities_and_foundations_of_their_own_and_keep_their_ports()
    {
        var candidates = PublicAddresses.GetCandidates(
            [new IPEndPoint(IPAddress.Parse("203.0.113.7"), 9000), new IPEndPoint(IPAddress.Parse("198.51.100.7"), 0)], Hosts, 8443);
        Assert.Equal(["203.0.113.7:9000", "198.51.100.7:8443"], candidates.Select(one => one.Address.ToString()));
        Assert.Equal(2, candidates.Select(one => one.Foundation).Distinct().Count());
        Assert.True(candidates[0].Priority > candidates[1].Priority);
    }

    [Fact]
    public void What_the_host_has_itself_or_cannot_receive_is_left_out() => Assert.Empty(PublicAddresses.GetCandidates(
        [new IPEndPoint(IPAddress.Parse("192.168.1.20"), 0), new IPEndPoint(IPAddress.Parse("2001:db8::7"), 0)], Hosts, 8443));

    [Theory]
    [InlineData("203.0.113.7", true)]
    [InlineData("::ffff:203.0.113.7", true)]
    [InlineData("172.32.0.1", true)]
    [InlineData("192.169.0.1", true)]
    [InlineData("2001:db8::7", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("::1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("::ffff:192.168.1.2", false)]
    [InlineData("169.254.1.1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd77::1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("::", false)]
    public void Loopback_link_and_private_addresses_are_not_public(string address, bool isPublic) =>
        Assert.Equal(isPublic, PublicAddresses.IsPublic(IPAddress.Parse(address)));
}
