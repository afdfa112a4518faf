using System.Globalization;
using System.Text;
using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;

namespace Agent.Rtc.Sdp;

/// <summary>Writes answers (RFC 8829 §5.3) and fragments (RFC 8840 §9), with CRLF line ends.</summary>
internal static class AnswerWriter
{
    /// <summary>The discard port, with the address 0.0.0.0: no default candidate (RFC 8840 §4.1.1).</summary>
    private const int DiscardPort = 9;

    public static string Write(SdpDescription offer, OfferTerms terms, SdpAnswerOptions options)
    {
        var sdp = new Writer();

        // RFC 8829 §5.2.1 wants a random 63-bit session id; the two random SSRCs make one.
        var sessionId = (((ulong)options.Ssrc << 32) | options.RtxSsrc) & long.MaxValue;
        sdp.Line("v=0");
        sdp.Line($"o=- {sessionId} 1 IN IP4 127.0.0.1");
        sdp.Line("s=-");
        sdp.Line("t=0 0");
        if (terms.IsBundled)
        {
            sdp.Line($"a=group:BUNDLE {terms.Mid}");
        }

        sdp.Line(terms.Trickles ? "a=ice-options:trickle ice2" : "a=ice-options:ice2");
        foreach (var section in offer.Sections)
        {
            if (section == terms.Section)
            {
                WriteVideo(sdp, terms, options);
            }
            else
            {
                WriteRejected(sdp, section);
            }
        }

        return sdp.ToString();
    }

    public static string WriteFragment(IceCredentials ice, IReadOnlyList<IceCandidate> candidates, string mid)
    {
        var sdp = new Writer();
        sdp.Line("a=ice-options:trickle ice2");
        sdp.Line($"a=group:BUNDLE {mid}");

        // RFC 8840 §9: a pseudo m= line that only carries the mid.
        sdp.Line("m=video 9 UDP/TLS/RTP/SAVPF 0");
        sdp.Line($"a=mid:{mid}");
        WriteIce(sdp, ice);
        WriteCandidates(sdp, candidates);
        return sdp.ToString();
    }

    private static void WriteRejected(Writer sdp, SdpBlock section)
    {
        // RFC 3264 §6: port 0 rejects; at least one format must stand there.
        sdp.Line($"m={section.Media} 0 {section.Protocol} {section.Formats[0]}");
        sdp.Line("c=IN IP4 0.0.0.0");
        if (section.Mid is { } mid && SdpSyntax.IsToken(mid))
        {
            sdp.Line($"a=mid:{mid}");
        }

        sdp.Line("a=inactive");
    }

    private static void WriteVideo(Writer sdp, OfferTerms terms, SdpAnswerOptions options)
    {
        var format = terms.Format;
        var payloadType = format.PayloadType;
        var (address, port) = DefaultCandidate(options.Candidates);
        sdp.Line($"m=video {port} {terms.Section.Protocol} {payloadType}{(format.RtxPayloadType is { } type ? $" {type}" : "")}");
        sdp.Line($"c=IN {address}");
        sdp.Line($"a=mid:{terms.Mid}");
        sdp.Line("a=sendonly");
        WriteIce(sdp, options.Ice);
        sdp.Line($"a=fingerprint:{options.Fingerprint.Algorithm} {FormatDigest(options.Fingerprint.Value.Span)}");
        sdp.Line(terms.LocalRole == DtlsRole.Client ? "a=setup:active" : "a=setup:passive");
        sdp.Line("a=rtcp-mux");
        if (terms.ReducedSizeRtcp)
        {
            sdp.Line("a=rtcp-rsize");
        }

        if (terms.MidExtension is { } extension)
        {
            sdp.Line($"a=extmap:{extension.Id}{(extension.HasDirection ? "/sendonly" : "")} urn:ietf:params:rtp-hdrext:sdes:mid");
        }

        sdp.Line($"a=msid:{options.StreamId} {options.StreamId}");
        sdp.Line($"a=rtpmap:{payloadType} H264/90000");
        foreach (var feedback in format.Feedback)
        {
            sdp.Line($"a=rtcp-fb:{payloadType} {feedback}");
        }

        var asymmetry = format.AllowsLevelAsymmetry ? "level-asymmetry-allowed=1;" : "";
        sdp.Line($"a=fmtp:{payloadType} {asymmetry}packetization-mode=1;profile-level-id={format.AnsweredProfileLevelId}");
        if (format.RtxPayloadType is { } rtx)
        {
            sdp.Line($"a=rtpmap:{rtx} rtx/90000");
            sdp.Line($"a=fmtp:{rtx} apt={payloadType}");
            sdp.Line($"a=ssrc-group:FID {options.Ssrc} {options.RtxSsrc}");
            sdp.Line($"a=ssrc:{options.Ssrc} cname:{options.Cname}");
            sdp.Line($"a=ssrc:{options.RtxSsrc} cname:{options.Cname}");
        }
        else
        {
            sdp.Line($"a=ssrc:{options.Ssrc} cname:{options.Cname}");
        }

        WriteCandidates(sdp, options.Candidates);
    }

    private static void WriteIce(Writer sdp, IceCredentials ice)
    {
        sdp.Line($"a=ice-ufrag:{ice.Ufrag}");
        sdp.Line($"a=ice-pwd:{ice.Password}");
    }

    private static void WriteCandidates(Writer sdp, IReadOnlyList<IceCandidate> candidates)
    {
        foreach (var candidate in candidates)
        {
            sdp.Line($"a={CandidateSyntax.Format(candidate)}");
        }

        sdp.Line("a=end-of-candidates");
    }

    /// <summary>RFC 8839 §4.2.1.2: relayed before server-reflexive before host, IPv4 before IPv6: the likeliest to work.</summary>
    private static (string Address, int Port) DefaultCandidate(IReadOnlyList<IceCandidate> candidates)
    {
        var best = candidates.MaxBy(candidate => (candidate.Type, candidate.Address.IsIPv4));
        return best is null
            ? ("IP4 0.0.0.0", DiscardPort)
            : ($"{(best.Address.IsIPv4 ? "IP4" : "IP6")} {CandidateSyntax.FormatAddress(best.Address)}", best.Address.Port);
    }

    /// <summary>RFC 8122 §5: upper-case hex bytes joined by colons.</summary>
    private static string FormatDigest(ReadOnlySpan<byte> digest)
    {
        var text = new StringBuilder(3 * digest.Length);
        foreach (var value in digest)
        {
            text.Append(text.Length == 0 ? "" : ":").Append(CultureInfo.InvariantCulture, $"{value:X2}");
        }

        return text.ToString();
    }

    private sealed class Writer
    {
        private readonly StringBuilder _text = new();

        public void Line(string line) => _text.Append(line).Append("\r\n");

        public override string ToString() => _text.ToString();
    }
}
