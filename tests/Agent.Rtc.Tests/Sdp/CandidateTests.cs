using System.Text;
using Agent.Rtc.Ice;
using Agent.Rtc.Sdp;

namespace Agent.Rtc.Tests.Sdp;

public sealed class CandidateTests
{
    private static SignaledCandidate? Parse(string line)
    {
        var parsed = SdpNegotiation.TryParseCandidate(Encoding.UTF8.GetBytes(line), out var candidate);
        Assert.Equal(parsed, candidate is not null);
        return candidate;
    }

    // RFC 8839 §5.1's two examples, then what browsers send.
    [Theory]
    [InlineData("a=candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998", IceCandidateType.ServerReflexive, "192.0.2.3", 45664, 1694498815u, "2")]
    [InlineData("a=candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host", IceCandidateType.Host, "203.0.113.141", 8998, 2130706431u, "1")]
    [InlineData("candidate:3393339970 1 udp 2113937151 ac590cda-736a-41f8-ae9d-a44dcc66a513.local 52321 typ host generation 0 network-cost 999\r\n", IceCandidateType.Host, "ac590cda-736a-41f8-ae9d-a44dcc66a513.local", 52321, 2113937151u, "3393339970")]
    [InlineData("candidate:4 1 udp 1 2001:db8::1 9 typ relay raddr :: rport 0 ufrag abcd", IceCandidateType.Relayed, "2001:db8::1", 9, 1u, "4")]
    [InlineData("candidate:5 1 UDP 2147483647 192.0.2.1 1 typ prflx", IceCandidateType.PeerReflexive, "192.0.2.1", 1, 2147483647u, "5")]
    public void Candidates_are_read(string line, IceCandidateType type, string host, int port, uint priority, string foundation)
    {
        Assert.Equal(new SignaledCandidate(type, host, (ushort)port, priority, foundation), Parse(line));
    }

