using Agent.Rtc.Ice;

namespace Agent.Rtc.Sdp;

/// <summary>Writes answers (RFC 8829 §5.3) and fragments (RFC 8840 §9), with CRLF line ends.</summary>
internal static class AnswerWriter
{
    public static string Write(SdpDescription offer, OfferTerms terms, SdpAnswerOptions options)
    {
        var sdp = new SdpWriter();
        sdp.Session(options.Ssrc, options.RtxSsrc);
        if (terms.IsBundled)
        {
            sdp.Line($"a=group:BUNDLE {string.Join(' ', terms.BundledMids)}");
        }

        sdp.Line(terms.Trickles ? "a=ice-options:trickle ice2" : "a=ice-options:ice2");
        foreach (var section in offer.Sections)
        {
            if (section == terms.Section)
            {
                WriteVideo(sdp, terms, options);
            }
            else if (section == terms.Data?.Section)
            {
                terms.Data.Write(sdp, terms, options, isTagged: terms.BundledMids[0] == terms.Data.Mid);
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
        var sdp = new SdpWriter();
        sdp.Line("a=ice-options:trickle ice2");
        sdp.Line($"a=group:BUNDLE {mid}");

        // RFC 8840 §9: a pseudo m= line that only carries the mid.
        sdp.Line("m=video 9 UDP/TLS/RTP/SAVPF 0");
        sdp.Line($"a=mid:{mid}");
        sdp.Ice(ice);
        sdp.Candidates(candidates);
        return sdp.ToString();
    }

    private static void WriteRejected(SdpWriter sdp, SdpBlock section)
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

    private static void WriteVideo(SdpWriter sdp, OfferTerms terms, SdpAnswerOptions options)
    {
        var format = terms.Format;
        var payloadType = format.PayloadType;
        var (address, port) = SdpWriter.DefaultCandidate(options.Candidates);
        sdp.Line($"m=video {port} {terms.Section.Protocol} {payloadType}{(format.RtxPayloadType is { } type ? $" {type}" : "")}");
        sdp.Line($"c=IN {address}");
        sdp.Line($"a=mid:{terms.Mid}");
        sdp.Line("a=sendonly");
        sdp.Transport(options.Ice, options.Fingerprint, terms.LocalRole);
        sdp.Line("a=rtcp-mux");
        if (terms.ReducedSizeRtcp)
        {
            sdp.Line("a=rtcp-rsize");
        }

        foreach (var extension in terms.Extensions)
        {
            sdp.Line($"a=extmap:{extension.Id}{(extension.HasDirection ? "/sendonly" : "")} {extension.Uri}");
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
        }

        sdp.Sources(options.Ssrc, format.RtxPayloadType is null ? null : options.RtxSsrc, options.Cname);
        sdp.Candidates(options.Candidates);
    }
}
