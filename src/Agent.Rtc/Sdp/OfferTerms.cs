using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;

namespace Agent.Rtc.Sdp;

/// <summary>The H.264 format chosen from a video section.</summary>
/// <param name="PayloadType">Its payload type.</param>
/// <param name="RtxPayloadType">The rtx format whose apt names it (RFC 4588 §8.1), if any.</param>
/// <param name="AnsweredProfileLevelId">Six hex digits.</param>
/// <param name="AllowsLevelAsymmetry">The offer had level-asymmetry-allowed=1; only then may the answer (RFC 6184 §8.2.2).</param>
/// <param name="Feedback">The rtcp-fb values to echo, in the offer's order.</param>
internal sealed record H264Format(
    byte PayloadType, byte? RtxPayloadType, string AnsweredProfileLevelId, bool AllowsLevelAsymmetry, IReadOnlyList<string> Feedback);

/// <summary>What of an offer concerns the one video section that is answered, and the data channels beside it.</summary>
internal sealed record OfferTerms(
    SdpBlock Section, string Mid, bool IsBundled, bool IsIceLite, bool Trickles, IceCredentials Ice, DtlsFingerprint Fingerprint,
    DtlsRole LocalRole, IReadOnlyList<SignaledCandidate> Candidates, bool EndOfCandidates, H264Format Format,
    IReadOnlyList<HeaderExtension> Extensions, bool ReducedSizeRtcp)
{
    /// <summary>The data channels, where they are offered and wanted.</summary>
    public DataChannelSection? Data { get; init; }

    /// <summary>What is accepted, in the order of the offer's BUNDLE group: the first is the tagged section (RFC 8843 §7.3.1).</summary>
    public IReadOnlyList<string> BundledMids { get; init; } = [Mid];
}
