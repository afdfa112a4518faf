using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;
using Agent.Rtc.Sdp;
using static Agent.Rtc.Tests.Sdp.SdpTestData;

namespace Agent.Rtc.Tests.Sdp;

public sealed class BrowserOfferTests
{
    private const string ChromiumAnswer = """
        v=0
        o=- 1234605616436508552 1 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0
        a=ice-options:trickle ice2
        m=video 3478 UDP/TLS/RTP/SAVPF 108 109
        c=IN IP4 192.0.2.10
        a=mid:0
        a=sendonly
        a=ice-ufrag:agnt
        a=ice-pwd:agentPasswordOf24charact
        a=fingerprint:sha-256 00:08:10:18:20:28:30:38:40:48:50:58:60:68:70:78:80:88:90:98:A0:A8:B0:B8:C0:C8:D0:D8:E0:E8:F0:F8
        a=setup:active
        a=rtcp-mux
        a=rtcp-rsize
        a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
        a=extmap:4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
        a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid
        a=msid:main main
        a=rtpmap:108 H264/90000
        a=rtcp-fb:108 transport-cc
        a=rtcp-fb:108 ccm fir
        a=rtcp-fb:108 nack
        a=rtcp-fb:108 nack pli
        a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e028
        a=rtpmap:109 rtx/90000
        a=fmtp:109 apt=108
        a=ssrc-group:FID 287454020 1432778632
        a=ssrc:287454020 cname:cname0123456789a
        a=ssrc:1432778632 cname:cname0123456789a
        a=candidate:1 1 udp 2130706431 192.0.2.10 3478 typ host
        a=candidate:2 1 udp 2130706175 2001:db8::10 3478 typ host
        a=end-of-candidates
        m=audio 0 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=mid:1
        a=inactive
        m=application 0 UDP/DTLS/SCTP webrtc-datachannel
        c=IN IP4 0.0.0.0
        a=mid:2
        a=inactive
        """;

    [Fact]
    public void Chromium_gets_its_constrained_baseline_format_and_everything_else_is_rejected()
    {
        var session = Answer(ReadText("chromium-offer.sdp"));

        Assert.Equal(ChromiumAnswer.ReplaceLineEndings("\r\n") + "\r\n", session.LocalSdp);
        Assert.Equal(new IceCredentials("e9Un", "2SFNK7TapnZKnd8RzH985O4i"), session.RemoteIce);
        Assert.False(session.RemoteIsIceLite);
        Assert.False(session.RemoteEndOfCandidates);
        Assert.Equal("sha-256", session.RemoteFingerprint.Algorithm);
        Assert.Equal(
            "62D084AF7351BDE3D91348E5FC0B7C55A60981B13B18E9D446752CD97E0A5DB4", Convert.ToHexString(session.RemoteFingerprint.Value.Span));
        Assert.Equal(DtlsRole.Client, session.DtlsRole);
        Assert.Equal(
            [
                new SignaledCandidate(IceCandidateType.Host, "ac590cda-736a-41f8-ae9d-a44dcc66a513.local", 52321, 2113937151, "3393339970"),
                new SignaledCandidate(IceCandidateType.Host, "d4c35bcd-80b9-4b1d-81f0-7a614d952af5.local", 43875, 2113942271, "19170210"),
            ],
            session.RemoteCandidates);
        Assert.Equal(("0", "0"), (session.BundleMid, session.VideoMid));
        Assert.Equal((108, (byte?)109), (session.PayloadType, session.RtxPayloadType));
        Assert.Equal("42e028", session.ProfileLevelId);
        Assert.Equal(9, session.Extensions.Mid);
        Assert.True(session.ReducedSizeRtcp);
    }

