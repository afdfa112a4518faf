using System.Text;
using Agent.Rtc.Ice;
using Agent.Rtc.Sdp;

namespace Agent.Rtc.Tests.Sdp;

public sealed class TrickleFragmentTests
{
    // The shape of RFC 8840 §9's and RFC 9725 §4.3.2's examples.
    private const string Example = """
        a=ice-options:trickle ice2
        a=group:BUNDLE 0 1
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        a=mid:0
        a=ice-ufrag:EsAw
        a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
        a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1
        a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host generation 0 ufrag EsAw network-id 2
        a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0 ufrag EsAw network-id 1
        a=end-of-candidates
        """;

    private static TrickleFragment Parse(string text)
    {
        Assert.True(SdpNegotiation.TryParseTrickleFragment(Encoding.UTF8.GetBytes(text), out var fragment, out var error), error?.Message);
        return fragment!;
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void A_fragment_carries_credentials_candidates_and_the_end(string lineEnd)
    {
        var fragment = Parse(Example.ReplaceLineEndings(lineEnd));

        Assert.Equal(new IceCredentials("EsAw", "P2uYro0UCOQ4zxjKXaWCBui1"), fragment.Ice);
        Assert.Equal(["192.0.2.1", "198.51.100.2", "192.0.2.1"], fragment.Candidates.Select(candidate => candidate.HostName));
        Assert.True(fragment.EndOfCandidates);
    }

    [Fact]
    public void A_fragment_may_have_candidates_only_or_nothing()
    {
        var fragment = Parse("a=candidate:1 1 udp 1 192.0.2.1 61764 typ host\r\n");

        Assert.Null(fragment.Ice);
        Assert.Single(fragment.Candidates);
        Assert.False(fragment.EndOfCandidates);
        Assert.Empty(Parse("").Candidates);
    }

    [Fact]
    public void A_fragment_that_is_not_SDP_is_told_the_line()
    {
        Assert.False(SdpNegotiation.TryParseTrickleFragment("a=mid:0\r\n{\"candidate\":1}"u8, out _, out var error));
        Assert.Equal("SDP line 2: expected one lower-case letter, \"=\" and text up to the line end (RFC 8866 §5).", error!.Message);
        Assert.False(SdpNegotiation.TryParseTrickleFragment("a=ice-ufrag:abcd\r\n"u8, out _, out error));
        Assert.Equal(SdpErrorKind.Malformed, error!.Kind);
    }

    [Fact]
    public void The_answer_to_an_ICE_restart_reads_back()
    {
        var text = SdpNegotiation.FormatTrickleFragment(SdpTestData.Options.Ice, SdpTestData.Options.Candidates, "0");

        Assert.Equal(
            """
            a=ice-options:trickle ice2
            a=group:BUNDLE 0
            m=video 9 UDP/TLS/RTP/SAVPF 0
            a=mid:0
            a=ice-ufrag:agnt
            a=ice-pwd:agentPasswordOf24charact
            a=candidate:1 1 udp 2130706431 192.0.2.10 3478 typ host
            a=candidate:2 1 udp 2130706175 2001:db8::10 3478 typ host
            a=end-of-candidates

            """.ReplaceLineEndings("\r\n"),
            text);
        var fragment = Parse(text);
        Assert.Equal(SdpTestData.Options.Ice, fragment.Ice);
        Assert.Equal(2, fragment.Candidates.Count);
        Assert.True(fragment.EndOfCandidates);
    }
}
