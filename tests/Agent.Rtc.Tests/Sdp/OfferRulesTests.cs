using Agent.Rtc.Dtls;
using Agent.Rtc.Rtp;
using Agent.Rtc.Sdp;
using static Agent.Rtc.Tests.Sdp.SdpTestData;

namespace Agent.Rtc.Tests.Sdp;

public sealed class OfferRulesTests
{
    private const string Digest = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";

    private const string Minimal = $"""
        v=0
        o=- 1 1 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE v
        a=fingerprint:sha-256 {Digest}
        m=video 9 UDP/TLS/RTP/SAVPF 96
        c=IN IP4 0.0.0.0
        a=mid:v
        a=recvonly
        a=ice-ufrag:abcd
        a=ice-pwd:abcdefghijklmnopqrstuv
        a=setup:actpass
        a=rtcp-mux
        a=rtpmap:96 H264/90000
        a=fmtp:96 packetization-mode=1;profile-level-id=42e01f
        """;

    private static readonly SdpAnswerOptions s_level31 = Options with { ProfileLevelId = "42c01f" };

    private static string With(string line, string replacement)
    {
        Assert.Contains(line, Minimal);
        return Minimal.Replace(line, replacement, StringComparison.Ordinal);
    }

    [Fact]
    public void A_minimal_offer_is_answered_with_only_what_it_asked_for()
    {
        var session = Answer(Minimal, s_level31);

        var lines = Lines(session.LocalSdp);
        Assert.Contains("m=video 3478 UDP/TLS/RTP/SAVPF 96", lines);
        Assert.Contains("a=fmtp:96 packetization-mode=1;profile-level-id=42e01f", lines);
        Assert.Contains("a=ice-options:ice2", lines);
        Assert.DoesNotContain(lines, line => line.Contains("rtcp-fb") || line.Contains("rsize") || line.Contains("extmap") || line.Contains("FID"));
        Assert.Null(session.RtxPayloadType);
        Assert.Equal(0, session.Extensions.Mid);
        Assert.False(session.ReducedSizeRtcp);
    }

    [Theory]
    [InlineData("actpass", DtlsRole.Client, "a=setup:active")]
    [InlineData("passive", DtlsRole.Client, "a=setup:active")]
    [InlineData("active", DtlsRole.Server, "a=setup:passive")]
    public void The_DTLS_role_is_active_unless_the_offer_is(string offered, DtlsRole role, string answered)
    {
        var session = Answer(With("a=setup:actpass", $"a=setup:{offered}"), s_level31);

        Assert.Equal(role, session.DtlsRole);
        Assert.Contains(answered, Lines(session.LocalSdp));
    }

    [Fact]
    public void An_ice_lite_peer_is_noticed()
    {
        Assert.True(Answer(With("s=-", "s=-\na=ice-lite"), s_level31).RemoteIsIceLite);
    }

    [Fact]
    public void A_media_fingerprint_wins_over_the_session_and_the_strongest_hash_wins()
    {
        var strong = string.Join(':', Enumerable.Repeat("5A", 64));
        var weak = string.Join(':', Enumerable.Repeat("01", 20));

        var session = Answer(
            With("a=mid:v", $"a=mid:v\na=fingerprint:sha-1 {weak}\na=fingerprint:SHA-256 {Digest}\na=fingerprint:sha-512 {strong}"), s_level31);

        Assert.Equal("sha-512", session.RemoteFingerprint.Algorithm);
        Assert.Equal(64, session.RemoteFingerprint.Value.Length);
        Assert.All(session.RemoteFingerprint.Value.ToArray(), value => Assert.Equal(0x5A, value));
    }

