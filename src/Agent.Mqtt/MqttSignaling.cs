using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Agent.Home;
using Agent.Rtc.Sdp;
using Agent.Transport;
using Microsoft.Extensions.Logging;

namespace Agent.Mqtt;

/// <summary>
/// WebRTC signalling over the broker: offers in, answers out, candidates and farewells both ways. One task owns all state; the
/// library's thread and the media side only enqueue. The queue drops the newest message when full, and counts it.
/// </summary>
internal sealed partial class MqttSignaling : IAsyncDisposable
{
    /// <summary>A full queue is 256 messages of at most 256 KiB.</summary>
    internal const int QueueCapacity = 256;

    /// <summary>An SDP of 64 KiB, escaped for JSON.</summary>
    internal const int MaxOfferBytes = 128 * 1024;
    internal const int MaxIceBytes = 4 * 1024;
    internal const int MaxByeBytes = 1024;
    private const int MaxReasonLength = 128;

    private const int AtLeastOnce = 1;

    /// <summary>Answers and candidates are of no use to a client that comes back later than this.</summary>
    private static readonly TimeSpan s_expiry = TimeSpan.FromSeconds(30);

    /// <summary>The gateway answers within milliseconds; this bounds a fault.</summary>
    private static readonly TimeSpan s_gatewayTimeout = TimeSpan.FromSeconds(10);

    private readonly IMqttConnection _connection;
    private readonly IViewerGateway _gateway;
    private readonly SignalingTopics _topics;
    private readonly string _defaultCamera;
    private readonly ILogger _logger;
    private readonly RateLimit _offerLimit;
    private readonly RateLimit _reportLimit;
    private readonly EarlyCandidates _early;
    private readonly Dictionary<string, Session> _sessions = [];
    private readonly Channel<Work> _queue = Channel.CreateBounded<Work>(new BoundedChannelOptions(QueueCapacity) { SingleReader = true });
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _worker;
    private long _dropped;

    public MqttSignaling(
        IMqttConnection connection, IViewerGateway gateway, string baseTopic, string defaultCamera, ILogger logger, TimeProvider time)
    {
        _connection = connection;
        _gateway = gateway;
        _topics = new SignalingTopics(baseTopic);
        _defaultCamera = defaultCamera;
        _logger = logger;
        _offerLimit = new RateLimit(time);
        _reportLimit = new RateLimit(time);
        _early = new EarlyCandidates(time);
        connection.MessageReceived += Enqueue;
        gateway.ViewerClosed += EnqueueClosed;
        foreach (var (filter, noLocal) in _topics.Filters)
        {
            connection.Subscribe(filter, AtLeastOnce, noLocal);
        }

        _worker = Task.Run(WorkAsync);
    }

    private readonly record struct Session(string Id, string Camera, string? Mid);

    /// <summary>A client's message, or, without one, the end of a session.</summary>
    private readonly record struct Work(MqttMessage? Message, SignalKind Kind, string ClientOrSessionId, string Reason = "");

