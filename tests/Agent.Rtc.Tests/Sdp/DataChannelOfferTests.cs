using Agent.Rtc.Sdp;
using static Agent.Rtc.Tests.Sdp.SdpTestData;

namespace Agent.Rtc.Tests.Sdp;

public sealed class DataChannelOfferTests
{
    private const string DataSection = """
        m=application 3478 UDP/DTLS/SCTP webrtc-datachannel
        c=IN IP4 192.0.2.10
        a=mid:2
        a=ice-ufrag:agnt
        a=ice-pwd:agentPasswordOf24charact
        a=fingerprint:sha-256 00:08:10:18:20:28:30:38:40:48:50:58:60:68:70:78:80:88:90:98:A0:A8:B0:B8:C0:C8:D0:D8:E0:E8:F0:F8
        a=setup:active
        a=sctp-port:5000
        a=max-message-size:65536
        """;

    private static readonly SdpAnswerOptions s_wanting = Options with { WantsDataChannels = true };

    [Fact]
    public void Chromium_gets_its_data_channels_in_the_bundle_and_the_place_of_its_offer()
    {
        var session = Answer(ReadText("chromium-offer.sdp"), s_wanting);
        Assert.EndsWith(DataSection.ReplaceLineEndings("\r\n") + "\r\n", session.LocalSdp, StringComparison.Ordinal);
        Assert.Contains("\r\na=group:BUNDLE 0 2\r\n", session.LocalSdp, StringComparison.Ordinal);
        Assert.Equal(["video", "audio", "application"], Media(session.LocalSdp));
        Assert.Equal(new DataChannelTerms(5000, 262144), session.DataChannels);
        Assert.Equal(("0", "0"), (session.BundleMid, session.VideoMid));
    }

    [Theory]
    [InlineData("firefox-offer-default.sdp")]
    [InlineData("firefox-offer-h264prefs.sdp")]
    public void Firefox_does_too(string file)
    {
        var offer = ReadText(file);
        if (!SdpNegotiation.TryAnswer(System.Text.Encoding.UTF8.GetBytes(offer), s_wanting, out var session, out var error))
        {
            Assert.Equal(SdpErrorKind.NotAcceptable, error!.Kind); // an offer without H.264 has no answer either way
            return;
        }

        Assert.Equal(Media(offer), Media(session!.LocalSdp));
        Assert.Equal(5000, session.DataChannels!.SctpPort);
    }

    [Fact]
    public void Where_the_offer_begins_its_bundle_with_the_data_channels_the_answer_does_and_has_the_candidates_there()
    {
        var offer = ReadText("chromium-offer.sdp").Replace("a=group:BUNDLE 0 1 2", "a=group:BUNDLE 2 0 1", StringComparison.Ordinal);
        var session = Answer(offer, s_wanting);
        Assert.Contains("\r\na=group:BUNDLE 2 0\r\n", session.LocalSdp, StringComparison.Ordinal);
        Assert.Equal(("2", "0"), (session.BundleMid, session.VideoMid));
        var section = session.LocalSdp[session.LocalSdp.IndexOf("m=application", StringComparison.Ordinal)..];
        Assert.Contains("\r\na=candidate:", section, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a=group:BUNDLE 0 1 2", "a=group:BUNDLE 0 1")]
    [InlineData("m=application 9 ", "m=application 0 ")]
    [InlineData("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000")]
    [InlineData("UDP/DTLS/SCTP webrtc-datachannel", "UDP/DTLS/SCTP other")]
    [InlineData("a=sctp-port:5000", "a=sctp-port:65536")]
    [InlineData("a=sctp-port:5000", "a=nothing")]
    [InlineData("a=max-message-size:262144", "a=max-message-size:-1")]
    public void What_cannot_be_used_is_rejected_and_the_video_goes_on(string text, string replacement)
    {
        var offer = ReadText("chromium-offer.sdp");
        Assert.Contains(text, offer, StringComparison.Ordinal);
        var session = Answer(offer.Replace(text, replacement, StringComparison.Ordinal), s_wanting);
        Assert.Null(session.DataChannels);
        Assert.Contains("\r\nm=application 0 ", session.LocalSdp, StringComparison.Ordinal);
        Assert.Contains("\r\na=group:BUNDLE 0\r\n", session.LocalSdp, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a=max-message-size:0", int.MaxValue)]
    [InlineData("a=max-message-size:4294967295", int.MaxValue)]
    [InlineData("a=max-message-size:1000", 1000)]
    [InlineData("a=other", 65536)]
    public void The_peers_longest_message_is_as_it_says(string line, int expected) =>
        Assert.Equal(expected, Answer(ReadText("chromium-offer.sdp").Replace("a=max-message-size:262144", line, StringComparison.Ordinal), s_wanting).DataChannels!.MaximumMessageLength);

    [Fact]
    public void Where_they_are_not_wanted_they_are_rejected() => Assert.Null(Answer(ReadText("chromium-offer.sdp")).DataChannels);

    private static string[] Media(string sdp) =>
        [.. sdp.Split('\n').Where(line => line.StartsWith("m=", StringComparison.Ordinal)).Select(line => line[2..line.IndexOf(' ', StringComparison.Ordinal)])];
}