    [Theory]
    [InlineData("a=recvonly", "a=sendonly", "SDP line 7: m=video is a=sendonly, and this agent only sends; offer a=recvonly or a=sendrecv.")]
    [InlineData("a=recvonly", "a=inactive", "SDP line 7: m=video is a=inactive, and this agent only sends; offer a=recvonly or a=sendrecv.")]
    [InlineData("m=video 9", "m=video 0", "The offer has no active m=video section; add a recvonly video transceiver before createOffer.")]
    [InlineData("m=video 9", "m=audio 9", "The offer has no active m=video section; add a recvonly video transceiver before createOffer.")]
    [InlineData("UDP/TLS/RTP/SAVPF", "RTP/AVP", "SDP line 7: m=video uses RTP/AVP; offer UDP/TLS/RTP/SAVPF (RFC 8829 §5.1.2).")]
    [InlineData("packetization-mode=1;", "", "SDP line 7: m=video offers no H264/90000 with packetization-mode=1 (RFC 6184), only H264; enable H.264 in the browser.")]
    [InlineData("42e01f", "42e00d", "SDP line 7: no H.264 format of m=video fits: the stream is H.264 level 3.1, payload type 96 allows at most 1.3; offer level-asymmetry-allowed=1 or a higher level, or lower the camera's resolution or frame rate.")]
    [InlineData("42e01f", "42zz1f", "SDP line 7: no H.264 format of m=video fits: profile-level-id=42zz1f of payload type 96 is not six hex digits of a known profile.")]
    public void An_offer_that_cannot_be_served_is_not_acceptable(string line, string replacement, string message)
    {
        Assert.Equal(new SdpError(SdpErrorKind.NotAcceptable, message), Refuse(With(line, replacement), s_level31));
    }

    [Theory]
    [InlineData("a=mid:v\n", "", "SDP line 7: m=video has no usable a=mid (RFC 8829 §5.2.1); add for example a=mid:0.")]
    [InlineData("a=rtcp-mux\n", "", "SDP line 7: m=video has no a=rtcp-mux, which this agent needs (RFC 8834 §4.5); use rtcpMuxPolicy \"require\".")]
    [InlineData("a=ice-ufrag:abcd\n", "", "SDP line 11: a=ice-ufrag must have 4 to 256 letters, digits, + or / (RFC 8839 §5.4).")]
    [InlineData("a=ice-ufrag:abcd", "a=ice-ufrag:a d", "SDP line 11: a=ice-ufrag must have 4 to 256 letters, digits, + or / (RFC 8839 §5.4).")]
    [InlineData("a=ice-pwd:abcdefghijklmnopqrstuv", "a=ice-pwd:short", "SDP line 12: a=ice-pwd must have 22 to 256 letters, digits, + or / (RFC 8839 §5.4).")]
    [InlineData("a=ice-ufrag:abcd\na=ice-pwd:abcdefghijklmnopqrstuv\n", "", "SDP line 7: m=video has no a=ice-ufrag and a=ice-pwd (RFC 8839 §5.4); send the browser's local description.")]
    [InlineData("a=setup:actpass\n", "", "SDP line 7: m=video needs a=setup:actpass, active or passive (RFC 8842 §5.2).")]
    [InlineData("a=setup:actpass", "a=setup:holdconn", "SDP line 13: m=video needs a=setup:actpass, active or passive (RFC 8842 §5.2).")]
    [InlineData("a=fingerprint:sha-256 " + Digest + "\n", "", "SDP line 6: neither m=video nor the session has a=fingerprint (RFC 8122 §5); send the browser's local description.")]
    [InlineData("sha-256", "md5", "SDP line 6: a=fingerprint uses an unsupported hash; use sha-256, sha-384 or sha-512 (RFC 8122 §5).")]
    [InlineData("sha-256", "sha-384", "SDP line 6: a=fingerprint:sha-384 must have 48 hex bytes joined by colons (RFC 8122 §5).")]
    [InlineData("v=0", "v=1", "SDP line 1: the first line must be \"v=0\" (RFC 8866 §5.1).")]
    [InlineData("t=0 0", "T=0 0", "SDP line 4: expected one lower-case letter, \"=\" and text up to the line end (RFC 8866 §5).")]
    [InlineData("t=0 0", "", "SDP line 4: expected one lower-case letter, \"=\" and text up to the line end (RFC 8866 §5).")]
    [InlineData("t=0 0", "t=0\r0", "SDP line 4: expected one lower-case letter, \"=\" and text up to the line end (RFC 8866 §5).")]
    [InlineData("m=video 9 ", "m=video x ", "SDP line 7: expected \"m=<media> <port> <proto> <fmt> …\" (RFC 8866 §5.14).")]
    [InlineData("m=video 9 ", "m=video 65536 ", "SDP line 7: expected \"m=<media> <port> <proto> <fmt> …\" (RFC 8866 §5.14).")]
    public void A_malformed_offer_is_told_the_line_and_the_mend(string line, string replacement, string message)
    {
        Assert.Equal(new SdpError(SdpErrorKind.Malformed, message), Refuse(With(line, replacement), s_level31));
    }

