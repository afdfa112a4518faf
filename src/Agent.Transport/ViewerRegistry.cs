using System.Net;
using Agent.Media;
using Agent.Rtc;
using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;
using Agent.Rtc.Rtp;
using Agent.Rtc.Sdp;
using Agent.Transport.Channels;
using Agent.Transport.Dtls;
using Microsoft.Extensions.Logging;

namespace Agent.Transport;

/// <summary>
/// The gateway between signalling and the media loop: answers offers on the caller's thread, then hands the session over. It opens the
/// media port when it is made and closes every session when it is disposed.
/// </summary>
public sealed class ViewerRegistry : IViewerGateway, IDisposable
{
    private const int ETagBytes = 9;
    private static readonly TimeSpan LoopTimeout = TimeSpan.FromSeconds(1);

    private readonly TransportOptions _options;
    private readonly Func<IDtlsEndpoint> _createDtls;
    private readonly IRandomSource _random;
    private readonly ILogger _logger;
    private readonly MediaLoop _loop;
    private readonly CandidateResolver _resolver;
    private readonly ViewerInbox _inbox = new();
    private readonly ViewerPlaces _places;
    private readonly Dictionary<string, Viewer> _sessions = new(StringComparer.Ordinal); // the loop's
    private DtlsContext? _owned;
    private long _viewersTotal;
    private volatile bool _isLoopHanging;

    /// <param name="options">The media port and the limits.</param>
    /// <param name="hubs">The cameras by name; not changed afterwards.</param>
    /// <param name="createDtls">Makes a fresh association for each viewer; called on any thread.</param>
    /// <param name="fingerprint">Of the certificate that those associations present.</param>
    /// <param name="random">Source of ids and credentials; called on any thread.</param>
    /// <param name="loggers">Where to report.</param>
    /// <exception cref="InvalidOperationException">The media port cannot be opened.</exception>
    public ViewerRegistry(
        TransportOptions options, IReadOnlyDictionary<string, FrameHub> hubs, Func<IDtlsEndpoint> createDtls, DtlsFingerprint fingerprint,
        IRandomSource random, ILoggerFactory loggers)
        : this(options, hubs, createDtls, fingerprint, random, loggers, null)
    {
    }