    /// <summary>As Chromium and Firefox write them; RFC 6544 §4.5 has TCP in capitals, browsers in small letters.</summary>
    [Theory]
    [InlineData("candidate:1 1 TCP 2105524479 192.0.2.1 9 typ host tcptype active", "192.0.2.1", 2105524479u)]
    [InlineData("candidate:3393339970 1 tcp 1518280447 ac590cda-736a-41f8-ae9d-a44dcc66a513.local 9 typ host tcptype active generation 0 network-cost 999", "ac590cda-736a-41f8-ae9d-a44dcc66a513.local", 1518280447u)]
    [InlineData("candidate:2 1 TCP 1 192.0.2.3 9 typ srflx raddr 192.0.2.1 rport 9 tcptype active", "192.0.2.3", 1u)]
    public void Active_TCP_candidates_are_read(string line, string host, uint priority)
    {
        var candidate = Parse(line);

        Assert.Equal((host, 9, priority, TransportProtocol.Tcp), (candidate!.HostName, candidate.Port, candidate.Priority, candidate.Protocol));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", "candidate:7 1 tcp 1 192.0.2.1 5000 typ host tcptype passive")]
    [InlineData("203.0.113.9", "192.0.2.1", "candidate:7 1 tcp 1 203.0.113.9 5000 typ srflx raddr 192.0.2.1 rport 5000 tcptype passive")]
    public void TCP_candidates_are_written_as_passive_ones(string address, string @base, string expected)
    {
        Assert.True(TransportAddress.TryParse(address, 5000, out var own));
        Assert.True(TransportAddress.TryParse(@base, 5000, out var baseAddress));
        var type = own == baseAddress ? IceCandidateType.Host : IceCandidateType.ServerReflexive;

        Assert.Equal(expected, SdpNegotiation.FormatCandidate(
            new IceCandidate(type, own.WithProtocol(TransportProtocol.Tcp), baseAddress.WithProtocol(TransportProtocol.Tcp), 1, "7")));
    }

    [Theory]
    [InlineData("candidate:1 1 TCP 2105524479 192.0.2.1 9 typ host tcptype passive")]
    [InlineData("candidate:1 1 TCP 2105524479 192.0.2.1 5000 typ host tcptype so")]
    [InlineData("candidate:1 1 TCP 2105524479 192.0.2.1 5000 typ host")]
    [InlineData("candidate:1 1 TCP 2105524479 192.0.2.1 5000 typ host tcptype")]
    [InlineData("candidate:1 1 TCP 2105524479 192.0.2.1 5000 typ host generation tcptype active")]
    [InlineData("candidate:1 1 SCTP 2105524479 192.0.2.1 5000 typ host tcptype active")]
    [InlineData("candidate:1 2 UDP 2122252542 192.0.2.1 54568 typ host")]
    [InlineData("candidate:1 1 UDP 0 192.0.2.1 5000 typ host")]
    [InlineData("candidate:1 1 UDP 2147483648 192.0.2.1 5000 typ host")]
    [InlineData("candidate:1 1 UDP -1 192.0.2.1 5000 typ host")]
    [InlineData("candidate:1 1 UDP 1 192.0.2.1 0 typ host")]
    [InlineData("candidate:1 1 UDP 1 192.0.2.1 65536 typ host")]
    [InlineData("candidate:1 1 UDP 1 010.0.0.1 5000 typ host")]
    [InlineData("candidate:1 1 UDP 1 3232235777 5000 typ host")]
    [InlineData("candidate:1 1 UDP 1 fe80::1%1 5000 typ host")]
    [InlineData("candidate:1 1 UDP 1 [::1] 5000 typ host")]
    [InlineData("candidate:1 1 UDP 1 camera.example.org 5000 typ host")]
    [InlineData("candidate:1 1 UDP 1 .local 5000 typ host")]
    [InlineData("candidate:1 1 UDP 1 a/b.local 5000 typ host")]
    [InlineData("candidate:1 1 UDP 1 192.0.2.1 5000 typ wormhole")]
    [InlineData("candidate:1 1 UDP 1 192.0.2.1 5000")]
    [InlineData("candidate:_ 1 UDP 1 192.0.2.1 5000 typ host")]
    [InlineData("candidate:123456789012345678901234567890123 1 UDP 1 192.0.2.1 5000 typ host")]
    [InlineData("candidate:")]
    [InlineData("a=candidat")]
    [InlineData("")]
    public void Unusable_candidates_are_left_out(string line)
    {
        Assert.Null(Parse(line));
    }

    [Fact]
    public void Overlong_candidates_are_left_out()
    {
        Assert.Null(Parse("candidate:1 1 UDP 1 192.0.2.1 5000 typ host " + new string('x', 1024)));
    }

    [Theory]
    [InlineData(IceCandidateType.Host, "192.0.2.1", "192.0.2.1", "candidate:7 1 udp 2130706431 192.0.2.1 5000 typ host")]
    [InlineData(IceCandidateType.ServerReflexive, "203.0.113.9", "192.0.2.1", "candidate:7 1 udp 2130706431 203.0.113.9 5000 typ srflx raddr 192.0.2.1 rport 5000")]
    [InlineData(IceCandidateType.Relayed, "203.0.113.9", "203.0.113.9", "candidate:7 1 udp 2130706431 203.0.113.9 5000 typ relay raddr 0.0.0.0 rport 9")]
    [InlineData(IceCandidateType.PeerReflexive, "2001:db8::2", "2001:db8::2", "candidate:7 1 udp 2130706431 2001:db8::2 5000 typ prflx raddr :: rport 9")]
    [InlineData(IceCandidateType.Host, "fe80::1%3", "fe80::1%3", "candidate:7 1 udp 2130706431 fe80::1 5000 typ host")]
    public void Candidates_are_written_and_read_back(IceCandidateType type, string address, string @base, string expected)
    {
        Assert.True(TransportAddress.TryParse(address, 5000, out var own));
        Assert.True(TransportAddress.TryParse(@base, 5000, out var baseAddress));

        var text = SdpNegotiation.FormatCandidate(new IceCandidate(type, own, baseAddress, 2130706431, "7"));

        Assert.Equal(expected, text);
        Assert.Equal(new SignaledCandidate(type, address.Split('%')[0], 5000, 2130706431, "7"), Parse(text));
    }
}
