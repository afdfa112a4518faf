using Agent.Rtc.Rtp;

namespace Agent.Rtc.Sdp;

/// <summary>A header extension of an a=extmap line (RFC 8285 §5) that this agent sends.</summary>
/// <param name="Uri">What it is.</param>
/// <param name="Id">1 to 14.</param>
/// <param name="HasDirection">The offer gave a direction, hence so must the answer (RFC 8285 §6).</param>
internal sealed record HeaderExtension(string Uri, byte Id, bool HasDirection);

/// <summary>Which header extensions of an offer are agreed to.</summary>
internal static class HeaderExtensions
{
    public const string Mid = "urn:ietf:params:rtp-hdrext:sdes:mid";
    public const string TransportSequence = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
    public const string AbsoluteSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
    public const string AbsoluteCaptureTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";
    public const string PlayoutDelay = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";

    /// <summary>The a=rtcp-fb value without which nobody reports on transport-wide sequence numbers (draft-holmer-rmcat §4).</summary>
    public const string TransportFeedback = "transport-cc";

    /// <summary>The a=rtcp-fb value of REMB (draft-alvestrand-rmcat-remb-03 §2.1), in place of the above.</summary>
    public const string EstimateFeedback = "goog-remb";

    /// <summary>RFC 8285 §4.2: the one-byte header holds ids 1 to 14 and at most 16 bytes of data.</summary>
    private const int MaxOneByteId = 14;
    private const int MaxOneByteLength = 16;

    /// <summary>What this agent sends, where the peer takes it.</summary>
    public static readonly IReadOnlyList<string> Known = [Mid, TransportSequence, AbsoluteSendTime, AbsoluteCaptureTime, PlayoutDelay];

    /// <summary>
    /// Settles the extensions and the feedback on them. Those that tell the moment of sending need RTX: without it a packet is sent again
    /// under its own number, and SRTP allows no other bytes under it (RFC 3711 §9.1).
    /// </summary>
    public static (IReadOnlyList<HeaderExtension> Extensions, H264Format Format) Agree(SdpBlock video, string mid, H264Format format)
    {
        var hasRtx = format.RtxPayloadType is not null;
        var offered = Read(video);
        var hasTransportFeedback = hasRtx && format.Feedback.Contains(TransportFeedback) && offered.Exists(one => one.Uri is TransportSequence);
        var agreed = offered.Where(one => one.Uri switch
        {
            Mid => mid.Length <= MaxOneByteLength,
            TransportSequence => hasTransportFeedback,
            PlayoutDelay => true,
            _ => hasRtx,
        });
        // Two estimates of one link would only contradict each other.
        var feedback = format.Feedback.Where(value => value switch
        {
            TransportFeedback => hasTransportFeedback,
            EstimateFeedback => !hasTransportFeedback,
            _ => true,
        });
        return ([.. agreed], format with { Feedback = [.. feedback] });
    }

    public static RtpExtensionIds ToIds(IReadOnlyList<HeaderExtension> extensions)
    {
        byte IdOf(string uri) => extensions.FirstOrDefault(one => one.Uri == uri)?.Id ?? 0;
        return new RtpExtensionIds
        {
            Mid = IdOf(Mid),
            TransportSequence = IdOf(TransportSequence),
            AbsoluteSendTime = IdOf(AbsoluteSendTime),
            AbsoluteCaptureTime = IdOf(AbsoluteCaptureTime),
            PlayoutDelay = IdOf(PlayoutDelay),
        };
    }

    /// <summary>Those that are known, that the peer receives, and whose id is good and nobody else's.</summary>
    private static List<HeaderExtension> Read(SdpBlock video)
    {
        var extensions = new List<HeaderExtension>();
        foreach (var attribute in video.Attributes)
        {
            if (attribute.Name is not "extmap")
            {
                continue;
            }

            ReadOnlySpan<char> rest = attribute.Value;
            var idAndDirection = SdpSyntax.NextWord(ref rest);
            var uri = Known.FirstOrDefault(SdpSyntax.NextWord(ref rest).ToString().Equals);
            var slash = idAndDirection.IndexOf('/');
            var direction = slash < 0 ? [] : idAndDirection[(slash + 1)..];
            var idText = slash < 0 ? idAndDirection : idAndDirection[..slash];
            var isReceived = slash < 0 || direction is "recvonly" or "sendrecv";
            if (uri is not null && isReceived && SdpSyntax.TryParseNumber(idText, MaxOneByteId, out var id) && id > 0
                && !extensions.Exists(one => one.Uri == uri || one.Id == id))
            {
                extensions.Add(new HeaderExtension(uri, (byte)id, slash >= 0));
            }
        }

        return extensions;
    }
}
