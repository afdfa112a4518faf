using Agent.Rtc;
using Agent.Rtc.Ice;
using Agent.Rtc.Sdp;
using Agent.Transport.Channels;

namespace Agent.Transport;

/// <summary>What the registry settles before a viewer enters the loop.</summary>
internal sealed record ViewerTerms(
    string SessionId, string Camera, string Via, string Client, NegotiatedSession Negotiated, IceCredentials LocalIce,
    IReadOnlyList<IceCandidate> LocalCandidates, uint Ssrc, uint RtxSsrc)
{
    /// <summary>What the answer was made of; <c>null</c> if this side offered.</summary>
    internal SdpAnswerOptions? AnswerOptions { get; init; }

    /// <summary>The host that the offer came from, if media may come from there too; <c>default</c> if not, or if it is not known.</summary>
    internal TransportAddress Guest { get; init; }
}

/// <summary>One viewer inside the media loop, which owns everything here.</summary>
internal sealed class Viewer(ViewerTerms terms, CameraFeed feed, PeerSession session, ViewerChannels channels, string etag, MonotonicTime openedAt)
{
    internal ViewerTerms Terms { get; } = terms;

    internal CameraFeed Feed { get; } = feed;

    internal PeerSession Session { get; } = session;

    /// <summary>Which of the camera's layers it is given; <c>null</c> until it has joined.</summary>
    internal LayerFeed? Layer { get; set; }

    /// <summary>The one that it is given from that one's next IDR on, if it is to be moved.</summary>
    internal LayerFeed? NextLayer { get; set; }

    /// <summary>The layer whose encoder is to follow its link.</summary>
    internal LayerFeed? Target => NextLayer ?? Layer;

    /// <summary>When the IDR of the next layer was asked for.</summary>
    internal MonotonicTime AskedAt { get; set; }

    internal LayerChoice Choice { get; } = new();

    internal ViewerChannels Channels { get; } = channels;

    internal MonotonicTime OpenedAt { get; } = openedAt;

    /// <summary>The entity tag of the present ICE generation.</summary>
    internal string ETag { get; set; } = etag;

    /// <summary>The peer's ufrag of the present ICE generation: candidates of another one are not for it.</summary>
    internal string RemoteUfrag { get; set; } = terms.Negotiated.RemoteIce.Ufrag;

    /// <summary>Names of the peer's candidates that are still being resolved.</summary>
    internal int NamesPending { get; set; }

    /// <summary>The peer has said that it has no further candidates.</summary>
    internal bool HasEndOfCandidates { get; set; }

    /// <summary>This side's ufrags that checks may carry: the present one and, after a restart, the one before (RFC 8445 §9).</summary>
    internal List<string> LocalUfrags { get; } = [terms.LocalIce.Ufrag];

    /// <summary>The paths that lead to this viewer in <see cref="PathTable"/>, oldest first.</summary>
    internal Queue<NetworkPath> Paths { get; } = [];

    /// <summary>When its entry among the loop's timers is due; Never while it has none.</summary>
    internal MonotonicTime TimerAt { get; set; } = MonotonicTime.Never;

    /// <summary>It has had input and is to be drained in this turn.</summary>
    internal bool IsDirty { get; set; }

    internal bool WasConnected { get; set; }

    internal bool IsRemoved { get; set; }
}
