using System.Text;
using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;
using Agent.Rtc.Sdp;
using static Agent.Rtc.Tests.Sdp.SdpTestData;

namespace Agent.Rtc.Tests.Sdp;

/// <summary>This side offers, as a WHIP client (RFC 9725).</summary>
public sealed class OfferedVideoTests
{
    private static readonly string s_offer = SdpNegotiation.CreateOffer(Options);

    [Fact]
    public void The_offer_has_one_sendonly_video_with_everything_in_it()
    {
        var lines = Lines(s_offer);
        Assert.Single(lines, line => line.StartsWith("m=", StringComparison.Ordinal));
        Assert.Contains("m=video 3478 UDP/TLS/RTP/SAVPF 96 97", lines);
        Assert.Contains("a=sendonly", lines);
        Assert.Contains("a=setup:actpass", lines);
        Assert.Contains("a=ice-ufrag:agnt", lines);
        Assert.Contains("a=group:BUNDLE 0", lines);
        Assert.Contains("a=rtcp-mux", lines);
        Assert.Contains("a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42c028", lines);
        Assert.Contains("a=fmtp:97 apt=96", lines);
        Assert.Contains("a=ssrc-group:FID 287454020 1432778632", lines);
        Assert.Equal(2, lines.Count(line => line.StartsWith("a=candidate:", StringComparison.Ordinal)));
        Assert.Equal("a=end-of-candidates", lines[^1]);
    }

    [Fact]
    public void This_side_takes_its_own_offer_for_well_formed()
    {
        Assert.True(SdpParser.TryParse(Encoding.UTF8.GetBytes(s_offer), isFragment: false, out var offer, out _));
        Assert.Single(offer.Sections);
    }

    [Fact]
    public void An_answer_of_aiortc_is_accepted()
    {
        var session = Accept(ReadText("aiortc-answer.sdp"));
        Assert.Equal((IceRole.Controlling, DtlsRole.Server), (session.IceRole, session.DtlsRole));
        Assert.Equal((96, (byte?)97), ((int)session.PayloadType, session.RtxPayloadType));
        Assert.Equal(s_offer, session.LocalSdp);
        Assert.NotEmpty(session.RemoteCandidates);
        Assert.Equal("0", session.VideoMid);
    }

    [Fact]
    public void What_the_server_agrees_to_is_what_is_sent()
    {
        var answer = ReadText("aiortc-answer.sdp").Replace("a=rtpmap:97 rtx/90000\r\n", "", StringComparison.Ordinal);
        Assert.Null(Accept(answer).RtxPayloadType);
    }

    [Fact]
    public void A_lite_server_is_no_reason_to_give_up_control()
    {
        var session = Accept(ReadText("aiortc-answer.sdp").Replace("s=-\r\n", "s=-\r\na=ice-lite\r\n", StringComparison.Ordinal));
        Assert.Equal(IceRole.Controlling, session.IceRole);
    }

    [Theory]
    [InlineData("a=recvonly", "a=inactive", "m=video is a=inactive")]
    [InlineData("m=video ", "m=audio ", "the offer had one m=video section, and so must the answer")]
    [InlineData("a=setup:active", "a=setup:holdconn", "needs a=setup")]
    [InlineData("H264/90000", "VP8/90000", "offers no H264/90000")]
    public void Answers_that_agree_to_nothing_are_refused(string present, string instead, string reason)
    {
        var answer = ReadText("aiortc-answer.sdp");
        Assert.Contains(present, answer);
        Assert.False(SdpNegotiation.TryAcceptAnswer(
            Encoding.UTF8.GetBytes(answer.Replace(present, instead, StringComparison.Ordinal)), s_offer, Options, out var session, out var error));
        Assert.Null(session);
        Assert.Contains(reason, error!.Message);
    }

    [Fact]
    public void A_rejected_section_is_told_as_that()
    {
        var answer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=inactive\r\n";
        Assert.False(SdpNegotiation.TryAcceptAnswer(Encoding.UTF8.GetBytes(answer), s_offer, Options, out _, out var error));
        Assert.Equal(
            (SdpErrorKind.NotAcceptable, "SDP line 5: the server rejects the video; it must take H.264 with profile-level-id=42c028, packetization-mode=1."),
            (error!.Kind, error.Message));
    }

    [Fact]
    public void An_answer_cut_off_anywhere_is_accepted_or_refused_and_never_throws()
    {
        var answer = Read("aiortc-answer.sdp");
        for (var length = 0; length <= answer.Length; length++)
        {
            var accepted = SdpNegotiation.TryAcceptAnswer(answer.AsSpan(0, length), s_offer, Options, out var session, out var error);
            Assert.Equal((accepted, accepted), (session is not null, error is null));
        }
    }

    private static NegotiatedSession Accept(string answer)
    {
        Assert.True(SdpNegotiation.TryAcceptAnswer(Encoding.UTF8.GetBytes(answer), s_offer, Options, out var session, out var error), error?.Message);
        return session!;
    }
}