    [Fact]
    public void Level_asymmetry_lets_a_higher_level_through_and_the_answer_states_it()
    {
        var session = Answer(With("packetization-mode=1;", "level-asymmetry-allowed=1; Packetization-Mode=1 ;"), Options with { ProfileLevelId = "42c033" });

        Assert.Equal("42e033", session.ProfileLevelId);
        Assert.Contains("a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e033", Lines(session.LocalSdp));
    }

    [Fact]
    public void The_answer_without_asymmetry_states_a_level_below_the_offered_one()
    {
        Assert.Equal("42e01e", Answer(Minimal, Options with { ProfileLevelId = "42c01e" }).ProfileLevelId);
    }

    [Theory]
    [InlineData("42e01f")]
    [InlineData("640028")]
    public void An_offer_that_states_no_profile_takes_any_stream_and_is_told_which(string stream)
    {
        var session = Answer(With(";profile-level-id=42e01f", ""), Options with { ProfileLevelId = stream });

        Assert.Equal(stream, session.ProfileLevelId);
        Assert.Contains($"a=fmtp:96 packetization-mode=1;profile-level-id={stream}", Lines(session.LocalSdp));
    }

    [Fact]
    public void A_format_that_states_its_profile_goes_before_one_that_does_not()
    {
        var offer = With("SAVPF 96", "SAVPF 97 96") + "\na=rtpmap:97 H264/90000\na=fmtp:97 packetization-mode=1";

        Assert.Equal(96, Answer(offer, s_level31).PayloadType);
    }

