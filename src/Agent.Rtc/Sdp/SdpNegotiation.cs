using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;

namespace Agent.Rtc.Sdp;

/// <summary>Why an offer cannot be answered; maps to the HTTP status or the MQTT error.</summary>
public enum SdpErrorKind
{
    /// <summary>The text is not SDP, or lacks something that WebRTC requires (400).</summary>
    Malformed,
    /// <summary>Nothing in it can carry this agent's H.264 (406).</summary>
    NotAcceptable,
}

/// <summary>What is wrong with an offer, in words for its sender: names the line or attribute and the mend.</summary>
public sealed record SdpError(SdpErrorKind Kind, string Message);

/// <summary>A remote candidate as signalled: its address may still be an mDNS name (RFC 8839 §5.1, draft mdns-ice-candidates).</summary>
/// <param name="Type">The candidate type.</param>
/// <param name="HostName">A literal address or a <c>.local</c> name.</param>
/// <param name="Port">The port.</param>
/// <param name="Priority">The priority.</param>
/// <param name="Foundation">The foundation.</param>
public sealed record SignaledCandidate(IceCandidateType Type, string HostName, ushort Port, uint Priority, string Foundation);

/// <summary>What this agent brings to the answer.</summary>
/// <param name="Ice">The local credentials.</param>
/// <param name="Fingerprint">Of the local certificate.</param>
/// <param name="Candidates">All local candidates gathered.</param>
/// <param name="ProfileLevelId">The stream's own profile-level-id (RFC 6184 §8.1), six hex digits, from its SPS or from the encoder's settings.</param>
/// <param name="Ssrc">Media SSRC.</param>
/// <param name="RtxSsrc">RTX SSRC.</param>
/// <param name="Cname">RFC 7022 CNAME.</param>
/// <param name="StreamId">msid stream id: the camera's name.</param>
public sealed record SdpAnswerOptions(
    IceCredentials Ice, DtlsFingerprint Fingerprint, IReadOnlyList<IceCandidate> Candidates, string ProfileLevelId,
    uint Ssrc, uint RtxSsrc, string Cname, string StreamId);

/// <summary>The outcome of offer and answer for one viewer.</summary>
/// <param name="AnswerSdp">The answer's text, CRLF line ends.</param>
/// <param name="RemoteIce">The peer's credentials.</param>
/// <param name="RemoteIsIceLite">The peer said a=ice-lite: this side is controlling.</param>
/// <param name="RemoteFingerprint">The peer's certificate fingerprint.</param>
/// <param name="DtlsRole">This side's DTLS role.</param>
/// <param name="RemoteCandidates">UDP, component-1 candidates of the offer; others are left out.</param>
/// <param name="RemoteEndOfCandidates">The offer had a=end-of-candidates.</param>
/// <param name="BundleMid">The mid of the BUNDLE-tagged section, for sdpfrag and trickle candidates.</param>
/// <param name="VideoMid">The video section's mid.</param>
/// <param name="PayloadType">The H.264 payload type chosen.</param>
/// <param name="RtxPayloadType">Its RTX payload type, if any.</param>
/// <param name="ProfileLevelId">The answered profile-level-id.</param>
/// <param name="MidExtensionId">The mid header extension's id, 0 for none.</param>
/// <param name="ReducedSizeRtcp">a=rtcp-rsize agreed.</param>
public sealed record NegotiatedSession(
    string AnswerSdp, IceCredentials RemoteIce, bool RemoteIsIceLite, DtlsFingerprint RemoteFingerprint, DtlsRole DtlsRole,
    IReadOnlyList<SignaledCandidate> RemoteCandidates, bool RemoteEndOfCandidates, string BundleMid, string VideoMid,
    byte PayloadType, byte? RtxPayloadType, string ProfileLevelId, byte MidExtensionId, bool ReducedSizeRtcp);

/// <summary>A parsed <c>application/trickle-ice-sdpfrag</c> (RFC 8840 §9).</summary>
/// <param name="Ice">New credentials if the fragment carries them, else <c>null</c>.</param>
/// <param name="Candidates">The usable candidates.</param>
/// <param name="EndOfCandidates">a=end-of-candidates was there.</param>
public sealed record TrickleFragment(IceCredentials? Ice, IReadOnlyList<SignaledCandidate> Candidates, bool EndOfCandidates);

/// <summary>Offer/answer (RFC 3264, RFC 8829, RFC 8843) and trickle fragments, from text to text; no state.</summary>
public static class SdpNegotiation
{
    /// <summary>Answers a browser's offer with one sendonly H.264 video, everything else rejected, BUNDLE, rtcp-mux.</summary>
    public static bool TryAnswer(ReadOnlySpan<byte> offer, SdpAnswerOptions options, out NegotiatedSession? session, out SdpError? error) =>
        throw new NotImplementedException();

    /// <summary>Parses "candidate:…" with or without "a=" (RFC 8839 §5.1); false for TCP, component 2 and malformed lines.</summary>
    public static bool TryParseCandidate(ReadOnlySpan<byte> line, out SignaledCandidate? candidate) => throw new NotImplementedException();

    /// <summary>"candidate:…" without "a=", for an <c>a=</c> line or a JSON candidate.</summary>
    public static string FormatCandidate(IceCandidate candidate) => throw new NotImplementedException();

    public static bool TryParseTrickleFragment(ReadOnlySpan<byte> fragment, out TrickleFragment? result, out SdpError? error) => throw new NotImplementedException();

    /// <summary>The fragment that answers an ICE restart: this side's new credentials and candidates.</summary>
    public static string FormatTrickleFragment(IceCredentials ice, IReadOnlyList<IceCandidate> candidates, string bundleMid) => throw new NotImplementedException();
}
