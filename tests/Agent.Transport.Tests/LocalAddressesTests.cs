using System.Net;

namespace Agent.Transport.Tests;

public sealed class LocalAddressesTests
{
    private static readonly IPAddress Ethernet = IPAddress.Parse("192.168.1.20");
    private static readonly IPAddress Container = IPAddress.Parse("172.17.0.1");
    private static readonly IPAddress Global = IPAddress.Parse("2001:db8::20");
    private static readonly IPAddress LinkLocal = IPAddress.Parse("fe80::1");

    [Fact]
    public void Every_address_but_loopback_and_link_local_is_used() =>
        Assert.Equal([Ethernet, Container, Global],
            LocalAddresses.Select([], [IPAddress.Loopback, IPAddress.IPv6Loopback, Ethernet, LinkLocal, Container, Global]));

    [Fact]
    public void Loopback_is_used_when_there_is_nothing_else() =>
        Assert.Equal([IPAddress.Loopback, IPAddress.IPv6Loopback],
            LocalAddresses.Select([], [IPAddress.Loopback, IPAddress.IPv6Loopback, LinkLocal]));

    [Fact]
    public void Listening_on_every_IPv4_address_leaves_IPv6_out() =>
        Assert.Equal([Ethernet], LocalAddresses.Select([IPAddress.Any], [IPAddress.Loopback, Ethernet, Global]));

    [Fact]
    public void Listed_addresses_are_taken_as_they_are_with_falling_unique_priorities()
    {
        var candidates = LocalAddresses.GetCandidates([Ethernet, Container, Global, IPAddress.Loopback], [], 4000);
        Assert.Equal([Global, Ethernet, Container, IPAddress.Loopback], candidates.Select(one => one.Address.ToIPAddress()));
        // RFC 8445 §5.1.2.1 with type preference 126, local preference 65535 and component 1: the value browsers show for their first host candidate.
        Assert.Equal(2130706431u, candidates[0].Priority);
        Assert.Equal([2130706431u, 2130706175u, 2130705919u, 2130705663u], candidates.Select(one => one.Priority));
        Assert.Equal(4, candidates.Select(one => one.Foundation).Distinct().Count());
        Assert.All(candidates, one => Assert.Equal(one.Address, one.Base));
        Assert.All(candidates, one => Assert.Equal(4000, one.Address.Port));
    }

    [Fact]
    public void This_machine_has_candidates()
    {
        using var interfaces = new InterfaceAddresses();
        Assert.NotEmpty(LocalAddresses.GetCandidates([], interfaces.Current, 4000));
        Assert.Contains(IPAddress.Loopback, interfaces.Current);
    }
}
