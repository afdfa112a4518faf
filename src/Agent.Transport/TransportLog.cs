using Microsoft.Extensions.Logging;

namespace Agent.Transport;

/// <summary>What the transport says in the log: one line when a viewer comes, one when it is connected, one when it goes.</summary>
internal static partial class TransportLog
{
    /// <summary>Session ids are capabilities: the log shows enough to tell them apart, not enough to use them.</summary>
    internal const int ShownIdLength = 6;

    [LoggerMessage(1, LogLevel.Information, "Media on {Protocols} port {Port}; host candidates: {Addresses}")]
    internal static partial void Listening(ILogger logger, string protocols, int port, string addresses);

    [LoggerMessage(12, LogLevel.Warning, "Viewers cannot connect by TCP: port {Port} cannot be opened: {Reason} Free it (ss -tlnp shows who has it), choose another webrtc.udpPort, or set webrtc.tcp to false")]
    internal static partial void TcpUnavailable(ILogger logger, int port, string reason);

    [LoggerMessage(13, LogLevel.Information, "The network interfaces have changed; host candidates now: {Addresses}")]
    internal static partial void AddressesChanged(ILogger logger, string addresses);

    [LoggerMessage(2, LogLevel.Information, "Viewer {Session} opened: camera {Camera}, client {Client}, via {Via}")]
    internal static partial void ViewerOpened(ILogger logger, string session, string camera, string client, string via);

    [LoggerMessage(3, LogLevel.Information, "Viewer {Session} connected: {Local} to {Remote}, {DtlsVersion}, {SrtpProfile}, {Milliseconds} ms after its offer")]
    internal static partial void ViewerConnected(
        ILogger logger, string session, string local, string remote, string dtlsVersion, string srtpProfile, long milliseconds);

    [LoggerMessage(4, LogLevel.Information, "Viewer {Session} closed: {Reason}")]
    internal static partial void ViewerClosed(ILogger logger, string session, string reason);

    [LoggerMessage(5, LogLevel.Error, "Viewer {Session} is closed because its session failed; this is a bug, please report it")]
    internal static partial void SessionFaulted(ILogger logger, string session, Exception error);

    [LoggerMessage(6, LogLevel.Warning, "mDNS names of viewers are resolved by the system resolver only: {Reason}")]
    internal static partial void MdnsUnavailable(ILogger logger, string reason);

    [LoggerMessage(8, LogLevel.Debug, "mDNS skips interface {Index}: {Reason}")]
    internal static partial void MdnsInterfaceSkipped(ILogger logger, int index, string reason);

    [LoggerMessage(9, LogLevel.Debug, "mDNS receive failed: {Reason}")]
    internal static partial void MdnsReceiveFailed(ILogger logger, string reason);

    [LoggerMessage(10, LogLevel.Debug, "The name of a viewer's candidate could not be asked for: {Reason}")]
    internal static partial void NameNotResolved(ILogger logger, string reason);

    [LoggerMessage(7, LogLevel.Error, "A handler of the viewer-closed event failed")]
    internal static partial void ViewerClosedHandlerFailed(ILogger logger, Exception error);

    [LoggerMessage(11, LogLevel.Error, "The media loop hangs: it has not taken its turn for {Seconds} s; no viewer gets anything")]
    internal static partial void LoopHangs(ILogger logger, double seconds);

    [LoggerMessage(12, LogLevel.Information, "{Url} relays for viewers at {Addresses}")]
    internal static partial void Relaying(ILogger logger, string url, string addresses);

    [LoggerMessage(13, LogLevel.Warning, "{Url} relays no more: the server {Reason}; viewers behind it have lost their way, and the agent tries again")]
    internal static partial void RelayLost(ILogger logger, string url, string reason);

    [LoggerMessage(14, LogLevel.Warning, "No relay: {Reasons}. Viewers who need one do not connect; the agent goes on trying, and its status says how it stands")]
    internal static partial void NoRelay(ILogger logger, string reasons);

    [LoggerMessage(15, LogLevel.Warning, "{Url} tells no mapped address: the server {Reason}; the agent goes on trying, and its status says how it stands")]
    internal static partial void NoMappedAddress(ILogger logger, string url, string reason);
}