    [Fact]
    public void Bundle_only_video_takes_its_transport_from_the_tagged_section()
    {
        var offer = $"""
            v=0
            o=- 1 1 IN IP4 127.0.0.1
            s=-
            t=0 0
            a=group:BUNDLE a v
            m=audio 9 UDP/TLS/RTP/SAVPF 111
            a=mid:a
            a=recvonly
            a=ice-ufrag:abcd
            a=ice-pwd:abcdefghijklmnopqrstuv
            a=fingerprint:sha-256 {Digest}
            a=setup:actpass
            a=rtcp-mux
            a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host
            a=end-of-candidates
            m=video 0 UDP/TLS/RTP/SAVPF 96
            a=mid:v
            a=bundle-only
            a=recvonly
            a=rtpmap:96 H264/90000
            a=fmtp:96 packetization-mode=1;profile-level-id=42e01f
            """;

        var session = Answer(offer, s_level31);

        Assert.Equal("abcd", session.RemoteIce.Ufrag);
        Assert.Equal("192.0.2.1", Assert.Single(session.RemoteCandidates).HostName);
        Assert.True(session.RemoteEndOfCandidates);
        Assert.Equal("v", session.BundleMid);
        var lines = Lines(session.LocalSdp);
        Assert.Contains("a=group:BUNDLE v", lines);
        Assert.Equal(
            ["m=audio 0 UDP/TLS/RTP/SAVPF 111", "m=video 3478 UDP/TLS/RTP/SAVPF 96"],
            lines.Where(line => line.StartsWith("m=", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_first_video_section_that_fits_is_taken_and_the_others_are_rejected()
    {
        var section = Minimal[Minimal.IndexOf("m=video", StringComparison.Ordinal)..];
        var offer = With("a=recvonly", "a=sendonly") + "\n" + section.Replace("a=mid:v", "a=mid:w", StringComparison.Ordinal)
            + "\n" + section.Replace("a=mid:v", "a=mid:x", StringComparison.Ordinal);

        var session = Answer(offer, s_level31);

        Assert.Equal("w", session.VideoMid);
        var lines = Lines(session.LocalSdp);
        Assert.DoesNotContain(lines, line => line.StartsWith("a=group", StringComparison.Ordinal));
        Assert.Equal(["m=video 0 ", "m=video 3478 ", "m=video 0 "], lines
            .Where(line => line.StartsWith("m=", StringComparison.Ordinal)).Select(line => line[..(line.IndexOf("UDP", StringComparison.Ordinal))]));
    }

    [Fact]
    public void Wildcard_feedback_applies_to_the_chosen_format_and_unknown_feedback_is_not_echoed()
    {
        var session = Answer(With("a=rtcp-mux", "a=rtcp-mux\na=rtcp-fb:* nack pli\na=rtcp-fb:96 nack\na=rtcp-fb:96 transport-cc\na=rtcp-fb:97 ccm fir"), s_level31);

        Assert.Equal(
            ["a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli"],
            Lines(session.LocalSdp).Where(line => line.StartsWith("a=rtcp-fb", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("3", 3, "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid")]
    [InlineData("3/recvonly", 3, "a=extmap:3/sendonly urn:ietf:params:rtp-hdrext:sdes:mid")]
    [InlineData("3/sendonly", 0, null)]
    [InlineData("15", 0, null)]
    [InlineData("0", 0, null)]
    public void The_mid_extension_is_agreed_where_a_one_byte_header_can_carry_it(string offered, int id, string? answered)
    {
        var session = Answer(With("a=mid:v", $"a=mid:v\na=extmap:{offered} urn:ietf:params:rtp-hdrext:sdes:mid"), s_level31);

        Assert.Equal(id, session.Extensions.Mid);
        Assert.Equal(answered, Lines(session.LocalSdp).FirstOrDefault(line => line.StartsWith("a=extmap", StringComparison.Ordinal)));
    }

    /// <summary>A packet that is sent again without RTX is the same packet, and so cannot tell when it is sent.</summary>
    [Theory]
    [InlineData(true, "transport-cc", "4 5 6 7", "transport-cc")]
    [InlineData(true, "goog-remb", "5 6 7", "goog-remb")]
    [InlineData(false, "transport-cc", "7", "goog-remb")]
    [InlineData(false, "goog-remb", "7", "goog-remb")]
    public void Extensions_about_the_moment_of_sending_need_RTX_and_the_feedback_on_them(bool rtx, string feedback, string ids, string answeredFeedback)
    {
        var extensions = $"""
            a=mid:v
            a=rtcp-fb:96 goog-remb
            a=rtcp-fb:96 {feedback}
            a=extmap:4 {HeaderExtensions.TransportSequence}
            a=extmap:4 {HeaderExtensions.AbsoluteCaptureTime}
            a=extmap:5 {HeaderExtensions.AbsoluteSendTime}
            a=extmap:9/sendonly {HeaderExtensions.PlayoutDelay}
            a=extmap:6/recvonly {HeaderExtensions.AbsoluteCaptureTime}
            a=extmap:7 {HeaderExtensions.PlayoutDelay}
            a=extmap:8 urn:ietf:params:rtp-hdrext:toffset
            """;
        var offer = With("a=mid:v", extensions);
        if (rtx)
            offer = offer.Replace("SAVPF 96", "SAVPF 96 98").Replace("a=rtcp-mux", "a=rtcp-mux\na=rtpmap:98 rtx/90000\na=fmtp:98 apt=96");

        var session = Answer(offer, s_level31);

        var lines = Lines(session.LocalSdp);
        Assert.Equal(ids, string.Join(' ', lines.Where(line => line.StartsWith("a=extmap:")).Select(line => line["a=extmap:".Length])));
        Assert.Equal(answeredFeedback, lines.First(line => line.StartsWith("a=rtcp-fb")).Split(' ')[1]);
        Assert.Equal(
            new RtpExtensionIds
            {
                TransportSequence = (byte)(ids.StartsWith('4') ? 4 : 0), AbsoluteSendTime = (byte)(rtx ? 5 : 0),
                AbsoluteCaptureTime = (byte)(rtx ? 6 : 0), PlayoutDelay = 7,
            },
            session.Extensions);
    }

    [Fact]
    public void Options_that_cannot_be_written_are_a_bug_of_the_caller()
    {
        Assert.Throws<ArgumentException>(() => Answer(Minimal, Options with { ProfileLevelId = "high" }));
        Assert.Throws<ArgumentException>(() => Answer(Minimal, Options with { StreamId = "two words" }));
    }

    [Fact]
    public void Without_candidates_the_answer_has_no_default_destination()
    {
        var lines = Lines(Answer(Minimal, s_level31 with { Candidates = [] }).LocalSdp);

        Assert.Contains("m=video 9 UDP/TLS/RTP/SAVPF 96", lines);
        Assert.Contains("c=IN IP4 0.0.0.0", lines);
    }
}
