using Agent.Rtc.DataChannels;
using Agent.Rtc.Ice;
using Agent.Rtc.Rtp;

namespace Agent.Rtc;

public enum PeerState
{
    /// <summary>ICE has not found a path yet.</summary>
    Connecting,
    /// <summary>ICE has a path; DTLS is running.</summary>
    Securing,
    /// <summary>Media flows.</summary>
    Connected,
    /// <summary>It is over; <see cref="PeerSession.CloseReason"/> says why.</summary>
    Closed,
}

public enum PeerEventKind
{
    StateChanged,
    /// <summary>The viewer needs an IDR.</summary>
    KeyFrameNeeded,
}

public readonly record struct PeerEvent(PeerEventKind Kind, PeerState State);

/// <summary>A viewer as the status shows it.</summary>
public sealed record PeerSessionStatus(
    PeerState State, string? CloseReason, CandidatePairStatus? SelectedPair, IReadOnlyList<CandidatePairStatus> Pairs,
    string? DtlsVersion, string? SrtpProfile, RtpVideoSenderStatistics Video, long DatagramsDropped)
{
    /// <summary>The data channels; <c>null</c> if none were agreed.</summary>
    public DataChannelStatus? Data { get; init; }

    /// <summary>The peer's candidates, and pairs of them, that a session's caps kept out.</summary>
    public long CandidatesRefused { get; init; }

    /// <summary>STUN messages that found their queue full.</summary>
    public long StunMessagesDropped { get; init; }
}