    [Fact]
    public void Firefox_gets_its_constrained_baseline_format()
    {
        var session = Answer(ReadText("firefox-offer-h264prefs.sdp"));

        Assert.Equal((126, (byte?)127), (session.PayloadType, session.RtxPayloadType));
        Assert.Equal("42e028", session.ProfileLevelId);
        Assert.Equal(3, session.Extensions.Mid);
        Assert.True(session.RemoteEndOfCandidates);
        Assert.Equal(new IceCredentials("0b532b4b", "f6041e2981e936740db1a6774c031eec"), session.RemoteIce);

        // Component 2 is left out, and the fingerprint stands at session level.
        const string name = "625205f9-307a-4d7d-9c57-7768b2aeca31.local";
        Assert.Equal(
            [
                new SignaledCandidate(IceCandidateType.Host, name, 44548, 2122252543, "0"),
                new SignaledCandidate(IceCandidateType.Host, name, 9, 2105524479, "1", TransportProtocol.Tcp),
            ],
            session.RemoteCandidates);
        Assert.StartsWith("BF5DA41C", Convert.ToHexString(session.RemoteFingerprint.Value.Span));
        var lines = Lines(session.LocalSdp);
        Assert.Contains("m=video 3478 UDP/TLS/RTP/SAVPF 126 127", lines);
        Assert.Equal(["a=mid:0", "a=mid:1", "a=mid:2"], lines.Where(line => line.StartsWith("a=mid:", StringComparison.Ordinal)));
    }

    [Fact]
    public void Firefox_without_H264_is_told_what_it_offered()
    {
        var error = Refuse(ReadText("firefox-offer-default.sdp"));

        Assert.Equal(SdpErrorKind.NotAcceptable, error.Kind);
        Assert.Equal(
            "SDP line 10: m=video offers no H264/90000 with packetization-mode=1 (RFC 6184), only VP8, rtx, VP9, AV1, ulpfec, red; enable H.264 in the browser.",
            error.Message);
    }

    [Theory]
    [InlineData("42c01f", 98, "42e01f")]
    [InlineData("42e028", 98, "42e028")]
    [InlineData("640c1f", 96, "640c1f")]
    [InlineData("640028", 96, "640c28")]
    public void Safari_gets_the_format_that_fits_the_stream(string stream, int payloadType, string answered)
    {
        var session = Answer(ReadText("safari-like-offer.sdp"), Options with { ProfileLevelId = stream });

        Assert.Equal((payloadType, answered), (session.PayloadType, session.ProfileLevelId));
    }

    [Theory]
    [InlineData("42c01f", 108, "42e01f")]
    [InlineData("42001f", 102, "42001f")]
    [InlineData("4d401f", 116, "4d001f")]
    [InlineData("64001f", 41, "f4001f")]
    [InlineData("640c2a", 41, "f4002a")]
    public void Chromium_gets_the_format_that_fits_the_stream(string stream, int payloadType, string answered)
    {
        var session = Answer(ReadText("chromium-offer.sdp"), Options with { ProfileLevelId = stream });

        Assert.Equal((payloadType, answered), (session.PayloadType, session.ProfileLevelId));
    }

    [Fact]
    public void A_main_stream_does_not_fit_Safari()
    {
        var error = Refuse(ReadText("safari-like-offer.sdp"), Options with { ProfileLevelId = "4d001f" });

        Assert.Equal(SdpErrorKind.NotAcceptable, error.Kind);
        Assert.Contains("the stream is profile Main", error.Message);
    }

    [Theory]
    [InlineData("chromium-offer.sdp")]
    [InlineData("firefox-offer-h264prefs.sdp")]
    [InlineData("safari-like-offer.sdp")]
    public void Line_feeds_alone_are_accepted(string name)
    {
        var offer = ReadText(name);

        Assert.Equal(Answer(offer).LocalSdp, Answer(offer.Replace("\r\n", "\n", StringComparison.Ordinal)).LocalSdp);
    }

    [Fact]
    public void The_answer_is_itself_SDP_that_the_parser_accepts()
    {
        var answer = Answer(ReadText("chromium-offer.sdp")).LocalSdp;

        Assert.True(SdpParser.TryParse(System.Text.Encoding.UTF8.GetBytes(answer), isFragment: false, out var description, out _));
        Assert.Equal([3478, 0, 0], description.Sections.Select(section => section.Port));
    }
}
