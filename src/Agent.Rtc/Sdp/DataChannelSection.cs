using Agent.Rtc.DataChannels;

namespace Agent.Rtc.Sdp;

/// <summary>What a peer says about its data channels (RFC 8841 §5, §6).</summary>
/// <param name="SctpPort">Its SCTP port.</param>
/// <param name="MaximumMessageLength">The longest message that it takes, in bytes.</param>
public sealed record DataChannelTerms(ushort SctpPort, int MaximumMessageLength);

/// <summary>The section <c>m=application … webrtc-datachannel</c> of an offer and of its answer.</summary>
internal sealed record DataChannelSection(SdpBlock Section, string Mid, DataChannelTerms Terms)
{
    /// <summary>RFC 8841 §6.1: what an absent a=max-message-size means.</summary>
    private const int DefaultMaximumMessageLength = 64 * 1024;

    /// <summary>The first that is offered in the same BUNDLE and well-formed, or <c>null</c>: the video does without.</summary>
    public static DataChannelSection? Find(SdpDescription offer, string[] bundle)
    {
        foreach (var section in offer.Sections)
        {
            if (section is not { Media: "application", Protocol: "UDP/DTLS/SCTP" or "TCP/DTLS/SCTP" } || section.Formats[0] != "webrtc-datachannel"
                || section.Mid is not { } mid || !SdpSyntax.IsToken(mid) || !bundle.Contains(mid) || (section.Port == 0 && !section.Has("bundle-only"))
                || section.Find("sctp-port") is not { } line || !SdpSyntax.TryParseNumber(line.Value, ushort.MaxValue, out var port))
            {
                continue;
            }

            var length = DefaultMaximumMessageLength;
            if (section.Find("max-message-size") is { } size)
            {
                // RFC 8841 §6: 0 is any length; so is more than this side sends.
                if (!SdpSyntax.TryParseNumber(size.Value, uint.MaxValue, out var bytes)) continue;
                length = bytes is 0 or > int.MaxValue ? int.MaxValue : (int)bytes;
            }

            return new DataChannelSection(section, mid, new DataChannelTerms((ushort)port, length));
        }

        return null;
    }

    /// <param name="sdp">The answer.</param>
    /// <param name="terms">What is agreed besides.</param>
    /// <param name="options">This side's parameters.</param>
    /// <param name="isTagged">The answer's BUNDLE group begins with it, so that the candidates stand here (RFC 8843 §7.1.3).</param>
    public void Write(SdpWriter sdp, OfferTerms terms, SdpAnswerOptions options, bool isTagged)
    {
        var (address, port) = SdpWriter.DefaultCandidate(options.Candidates);
        sdp.Line($"m=application {port} {Section.Protocol} webrtc-datachannel");
        sdp.Line($"c=IN {address}");
        sdp.Line($"a=mid:{Mid}");
        sdp.Transport(options.Ice, options.Fingerprint, terms.LocalRole);
        sdp.Line($"a=sctp-port:{DataChannelTransport.LocalPort}");
        sdp.Line($"a=max-message-size:{DataChannelTransport.MaximumMessageLength}");
        if (isTagged)
        {
            sdp.Candidates(options.Candidates);
        }
    }
}
