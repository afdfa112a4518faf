using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;

namespace Agent.Rtc.Sdp;

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
    uint Ssrc, uint RtxSsrc, string Cname, string StreamId)
{
    /// <summary>Whether data channels are accepted where they are offered.</summary>
    public bool WantsDataChannels { get; init; }
}
