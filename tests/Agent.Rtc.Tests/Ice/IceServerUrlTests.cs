using Agent.Rtc.Ice;

namespace Agent.Rtc.Tests.Ice;

public sealed class IceServerUrlTests
{
    [Theory]
    [InlineData("stun:stun.example.net", "stun.example.net", 3478, false, IceServerTransport.Udp)]
    [InlineData("stun:192.0.2.1:19302", "192.0.2.1", 19302, false, IceServerTransport.Udp)]
    [InlineData("stun:[2001:db8::1]:3479", "2001:db8::1", 3479, false, IceServerTransport.Udp)]
    [InlineData("stuns:stun.example.net", "stun.example.net", 5349, false, IceServerTransport.Tls)]
    [InlineData("turn:turn.example.net", "turn.example.net", 3478, true, IceServerTransport.Udp)]
    [InlineData("turn:turn.example.net:80?transport=udp", "turn.example.net", 80, true, IceServerTransport.Udp)]
    [InlineData("turn:turn.example.net?transport=tcp", "turn.example.net", 3478, true, IceServerTransport.Tcp)]
    [InlineData("turns:[2001:db8::1]?transport=tcp", "2001:db8::1", 5349, true, IceServerTransport.Tls)]
    [InlineData("turns:turn.example.net:443?transport=udp", "turn.example.net", 443, true, IceServerTransport.Dtls)]
    public void A_uri_says_host_port_and_transport(string text, string host, int port, bool isTurn, IceServerTransport transport)
    {
        Assert.True(IceServerUrl.TryParse(text, out var url));
        Assert.Equal((host, port, isTurn, transport), (url.Host, url.Port, url.IsTurn, url.Transport));
        Assert.Equal(text, url.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("stun")]
    [InlineData("stun:")]
    [InlineData("STUN:example.net")]
    [InlineData("http://example.net")]
    [InlineData("stun://example.net")]
    [InlineData("stun:example.net:0")]
    [InlineData("stun:example.net:65536")]
    [InlineData("stun:example.net: 1")]
    [InlineData("stun:example.net?transport=udp")]
    [InlineData("turn:example.net?transport=sctp")]
    [InlineData("turn:example.net?transport=udp?transport=udp")]
    [InlineData("turn:[192.0.2.1]")]
    [InlineData("turn:[2001:db8::1")]
    [InlineData("turn:[2001:db8::1]3478")]
    [InlineData("turn:2001:db8::1")]
    [InlineData("turn:user@example.net")]
    public void Anything_else_is_refused(string text) => Assert.False(IceServerUrl.TryParse(text, out _));
}
