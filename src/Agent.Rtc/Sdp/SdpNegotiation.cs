using System.Text;
using Agent.Rtc.Ice;

namespace Agent.Rtc.Sdp;

/// <summary>Offer/answer (RFC 3264, RFC 8829, RFC 8843) and trickle fragments, from text to text; no state.</summary>
public static class SdpNegotiation
{
    /// <summary>Answers a browser's offer with one sendonly H.264 video, data channels if both sides want them, everything else rejected, BUNDLE, rtcp-mux.</summary>
    /// <param name="offer">UTF-8 SDP with CRLF or LF line ends, at most <see cref="SdpParser.MaxBytes"/> bytes.</param>
    /// <param name="options">This side's parameters.</param>
    /// <param name="session">The agreement, on success.</param>
    /// <param name="error">What is wrong with the offer, on failure.</param>
    /// <exception cref="ArgumentException">The options themselves cannot be written as SDP.</exception>
    public static bool TryAnswer(ReadOnlySpan<byte> offer, SdpAnswerOptions options, out NegotiatedSession? session, out SdpError? error)
    {
        var stream = Check(options);
        session = null;
        if (!SdpParser.TryParse(offer, isFragment: false, out var description, out error)
            || !OfferReader.TryRead(description, stream, options.WantsDataChannels, out var terms, out error))
        {
            return false;
        }

        session = Agree(terms, AnswerWriter.Write(description, terms, options));
        return true;
    }

    /// <summary>An offer of one sendonly H.264 video, with all candidates in it.</summary>
    /// <param name="options">This side's parameters.</param>
    /// <exception cref="ArgumentException">They cannot be written as SDP.</exception>
    public static string CreateOffer(SdpAnswerOptions options)
    {
        Check(options);
        return OfferWriter.Write(options);
    }

    /// <summary>Takes a server's answer to an offer of <see cref="CreateOffer"/>.</summary>
    /// <param name="answer">UTF-8 SDP with CRLF or LF line ends, at most <see cref="SdpParser.MaxBytes"/> bytes.</param>
    /// <param name="offer">What was offered.</param>
    /// <param name="options">What the offer was made from.</param>
    /// <param name="session">The agreement, on success.</param>
    /// <param name="error">What is wrong with the answer, on failure.</param>
    public static bool TryAcceptAnswer(
        ReadOnlySpan<byte> answer, string offer, SdpAnswerOptions options, out NegotiatedSession? session, out SdpError? error)
    {
        session = null;
        if (!SdpParser.TryParse(answer, isFragment: false, out var description, out error))
        {
            return false;
        }

        if (description.Sections is not [{ Media: "video" } video])
        {
            error = SdpError.Malformed(1, "the offer had one m=video section, and so must the answer (RFC 3264 §6).");
            return false;
        }

        // RFC 3264 §6: port 0 rejects.
        if (video.Port == 0)
        {
            error = SdpError.NotAcceptable(video.Line, $"the server rejects the video; it must take H.264 with profile-level-id={options.ProfileLevelId}, packetization-mode=1.");
            return false;
        }

        // What an answerer that receives must say is what an offerer must that would receive.
        if (!OfferReader.TryRead(description, Check(options), wantsData: false, out var terms, out error))
        {
            return false;
        }

        session = Agree(terms, offer) with { IsOfferer = true };
        return true;
    }

    /// <summary>Parses "candidate:…" with or without "a=" (RFC 8839 §5.1); false for TCP that is not active, component 2 and malformed lines.</summary>
    public static bool TryParseCandidate(ReadOnlySpan<byte> line, out SignaledCandidate? candidate)
    {
        candidate = null;
        line = line.TrimEnd("\r\n"u8);
        if (line.StartsWith("a="u8))
        {
            line = line["a=".Length..];
        }

        return line.Length <= CandidateSyntax.MaxLineLength && line.StartsWith("candidate:"u8)
            && CandidateSyntax.TryParse(Encoding.UTF8.GetString(line["candidate:".Length..]), out candidate);
    }

    /// <summary>"candidate:…" without "a=", for an <c>a=</c> line or a JSON candidate.</summary>
    public static string FormatCandidate(IceCandidate candidate) => CandidateSyntax.Format(candidate);

    /// <summary>Parses a fragment (RFC 8840 §9). Candidates that cannot be used are left out; they are no error.</summary>
    /// <param name="fragment">UTF-8 text with CRLF or LF line ends.</param>
    /// <param name="result">What the fragment says, on success.</param>
    /// <param name="error">Names the line and the mend, on failure.</param>
    public static bool TryParseTrickleFragment(ReadOnlySpan<byte> fragment, out TrickleFragment? result, out SdpError? error)
    {
        result = null;
        if (!SdpParser.TryParse(fragment, isFragment: true, out var description, out error))
        {
            return false;
        }

        IceCredentials? ice = null;
        var candidates = new List<SignaledCandidate>();
        var end = false;
        foreach (var block in description.Sections.Prepend(description.Session))
        {
            if (ice is null && !OfferReader.TryReadCredentials([block], out ice, out error))
            {
                return false;
            }

            OfferReader.ReadCandidates(block, candidates);
            end |= block.Has("end-of-candidates");
        }

        result = new TrickleFragment(ice, candidates, end);
        return true;
    }

    /// <summary>The fragment that answers an ICE restart: this side's new credentials and candidates.</summary>
    public static string FormatTrickleFragment(IceCredentials ice, IReadOnlyList<IceCandidate> candidates, string bundleMid) =>
        AnswerWriter.WriteFragment(ice, candidates, bundleMid);

    private static NegotiatedSession Agree(OfferTerms terms, string local) => new(
        local, terms.Ice, terms.IsIceLite, terms.Fingerprint, terms.LocalRole, terms.Candidates, terms.EndOfCandidates, terms.BundledMids[0], terms.Mid,
        terms.Format.PayloadType, terms.Format.RtxPayloadType, terms.Format.AnsweredProfileLevelId, HeaderExtensions.ToIds(terms.Extensions),
        terms.ReducedSizeRtcp)
    {
        DataChannels = terms.Data?.Terms,
    };

    /// <summary>The stream that the options describe.</summary>
    private static H264ProfileLevel Check(SdpAnswerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!H264ProfileLevel.TryParse(options.ProfileLevelId, out var stream))
        {
            throw new ArgumentException(
                $"The stream's profile-level-id is \"{options.ProfileLevelId}\": it must be six hex digits of a known profile.", nameof(options));
        }

        if (!SdpSyntax.IsToken(options.StreamId))
        {
            throw new ArgumentException($"The stream id \"{options.StreamId}\" is not an SDP token (RFC 8830 §2).", nameof(options));
        }

        return stream;
    }
}
