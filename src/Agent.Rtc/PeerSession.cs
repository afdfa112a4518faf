using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;
using Agent.Rtc.Rtp;
using Agent.Rtc.Sdp;

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
    string? DtlsVersion, string? SrtpProfile, RtpVideoSenderStatistics Video, long DatagramsDropped);

/// <summary>
/// One viewer: ICE, DTLS, SRTP, RTP and RTCP of one peer behind one 5-tuple-agnostic datagram interface (RFC 7983 demultiplexing).
/// Sans-IO: one input, then drain with <see cref="TryDequeueTransmit"/> and <see cref="TryDequeueEvent"/> until both are false.
/// Everything belongs to the media loop; nothing in it locks, waits, or reads a clock.
/// </summary>
public sealed class PeerSession : IDisposable
{
    /// <param name="negotiated">The outcome of offer and answer.</param>
    /// <param name="local">The local ICE credentials that the answer carried.</param>
    /// <param name="localCandidates">The candidates that the answer carried.</param>
    /// <param name="video">RTP parameters that the answer carried.</param>
    /// <param name="dtls">A fresh association; the session disposes it.</param>
    /// <param name="random">Source of randomness.</param>
    /// <param name="now">The present.</param>
    public PeerSession(
        NegotiatedSession negotiated, IceCredentials local, IReadOnlyList<IceCandidate> localCandidates, RtpVideoSenderOptions video,
        IDtlsEndpoint dtls, IRandomSource random, MonotonicTime now)
    {
        _ = negotiated;
        _ = local;
        _ = localCandidates;
        _ = video;
        _ = dtls;
        _ = random;
        _ = now;
    }

    public PeerState State => throw new NotImplementedException();

    public string? CloseReason => throw new NotImplementedException();

    /// <summary>The ufrag that STUN checks for this session carry first in USERNAME: how a shared socket finds the session.</summary>
    public string LocalUfrag => throw new NotImplementedException();

    /// <summary>Handles one datagram; it may be decrypted in place.</summary>
    public void HandleDatagram(Span<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now) => throw new NotImplementedException();

    public MonotonicTime NextTimeout => throw new NotImplementedException();

    public void HandleTimeout(MonotonicTime now) => throw new NotImplementedException();

    /// <summary>Queues a frame for the viewer; dropped and counted unless <see cref="PeerState.Connected"/>.</summary>
    public void WriteFrame(PacketizedFrame frame, MonotonicTime now) => throw new NotImplementedException();

    /// <summary>Writes the next datagram to send into <paramref name="buffer"/> (at least 1500 bytes).</summary>
    public bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, DateTimeOffset wallClock, out Transmit transmit) => throw new NotImplementedException();

    public bool TryDequeueEvent(out PeerEvent e) => throw new NotImplementedException();

    public void AddRemoteCandidate(IceCandidate candidate, MonotonicTime now) => throw new NotImplementedException();

    public void SetRemoteEndOfCandidates() => throw new NotImplementedException();

    public void RestartIce(IceCredentials local, IceCredentials remote, MonotonicTime now) => throw new NotImplementedException();

    public PeerSessionStatus GetStatus() => throw new NotImplementedException();

    /// <summary>Says BYE and close_notify; drain once more, then dispose.</summary>
    public void Close(string reason, MonotonicTime now) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