    /// <summary>Messages not handled because the queue was full.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Stops listening, says bye to every viewer that came over MQTT, and ends their sessions.</summary>
    public async ValueTask DisposeAsync()
    {
        _connection.MessageReceived -= Enqueue;
        _gateway.ViewerClosed -= EnqueueClosed;
        _queue.Writer.TryComplete();
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _worker.ConfigureAwait(false);
        using var limit = new CancellationTokenSource(s_gatewayTimeout);
        foreach (var (client, session) in _sessions)
        {
            SayBye(client, "the agent stops");
            try
            {
                await _gateway.CloseAsync(session.Id, "the agent stops", limit.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                LogNoAnswer(session.Id);
            }
        }

        _sessions.Clear();
        _stopping.Dispose();
    }

    private void Enqueue(MqttMessage message)
    {
        if (_topics.TryParse(message.Topic, out var kind, out var client))
        {
            Enqueue(new Work(message, kind, client));
        }
    }

    private void EnqueueClosed(string sessionId, string reason) => Enqueue(new Work(null, default, sessionId, reason));

    private void Enqueue(Work work)
    {
        if (!_queue.Writer.TryWrite(work))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    private async Task WorkAsync()
    {
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false) && !_stopping.IsCancellationRequested)
        {
            while (!_stopping.IsCancellationRequested && _queue.Reader.TryRead(out var work))
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
                limit.CancelAfter(s_gatewayTimeout);
                try
                {
                    await HandleAsync(work, limit.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (limit.IsCancellationRequested)
                {
                    LogNoAnswer(work.Message?.Topic ?? work.ClientOrSessionId);
                }
                catch (Exception failure)
                {
                    // A bug met by one message must not end signalling for every other client.
                    LogFailure(failure, work.Message?.Topic ?? work.ClientOrSessionId);
                }
            }
        }
    }

    private ValueTask HandleAsync(Work work, CancellationToken cancellation)
    {
        if (work.Message is not { } message)
        {
            HandleClosed(work.ClientOrSessionId, work.Reason);
            return ValueTask.CompletedTask;
        }

        var client = work.ClientOrSessionId;
        if (!SignalingTopics.IsClient(client))
        {
            ReportInvalidClient();
            return ValueTask.CompletedTask;
        }

        // A retained message was meant for another time: its candidates and credentials are stale.
        return message.Retained ? ValueTask.CompletedTask : work.Kind switch
        {
            SignalKind.Offer => HandleOfferAsync(client, message, cancellation),
            SignalKind.Ice => HandleIceAsync(client, message.Payload, cancellation),
            _ => HandleByeAsync(client, message.Payload, cancellation),
        };
    }

    private async ValueTask HandleOfferAsync(string client, MqttMessage message, CancellationToken cancellation)
    {
        if (!_offerLimit.TryTake())
        {
            Refuse(client, message, "rate-limited", $"Too many offers; at most {RateLimit.PerSecond} a second are answered.", TimeSpan.FromSeconds(1));
            return;
        }

        if (!TryReadOffer(message.Payload.Span, out var offer, out var error))
        {
            Refuse(client, message, "malformed", error);
            return;
        }

        if (_sessions.TryGetValue(client, out var running) && await TryRestartIceAsync(client, running, offer, message, cancellation).ConfigureAwait(false))
        {
            return;
        }

        if (_sessions.Remove(client, out var previous))
        {
            await _gateway.CloseAsync(previous.Id, "replaced by a new offer of the same client", cancellation).ConfigureAwait(false);
        }

        var answer = await _gateway
            .OpenAsync(new ViewerOffer(offer.Camera ?? _defaultCamera, Encoding.UTF8.GetBytes(offer.Sdp!), "mqtt", client), cancellation)
            .ConfigureAwait(false);
        if (answer.Error is { } refused)
        {
            _early.Forget(client);
            Refuse(client, message, Code(refused.Kind), refused.Message, refused.RetryAfter);
            return;
        }

        var session = new Session(answer.SessionId, offer.Camera ?? _defaultCamera, AnsweredMid(answer.Answer));
        _sessions[client] = session;
        LogAccepted(client, offer.Camera ?? _defaultCamera, answer.SessionId);
        RespondWithAnswer(client, message, answer);
        if (_early.Take(client, session.Mid) is { } fragment)
        {
            await TrickleAsync(client, session, fragment, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// A client whose network has changed offers its running session anew, with new ICE credentials: the session goes on. Any other offer is for a
    /// new one.
    /// </summary>
    private async ValueTask<bool> TryRestartIceAsync(
        string client, Session session, OfferEnvelope offer, MqttMessage message, CancellationToken cancellation)
    {
        if ((offer.Camera ?? _defaultCamera) != session.Camera
            || await _gateway.RestartIceAsync(session.Id, Encoding.UTF8.GetBytes(offer.Sdp!), cancellation).ConfigureAwait(false) is not { } answer)
        {
            return false;
        }

        LogRestarted(client, answer.SessionId);
        RespondWithAnswer(client, message, answer);
        return true;
    }

    private void RespondWithAnswer(string client, MqttMessage offer, ViewerAnswer answer)
    {
        Respond(client, offer, JsonSerializer.SerializeToUtf8Bytes(new AnswerEnvelope("answer", answer.Answer), SignalingJson.Default.AnswerEnvelope));

        // Every candidate of this side stands in the answer (RFC 8838 §13 end-of-candidates).
        _connection.Publish(_topics.DeviceIce(client), "null"u8, AtLeastOnce, retain: false, s_expiry);
    }

    private async ValueTask HandleIceAsync(string client, ReadOnlyMemory<byte> payload, CancellationToken cancellation)
    {
        if (payload.Length > MaxIceBytes
            || !SignalingJson.TryRead(payload.Span, SignalingJson.Default.CandidateEnvelope, out var envelope, out _))
        {
            ReportError(client, "malformed", $"The ice message is not a candidate of at most {MaxIceBytes} bytes; publish JSON.stringify(event.candidate).");
            return;
        }

        // JSON null and an empty candidate both mean end of candidates (W3C WebRTC §4.8.1.1).
        SignaledCandidate? candidate = null;
        if (!string.IsNullOrEmpty(envelope?.Candidate)
            && !SdpNegotiation.TryParseCandidate(Encoding.UTF8.GetBytes(envelope.Candidate), out candidate))
        {
            return;
        }

        if (!_sessions.TryGetValue(client, out var session))
        {
            if (!_early.TryAdd(client, envelope?.SdpMid, candidate))
            {
                Interlocked.Increment(ref _dropped);
            }
        }
        else if (envelope?.SdpMid is null || session.Mid is null || envelope.SdpMid == session.Mid)
        {
            await TrickleAsync(client, session, new TrickleFragment(null, candidate is null ? [] : [candidate], candidate is null), cancellation)
                .ConfigureAwait(false);
        }
    }

    private async ValueTask HandleByeAsync(string client, ReadOnlyMemory<byte> payload, CancellationToken cancellation)
    {
        // Any payload will do: a viewer's Last Will may be a bare word. Only the device's own echo is told apart.
        ByeEnvelope? bye = null;
        if (payload.Length is > 0 and <= MaxByeBytes)
        {
            SignalingJson.TryRead(payload.Span, SignalingJson.Default.ByeEnvelope, out bye, out _);
        }

        if (bye?.From is "device")
        {
            return;
        }

        _early.Forget(client);
        if (_sessions.Remove(client, out var session))
        {
            await _gateway.CloseAsync(session.Id, Printable(bye?.Reason) ?? "the viewer said bye", cancellation).ConfigureAwait(false);
        }
    }

    private void HandleClosed(string sessionId, string reason)
    {
        foreach (var (client, session) in _sessions)
        {
            if (session.Id == sessionId)
            {
                _sessions.Remove(client);
                SayBye(client, reason);
                return;
            }
        }
    }

    private async ValueTask TrickleAsync(string client, Session session, TrickleFragment fragment, CancellationToken cancellation)
    {
        var error = await _gateway.TrickleAsync(session.Id, fragment, cancellation).ConfigureAwait(false);
        if (error is { Kind: ViewerErrorKind.UnknownSession } && _sessions.Remove(client))
        {
            SayBye(client, "the session has ended");
        }
        else if (error is not null)
        {
            ReportError(client, Code(error.Kind), error.Message);
        }
    }

    private static bool TryReadOffer(
        ReadOnlySpan<byte> payload, [NotNullWhen(true)] out OfferEnvelope? offer,
        [NotNullWhen(false)] out string? error)
    {
        offer = null;
        error = null;
        if (payload.Length > MaxOfferBytes)
        {
            error = $"The offer has {payload.Length} bytes; send at most {MaxOfferBytes}.";
        }
        else if (!SignalingJson.TryRead(payload, SignalingJson.Default.OfferEnvelope, out offer, out var detail))
        {
            error = $"The offer is not the JSON object {{\"type\":\"offer\",\"sdp\":…}}: {detail}";
        }
        else if (offer is not { Type: "offer", Sdp.Length: > 0 })
        {
            error = "The offer needs \"type\":\"offer\" and \"sdp\"; publish JSON.stringify(peerConnection.localDescription).";
        }

        return error is null;
    }

    /// <summary>The one mid of the answer's BUNDLE group, if it has one.</summary>
    private static string? AnsweredMid(string answer)
    {
        const string Group = "a=group:BUNDLE ";
        var start = answer.IndexOf(Group, StringComparison.Ordinal);
        return start < 0 ? null : answer[(start + Group.Length)..].Split('\r', '\n', ' ')[0];
    }

    private static string Code(ViewerErrorKind kind) => kind switch
    {
        ViewerErrorKind.UnknownCamera => "unknown-camera",
        ViewerErrorKind.UnknownSession => "unknown-session",
        ViewerErrorKind.Malformed => "malformed",
        ViewerErrorKind.NotAcceptable => "not-acceptable",
        ViewerErrorKind.NotProducing => "not-producing",
        _ => "busy",
    };

    /// <summary>A client's words, fit for the log: shortened, without control characters.</summary>
    private static string? Printable(string? text) => string.IsNullOrEmpty(text)
        ? null
        : string.Concat(text.Take(MaxReasonLength).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));

    private void Refuse(string client, MqttMessage offer, string code, string message, TimeSpan? retryAfter = null)
    {
        var envelope = new ErrorEnvelope("error", code, message, retryAfter is { } wait ? (int)Math.Ceiling(wait.TotalSeconds) : null);
        Respond(client, offer, JsonSerializer.SerializeToUtf8Bytes(envelope, SignalingJson.Default.ErrorEnvelope));
        ReportError(client, code, message);
    }

    private void Respond(string client, MqttMessage offer, byte[] payload)
    {
        var topic = offer.ResponseTopic is { } response && _topics.IsAllowedResponse(response) ? response : _topics.Answer(client);
        _connection.Publish(topic, payload, AtLeastOnce, retain: false, s_expiry, offer.CorrelationData.Span);
    }

    private void SayBye(string client, string reason) => _connection.Publish(
        _topics.Bye(client), JsonSerializer.SerializeToUtf8Bytes(new ByeEnvelope("bye", "device", reason), SignalingJson.Default.ByeEnvelope),
        AtLeastOnce, retain: false, s_expiry);

    private void ReportInvalidClient() => ReportError("", "invalid-client", "The client name in the topic must be 1 to 64 letters, digits or -_.:@~.");

    private void ReportError(string client, string code, string message)
    {
        if (!_reportLimit.TryTake())
        {
            return;
        }

        LogRefused(client, code, message);
        _connection.Publish(
            _topics.Error, JsonSerializer.SerializeToUtf8Bytes(new ErrorReport(client, code, message), SignalingJson.Default.ErrorReport),
            qos: 0, retain: false, s_expiry);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "MQTT viewer {Client} watches {Camera}, session {SessionId}")]
    private partial void LogAccepted(string client, string camera, string sessionId);

    [LoggerMessage(Level = LogLevel.Information, Message = "MQTT viewer {Client} restarts ICE, session {SessionId}")]
    private partial void LogRestarted(string client, string sessionId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "MQTT viewer {Client} refused: {Code}: {Reason}")]
    private partial void LogRefused(string client, string code, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The media loop did not answer in time for {Subject}")]
    private partial void LogNoAnswer(string subject);

    [LoggerMessage(Level = LogLevel.Error, Message = "Handling {Subject} failed; this is a bug")]
    private partial void LogFailure(Exception failure, string subject);
}
