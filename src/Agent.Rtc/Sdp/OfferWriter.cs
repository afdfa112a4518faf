namespace Agent.Rtc.Sdp;

/// <summary>Writes the offer of one sendonly H.264 video with all candidates in it (RFC 8829 §5.2, RFC 9725 §4.2).</summary>
internal static class OfferWriter
{
    private const string Mid = "0";

    /// <summary>Of the dynamic range (RFC 3551 §6).</summary>
    private const byte PayloadType = 96;
    private const byte RtxPayloadType = 97;

    /// <summary>RFC 8285 §4.2: 1 to 14.</summary>
    private const byte FirstExtensionId = 1;

    public static string Write(SdpAnswerOptions options)
    {
        var sdp = new SdpWriter();
        sdp.Session(options.Ssrc, options.RtxSsrc);
        sdp.Line($"a=group:BUNDLE {Mid}");
        sdp.Line("a=ice-options:ice2");
        var (address, port) = SdpWriter.DefaultCandidate(options.Candidates);
        sdp.Line($"m=video {port} UDP/TLS/RTP/SAVPF {PayloadType} {RtxPayloadType}");
        sdp.Line($"c=IN {address}");
        sdp.Line($"a=mid:{Mid}");
        sdp.Line("a=sendonly");
        sdp.Ice(options.Ice);
        sdp.Fingerprint(options.Fingerprint);
        sdp.Line("a=setup:actpass");
        sdp.Line("a=rtcp-mux");
        sdp.Line("a=rtcp-mux-only");
        sdp.Line("a=rtcp-rsize");
        for (var i = 0; i < HeaderExtensions.Known.Count; i++)
        {
            sdp.Line($"a=extmap:{FirstExtensionId + i} {HeaderExtensions.Known[i]}");
        }

        sdp.Line($"a=msid:{options.StreamId} {options.StreamId}");
        sdp.Line($"a=rtpmap:{PayloadType} H264/90000");
        foreach (var feedback in H264FormatSelector.Feedback)
        {
            sdp.Line($"a=rtcp-fb:{PayloadType} {feedback}");
        }

        sdp.Line($"a=fmtp:{PayloadType} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={options.ProfileLevelId}");
        sdp.Line($"a=rtpmap:{RtxPayloadType} rtx/90000");
        sdp.Line($"a=fmtp:{RtxPayloadType} apt={PayloadType}");
        sdp.Sources(options.Ssrc, options.RtxSsrc, options.Cname);
        sdp.Candidates(options.Candidates);
        return sdp.ToString();
    }
}
