using System.Net;
using Agent.Rtc;
using Agent.Rtc.Sdp;

namespace Agent.Transport;

/// <summary>Why a viewer cannot be served.</summary>
public enum ViewerErrorKind
{
    /// <summary>No camera of that name (404).</summary>
    UnknownCamera,
    /// <summary>No session of that id (404).</summary>
    UnknownSession,
    /// <summary>The offer or fragment is malformed (400).</summary>
    Malformed,
    /// <summary>The offer has nothing this agent can send (406).</summary>
    NotAcceptable,
    /// <summary>The camera produces nothing right now (409).</summary>
    NotProducing,
    /// <summary>The session limit is reached, or the loop's command queue is full (503).</summary>
    Busy,
}

/// <summary>What is wrong, in words for the client, and when to try again.</summary>
public sealed record ViewerError(ViewerErrorKind Kind, string Message, TimeSpan? RetryAfter = null);

/// <summary>A viewer's wish to watch.</summary>
/// <param name="Camera">The camera's name.</param>
/// <param name="Offer">UTF-8 SDP.</param>
/// <param name="Via">"whep" or "mqtt", for the status.</param>
/// <param name="Client">Who, for the status and the log: remote address or MQTT client name.</param>
public sealed record ViewerOffer(string Camera, ReadOnlyMemory<byte> Offer, string Via, string Client)
{
    /// <summary>Where the offer came from; <c>null</c> if that is not known. A proxy's address does no harm.</summary>
    public IPAddress? Source { get; init; }
}

/// <summary>An accepted viewer, or the error.</summary>
/// <param name="SessionId">Unguessable, URL-safe.</param>
/// <param name="Answer">Answer SDP.</param>
/// <param name="ETag">The ICE session's entity tag, unquoted; changes with each ICE restart (RFC 9725 §4.3.1).</param>
/// <param name="Error">Set instead of the others.</param>
public sealed record ViewerAnswer(string SessionId, string Answer, string ETag, ViewerError? Error = null);

/// <summary>The outcome of an ICE restart, or the error.</summary>
public sealed record IceRestartAnswer(string SdpFragment, string ETag, ViewerError? Error = null);

/// <summary>A viewer as the status shows it.</summary>
public sealed record ViewerStatus(string SessionId, string Camera, string Via, string Client, TimeSpan Age, PeerSessionStatus Peer)
{
    /// <summary>Which of the camera's layers it is given, "main" or "small"; <c>null</c> before it is connected.</summary>
    public string? Layer { get; init; }
}

/// <summary>The TCP side of the media port, for the metrics.</summary>
/// <param name="Connections">Open ones, strangers' among them.</param>
/// <param name="ConnectionsAccepted">In all.</param>
/// <param name="ConnectionsRefused">Strangers that proved nothing: too many, too slow, too talkative, with something else to say than a check, or gone by themselves.</param>
/// <param name="PacketsReceived">RFC 4571 packets in.</param>
/// <param name="PacketsSent">RFC 4571 packets out.</param>
/// <param name="PacketsDropped">Packets that found their connection's queue full, or gone.</param>
public sealed record TcpStatus(
    int Connections, long ConnectionsAccepted, long ConnectionsRefused, long PacketsReceived, long PacketsSent, long PacketsDropped);

/// <summary>Totals of the media loop, for the metrics.</summary>
public sealed record TransportStatus(
    int Viewers, long ViewersTotal, long DatagramsReceived, long DatagramsSent, long DatagramsUnmatched, long SendErrors,
    long CommandsDropped, long AccessUnitsDropped, IReadOnlyList<string> ListenAddresses)
{
    /// <summary>Each camera's viewers' links.</summary>
    public IReadOnlyList<CameraLinks> Links { get; init; } = [];

    /// <summary>ICE-TCP; <c>null</c> if it is off or its port is not to be had.</summary>
    public TcpStatus? Tcp { get; init; }

    /// <summary>Sessions closed because they threw: bugs.</summary>
    public long SessionFaults { get; init; }

    /// <summary>Names of viewers' candidates (<c>.local</c>) that led to no address, or were too many at once.</summary>
    public long NamesUnresolved { get; init; }

    /// <summary>The configured STUN and TURN servers and what the agent has of them.</summary>
    public IReadOnlyList<IceServerStatus> IceServers { get; init; } = [];

    /// <summary>Viewers' datagrams that went out through a TURN server.</summary>
    public long RelayedSent { get; init; }

    /// <summary>Viewers' datagrams that came in through a TURN server.</summary>
    public long RelayedReceived { get; init; }

    /// <summary>Datagrams that a TURN server was not given: its connection was full, it refuses the viewer, or the allocation was lost.</summary>
    public long RelayedDropped { get; init; }

    /// <summary>Messages of viewers' data channels that were not taken: the queue was full, or they were no text.</summary>
    public long ChannelMessagesDropped { get; init; }

    /// <summary>Telemetry that was not sent because too much waited for its viewer.</summary>
    public long TelemetryDropped { get; init; }
}

/// <summary>
/// What HTTP and MQTT may ask of the media loop, from any thread. Everything crosses as a command through one bounded queue. If that is
/// full, opening, trickling and restarting answer <see cref="ViewerErrorKind.Busy"/> and are counted; the others wait for room.
/// </summary>
public interface IViewerGateway
{
    /// <summary>Raised off the loop's thread when a session has ended, with its id and the reason.</summary>
    event Action<string, string>? ViewerClosed;

    ValueTask<ViewerAnswer> OpenAsync(ViewerOffer offer, CancellationToken cancellationToken);

    /// <summary>The current ETag of a session, or <c>null</c> if there is no such session.</summary>
    ValueTask<string?> GetETagAsync(string sessionId, CancellationToken cancellationToken);

    /// <summary>Adds the fragment's candidates; those that cannot be used are silently left out. <c>null</c> on success.</summary>
    ValueTask<ViewerError?> TrickleAsync(string sessionId, TrickleFragment fragment, CancellationToken cancellationToken);

    ValueTask<IceRestartAnswer> RestartIceAsync(string sessionId, TrickleFragment fragment, CancellationToken cancellationToken);

    /// <summary>
    /// ICE restart by an offer (RFC 8839 §4.4.1.1.1): new credentials and all else as the session has it, the peer's certificate too. The
    /// answer is that of before with new credentials and candidates.
    /// </summary>
    /// <returns><c>null</c> if the offer is for another session than that one, or there is none.</returns>
    ValueTask<ViewerAnswer?> RestartIceAsync(string sessionId, ReadOnlyMemory<byte> offer, CancellationToken cancellationToken);

    /// <summary>False if there was no such session.</summary>
    ValueTask<bool> CloseAsync(string sessionId, string reason, CancellationToken cancellationToken);

    /// <summary>STUN and TURN servers for a viewer that is about to connect, with credentials made now; empty if none are configured.</summary>
    IReadOnlyList<IceServer> GetIceServers();

    ValueTask<IReadOnlyList<ViewerStatus>> GetViewersAsync(CancellationToken cancellationToken);

    TransportStatus GetStatus();
}