    /// <summary>A registry on OpenSSL's DTLS with a certificate of its own, made now.</summary>
    /// <param name="options">The media port and the limits.</param>
    /// <param name="hubs">The cameras by name; not changed afterwards.</param>
    /// <param name="loggers">Where to report.</param>
    /// <exception cref="InvalidOperationException">The media port cannot be opened.</exception>
    public static ViewerRegistry Open(TransportOptions options, IReadOnlyDictionary<string, FrameHub> hubs, ILoggerFactory loggers)
    {
        var certificate = DtlsCertificate.Create(DateTimeOffset.UtcNow);
        var context = new DtlsContext(certificate);
        try
        {
            return new ViewerRegistry(options, hubs, context.CreateEndpoint, certificate.Fingerprint, SystemRandomSource.Instance, loggers)
            {
                _owned = context,
            };
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>With another way to resolve names than the network's, for tests.</summary>
    internal ViewerRegistry(
        TransportOptions options, IReadOnlyDictionary<string, FrameHub> hubs, Func<IDtlsEndpoint> createDtls, DtlsFingerprint fingerprint,
        IRandomSource random, ILoggerFactory loggers, Func<string, Task<IPAddress?>>? resolve)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(hubs);
        ArgumentNullException.ThrowIfNull(loggers);
        _options = options;
        _createDtls = createDtls;
        _random = random;
        _logger = loggers.CreateLogger(typeof(ViewerRegistry).FullName!);
        _loop = new MediaLoop(options, hubs, OnRemoved, _logger);
        Channels = new ViewerChannelGateway(_loop, _inbox);
        _resolver = new CandidateResolver(_loop, _logger, resolve);
        _places = new ViewerPlaces(options.MaximumViewers, hubs, fingerprint, GatherCandidates, random);
        TransportLog.Listening(_logger, _loop.ListensOnTcp ? "UDP and TCP" : "UDP", _loop.Port, string.Join(", ", GetListenAddresses()));
    }

    /// <inheritdoc/>
    public event Action<string, string>? ViewerClosed;

    /// <summary>The media port, also when the kernel chose it.</summary>
    public int UdpPort => _loop.Port;

    /// <summary>The viewers' data channels.</summary>
    public IViewerChannels Channels { get; }

    internal MediaLoop Loop => _loop;

    /// <inheritdoc/>
    public async ValueTask<ViewerAnswer> OpenAsync(ViewerOffer offer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(offer);
        cancellationToken.ThrowIfCancellationRequested();
        if (!_places.TryReserve(offer.Camera, out var place, out var refusal))
            return Refuse(refusal);
        place = place with { Options = place.Options with { WantsDataChannels = _options.DataChannels } };
        ViewerAnswer? answer = null;
        try
        {
            answer = SdpNegotiation.TryAnswer(offer.Offer.Span, place.Options, out var negotiated, out var error)
                ? await EnterAsync(place, negotiated!, offer.Via, offer.Client, offer.Source).ConfigureAwait(false)
                : Refuse(ToViewerError(error!));
            return answer;
        }
        finally
        {
            if (answer is not { Error: null })
                _places.Free(place);
        }
    }

    /// <summary>An offer to a server that takes video, as the agent makes for WHIP (RFC 9725); holds a viewer's place until it is accepted or withdrawn.</summary>
    /// <param name="camera">Whose stream.</param>
    /// <param name="refusal">Why there is none, otherwise <c>null</c>.</param>
    public PublishOffer? CreateOffer(string camera, out ViewerError? refusal) =>
        _places.TryReserve(camera, out var place, out refusal) ? new PublishOffer(place, SdpNegotiation.CreateOffer(place.Options)) : null;

    /// <summary>Starts the session that the server's answer agrees to. Once for each offer, instead of <see cref="Withdraw"/>.</summary>
    /// <param name="offer">What was offered.</param>
    /// <param name="answer">UTF-8 SDP.</param>
    /// <param name="via">"whip", for the status.</param>
    /// <param name="client">The server, for the status and the log.</param>
    /// <returns>The session's id, or the error.</returns>
    public async ValueTask<ViewerAnswer> AcceptAnswerAsync(PublishOffer offer, ReadOnlyMemory<byte> answer, string via, string client)
    {
        ArgumentNullException.ThrowIfNull(offer);
        ViewerAnswer? entered = null;
        try
        {
            entered = SdpNegotiation.TryAcceptAnswer(answer.Span, offer.Sdp, offer.Place.Options, out var negotiated, out var error)
                ? await EnterAsync(offer.Place, negotiated!, via, client).ConfigureAwait(false)
                : Refuse(ToViewerError(error!));
            return entered;
        }
        finally
        {
            if (entered is not { Error: null })
                _places.Free(offer.Place);
        }
    }

    /// <summary>Has TURN servers relay for one session only, until it ends: those that the server which it publishes to has named.</summary>
    public async ValueTask UseIceServersAsync(string sessionId, IReadOnlyList<IceServerOptions> servers, CancellationToken cancellationToken) =>
        await _loop.InvokeAsync(
            () =>
            {
                if (_sessions.TryGetValue(sessionId, out var viewer))
                    _loop.UseServers(viewer, servers);
                return true;
            },
            cancellationToken).ConfigureAwait(false);

    /// <summary>The offer came to nothing: its place is free again.</summary>
    public void Withdraw(PublishOffer offer)
    {
        ArgumentNullException.ThrowIfNull(offer);
        _places.Free(offer.Place);
    }

    /// <inheritdoc/>
    public async ValueTask<string?> GetETagAsync(string sessionId, CancellationToken cancellationToken) =>
        await _loop.InvokeAsync(() => _sessions.GetValueOrDefault(sessionId)?.ETag, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<ViewerError?> TrickleAsync(string sessionId, TrickleFragment fragment, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(fragment);
        cancellationToken.ThrowIfCancellationRequested();
        ViewerError? Trickle()
        {
            if (!_sessions.TryGetValue(sessionId, out var viewer))
                return UnknownSession;

            // Candidates of another ICE generation are late ones of the past (RFC 8838 §8): of no use, and no error.
            if (fragment.Ice is null || fragment.Ice.Ufrag == viewer.RemoteUfrag)
                _resolver.AddCandidates(viewer, fragment.Candidates, fragment.EndOfCandidates, literals: true);
            return null;
        }

        return _loop.TryInvoke(Trickle, out var done) ? await done.ConfigureAwait(false) : QueueFull;
    }

    /// <inheritdoc/>
    public async ValueTask<IceRestartAnswer> RestartIceAsync(string sessionId, TrickleFragment fragment, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(fragment);
        cancellationToken.ThrowIfCancellationRequested();
        if (fragment.Ice is not { } remote)
        {
            return new IceRestartAnswer("", "", new ViewerError(
                ViewerErrorKind.Malformed, "An ICE restart needs new credentials: a=ice-ufrag and a=ice-pwd are missing."));
        }

        var local = IceCredentials.Create(_random);
        var etag = _random.CreateToken(ETagBytes);
        var candidates = GatherCandidates();
        IceRestartAnswer Restart()
        {
            if (!_sessions.TryGetValue(sessionId, out var viewer))
                return new IceRestartAnswer("", "", UnknownSession);
            if (remote.Ufrag == viewer.RemoteUfrag)
            {
                return new IceRestartAnswer("", "", new ViewerError(
                    ViewerErrorKind.Malformed, "An ICE restart needs new credentials: a=ice-ufrag is that of the present session (RFC 8445 §9)."));
            }

            return TryRestart(viewer, new IceRestart(local, remote, candidates, etag), fragment.Candidates, fragment.EndOfCandidates)
                ? new IceRestartAnswer(SdpNegotiation.FormatTrickleFragment(local, candidates, viewer.Terms.Negotiated.BundleMid), etag)
                : new IceRestartAnswer("", "", UnknownSession);
        }

        return _loop.TryInvoke(Restart, out var done) ? await done.ConfigureAwait(false) : new IceRestartAnswer("", "", QueueFull);
    }

    /// <inheritdoc/>
    public async ValueTask<ViewerAnswer?> RestartIceAsync(string sessionId, ReadOnlyMemory<byte> offer, CancellationToken cancellationToken)
    {
        var terms = await _loop.InvokeAsync(() => _sessions.GetValueOrDefault(sessionId)?.Terms, cancellationToken).ConfigureAwait(false);
        if (terms?.AnswerOptions is not { } before)
            return null;
        var options = before with { Ice = IceCredentials.Create(_random), Candidates = GatherCandidates() };
        if (!SdpNegotiation.TryAnswer(offer.Span, options, out var negotiated, out _) || !negotiated!.IsSameSession(terms.Negotiated))
            return null;

        var etag = _random.CreateToken(ETagBytes);
        ViewerAnswer? Restart() =>
            _sessions.TryGetValue(sessionId, out var viewer) && negotiated.RemoteIce.Ufrag != viewer.RemoteUfrag
                && TryRestart(
                    viewer, new IceRestart(options.Ice, negotiated.RemoteIce, options.Candidates, etag), negotiated.RemoteCandidates,
                    negotiated.RemoteEndOfCandidates)
                ? new ViewerAnswer(sessionId, negotiated.LocalSdp, etag)
                : null;
        return await _loop.InvokeAsync(Restart, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> CloseAsync(string sessionId, string reason, CancellationToken cancellationToken) =>
        await _loop.InvokeAsync(
            () =>
            {
                if (!_sessions.TryGetValue(sessionId, out var viewer))
                    return false;
                _loop.Apply(viewer, reason, static (one, why, now) => one.Session.Close(why, now));
                return true;
            },
            cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public IReadOnlyList<IceServer> GetIceServers() => TurnCredentials.Issue(_options.IceServers, DateTimeOffset.UtcNow);

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<ViewerStatus>> GetViewersAsync(CancellationToken cancellationToken) =>
        await _loop.InvokeAsync<IReadOnlyList<ViewerStatus>>(
            () =>
            {
                var now = SystemClock.Now;
                return [.. _loop.Viewers.Select(viewer => new ViewerStatus(
                    viewer.Terms.SessionId, viewer.Terms.Camera, viewer.Terms.Via, viewer.Terms.Client, now - viewer.OpenedAt,
                    viewer.Session.GetStatus())
                {
                    Layer = viewer.Layer?.Hub.Layer,
                })];
            },
            cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public TransportStatus GetStatus()
    {
        var counters = _loop.Counters;
        return new TransportStatus(
            counters.Viewers, Interlocked.Read(ref _viewersTotal), counters.DatagramsReceived, counters.DatagramsSent, counters.DatagramsUnmatched,
            counters.SendErrors, Interlocked.Read(ref counters.CommandsDropped), _loop.AccessUnitsDropped, GetListenAddresses())
        {
            Links = _loop.GetLinks(),
            Tcp = _loop.TcpStatus,
            SessionFaults = Interlocked.Read(ref counters.SessionFaults),
            NamesUnresolved = _resolver.Unresolved,
            IceServers = _loop.Servers?.Status ?? [],
            RelayedSent = _loop.Servers?.DatagramsSent ?? 0,
            RelayedReceived = _loop.Servers?.DatagramsReceived ?? 0,
            RelayedDropped = _loop.Servers?.DatagramsDropped ?? 0,
            ChannelMessagesDropped = _inbox.Dropped,
            TelemetryDropped = _inbox.TelemetryDropped,
        };
    }

    /// <summary>False if the media loop does not take its turn within a second, which it does thousands of times; said once in the log.</summary>
    public async ValueTask<bool> CheckProgressAsync()
    {
        using var timeout = new CancellationTokenSource(LoopTimeout);
        try
        {
            var getsOn = await _loop.InvokeAsync(static () => true, timeout.Token).ConfigureAwait(false);
            _isLoopHanging = false;
            return getsOn;
        }
        catch (OperationCanceledException)
        {
            if (!_isLoopHanging)
                TransportLog.LoopHangs(_logger, LoopTimeout.TotalSeconds);
            _isLoopHanging = true;
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.Dispose();
        _resolver.Dispose();
        _owned?.Dispose();
    }

    private static ViewerError UnknownSession { get; } = new(ViewerErrorKind.UnknownSession, "There is no such session; it may have ended. Send a new offer.");

    private static ViewerError QueueFull { get; } = new(ViewerErrorKind.Busy, "The agent has too many requests at once.", ViewerPlaces.BusyRetryAfter);

    private static ViewerAnswer Refuse(ViewerError error) => new("", "", "", error);

    private static ViewerError ToViewerError(SdpError error) =>
        new(error.Kind == SdpErrorKind.Malformed ? ViewerErrorKind.Malformed : ViewerErrorKind.NotAcceptable, error.Message);

    private async Task<ViewerAnswer> EnterAsync(ReservedPlace place, NegotiatedSession negotiated, string via, string client, IPAddress? source = null)
    {
        var options = place.Options;
        var terms = new ViewerTerms(
            place.SessionId, options.StreamId, via, client, negotiated, options.Ice, options.Candidates, options.Ssrc, options.RtxSsrc)
        {
            AnswerOptions = negotiated.IsOfferer ? null : options,
            Guest = source is not null && PublicAddresses.IsPublic(source) ? TransportAddress.From(source, 0) : default,
        };
        var video = new RtpVideoSenderOptions(
            options.Ssrc, options.RtxSsrc, negotiated.PayloadType, negotiated.RtxPayloadType, options.Cname, negotiated.VideoMid, negotiated.Extensions,
            negotiated.ReducedSizeRtcp)
        {
            PlayoutDelay = _options.PlayoutDelay,
            MaximumBitrate = _options.Adaptation ? _loop.GetFeed(options.StreamId).Hub.BitrateCeiling : null,
        };
        var etag = _random.CreateToken(ETagBytes);
        var dtls = _createDtls();
        var isOwned = true;
        try
        {
            if (!_loop.TryInvoke(() => Enter(terms, video, dtls, etag), out var entered))
                return Refuse(QueueFull);
            var answer = await entered.ConfigureAwait(false);
            isOwned = false; // the session has it
            return answer;
        }
        finally
        {
            if (isOwned)
                dtls.Dispose();
        }
    }

    /// <summary>On the loop: makes the session and takes it in.</summary>
    private ViewerAnswer Enter(ViewerTerms terms, RtpVideoSenderOptions video, IDtlsEndpoint dtls, string etag)
    {
        var now = SystemClock.Now;
        var channels = new ViewerChannels(terms, _inbox);
        var session = new PeerSession(terms.Negotiated, terms.LocalIce, terms.LocalCandidates, video, dtls, _random, now, channels);
        channels.Attach(session.Data);
        var viewer = new Viewer(terms, _loop.GetFeed(terms.Camera), session, channels, etag, now);
        _sessions.Add(terms.SessionId, viewer);
        Interlocked.Increment(ref _viewersTotal);
        _loop.Add(viewer);
        TransportLog.ViewerOpened(_logger, terms.SessionId[..TransportLog.ShownIdLength], terms.Camera, terms.Client, terms.Via);

        // The session has taken the literal addresses itself.
        _resolver.AddCandidates(viewer, terms.Negotiated.RemoteCandidates, terms.Negotiated.RemoteEndOfCandidates, literals: false);
        return new ViewerAnswer(terms.SessionId, terms.Negotiated.LocalSdp, etag);
    }

    /// <summary>On the loop: new credentials on both sides.</summary>
    private bool TryRestart(Viewer viewer, IceRestart restart, IReadOnlyList<SignaledCandidate> remote, bool end)
    {
        _loop.Apply(viewer, restart, static (one, how, now) =>
        {
            one.Session.RestartIce(how.Local, how.Remote, now);
            foreach (var candidate in how.Candidates)
                one.Session.AddLocalCandidate(candidate, now);
        });
        if (viewer.IsRemoved)
            return false;
        _loop.AddUfrag(viewer, restart.Local.Ufrag);
        viewer.RemoteUfrag = restart.Remote.Ufrag;
        viewer.ETag = restart.ETag;
        viewer.HasEndOfCandidates = false;
        viewer.NamesPending = 0;
        _resolver.AddCandidates(viewer, remote, end, literals: true);
        return true;
    }

    private sealed record IceRestart(IceCredentials Local, IceCredentials Remote, IReadOnlyList<IceCandidate> Candidates, string ETag);

    /// <summary>On the loop: a viewer has gone.</summary>
    private void OnRemoved(Viewer viewer, string reason)
    {
        var id = viewer.Terms.SessionId;
        _sessions.Remove(id);
        _places.Free(viewer.Terms.Ssrc, viewer.Terms.RtxSsrc);
        TransportLog.ViewerClosed(_logger, id[..TransportLog.ShownIdLength], reason);
        ThreadPool.UnsafeQueueUserWorkItem(
            static state =>
            {
                try
                {
                    state.Registry.ViewerClosed?.Invoke(state.Id, state.Reason);
                }
#pragma warning disable CA1031 // a subscriber's bug must not end the process
                catch (Exception error)
#pragma warning restore CA1031
                {
                    TransportLog.ViewerClosedHandlerFailed(state.Registry._logger, error);
                }
            },
            (Registry: this, Id: id, Reason: reason), preferLocal: false);
    }

    /// <summary>The present candidates; takes no time that an answer would have to wait for.</summary>
    private IReadOnlyList<IceCandidate> GatherCandidates()
    {
        var udp = GatherCandidates(TransportProtocol.Udp);
        IReadOnlyList<IceCandidate> known = _loop.ListensOnTcp ? [.. udp, .. GatherCandidates(TransportProtocol.Tcp)] : udp;
        return _loop.Servers is { } servers ? [.. known, .. ServerCandidates.Get(servers.Gathered, known)] : known;
    }

    private List<IceCandidate> GatherCandidates(TransportProtocol protocol)
    {
        var hosts = LocalAddresses.GetCandidates(_options.ListenAddresses, _loop.InterfaceAddresses, _loop.Port, protocol);
        return [.. hosts, .. PublicAddresses.GetCandidates(_options.PublicAddresses, hosts, _loop.Port, protocol)];
    }

    private string[] GetListenAddresses() =>
        [.. LocalAddresses.GetCandidates(_options.ListenAddresses, _loop.InterfaceAddresses, _loop.Port).Select(one => one.Address.ToString())];
}
