using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;
using Agent.Rtc.Rtp;

namespace Agent.Rtc.Sdp;

/// <summary>The outcome of offer and answer with one peer.</summary>
/// <param name="LocalSdp">What this side signalled, the answer or the offer; CRLF line ends.</param>
/// <param name="RemoteIce">The peer's credentials.</param>
/// <param name="RemoteIsIceLite">The peer said a=ice-lite.</param>
/// <param name="RemoteFingerprint">The peer's certificate fingerprint.</param>
/// <param name="DtlsRole">This side's DTLS role.</param>
/// <param name="RemoteCandidates">UDP, component-1 candidates of the offer; others are left out.</param>
/// <param name="RemoteEndOfCandidates">The offer had a=end-of-candidates.</param>
/// <param name="BundleMid">The mid of the BUNDLE-tagged section, for sdpfrag and trickle candidates.</param>
/// <param name="VideoMid">The video section's mid.</param>
/// <param name="PayloadType">The H.264 payload type chosen.</param>
/// <param name="RtxPayloadType">Its RTX payload type, if any.</param>
/// <param name="ProfileLevelId">The answered profile-level-id.</param>
/// <param name="Extensions">The header extensions agreed.</param>
/// <param name="ReducedSizeRtcp">a=rtcp-rsize agreed.</param>
public sealed record NegotiatedSession(
    string LocalSdp, IceCredentials RemoteIce, bool RemoteIsIceLite, DtlsFingerprint RemoteFingerprint, DtlsRole DtlsRole,
    IReadOnlyList<SignaledCandidate> RemoteCandidates, bool RemoteEndOfCandidates, string BundleMid, string VideoMid,
    byte PayloadType, byte? RtxPayloadType, string ProfileLevelId, RtpExtensionIds Extensions, bool ReducedSizeRtcp)
{
    /// <summary>This side made the offer.</summary>
    public bool IsOfferer { get; init; }

    /// <summary>The peer's side of the data channels; <c>null</c> without any.</summary>
    public DataChannelTerms? DataChannels { get; init; }

    /// <summary>
    /// True if a session that was agreed as <paramref name="before"/> may go on under these terms: only ICE's credentials and candidates
    /// differ, so that neither DTLS (RFC 8842 §4) nor RTP begins anew.
    /// </summary>
    public bool IsSameSession(NegotiatedSession before)
    {
        ArgumentNullException.ThrowIfNull(before);
        return RemoteFingerprint.Algorithm == before.RemoteFingerprint.Algorithm
            && RemoteFingerprint.Value.Span.SequenceEqual(before.RemoteFingerprint.Value.Span)
            && (BundleMid, VideoMid, PayloadType, RtxPayloadType) == (before.BundleMid, before.VideoMid, before.PayloadType, before.RtxPayloadType)
            && (ProfileLevelId, Extensions, ReducedSizeRtcp, DtlsRole) == (before.ProfileLevelId, before.Extensions, before.ReducedSizeRtcp, before.DtlsRole)
            && DataChannels == before.DataChannels;
    }

    /// <summary>This side's ICE role: whoever offers controls, unless the peer is lite and cannot (RFC 8445 §6.1.1).</summary>
    public IceRole IceRole => IsOfferer || RemoteIsIceLite ? IceRole.Controlling : IceRole.Controlled;
}
