using Agent.Mqtt;
using Agent.Rtc;
using Agent.Transport;

namespace Agent.Whip;

/// <summary>A publisher as the status shows it.</summary>
/// <param name="Name">From the configuration.</param>
/// <param name="Camera">Whose stream.</param>
/// <param name="Server">Host and port of the endpoint: its path may be a secret.</param>
/// <param name="IsWanted">Whether it is switched on.</param>
/// <param name="IsConnected">Whether the server gets the stream now.</param>
/// <param name="Session">The id of its session among the viewers, if there is one.</param>
/// <param name="Attempts">Offers sent.</param>
/// <param name="Connections">Of them, those that led to a stream.</param>
/// <param name="Problem">What keeps it from publishing, in words.</param>
internal sealed record WhipStatus(
    string Name, string Camera, string Server, bool IsWanted, bool IsConnected, string? Session, long Attempts, long Connections, string? Problem);

/// <summary>Publishes one camera's stream to one server for as long as it is wanted, and comes back for ever. Thread-safe.</summary>
internal sealed partial class WhipPublisher : IAsyncDisposable
{
    /// <summary>How often the session is looked at.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <summary>A direct way is found by then if there is one; a relay would cost its server twice the stream.</summary>
    private static readonly TimeSpan RelayPatience = TimeSpan.FromSeconds(2);

    /// <summary>For the DELETE of a session that is over; the agent stops within two seconds.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromMilliseconds(500);

    private readonly WhipOptions _options;
    private readonly ViewerRegistry _viewers;
    private readonly WhipClient _client;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private CancellationTokenSource? _run;
    private Task _task = Task.CompletedTask;
    private WhipStatus _status;

    /// <param name="options">What to publish where.</param>
    /// <param name="viewers">Makes the session.</param>
    /// <param name="client">The way to the server; is disposed with this.</param>
    /// <param name="clock">Paces the attempts.</param>
    /// <param name="log">Says what keeps the server from being reached, once for each reason.</param>
    public WhipPublisher(WhipOptions options, ViewerRegistry viewers, WhipClient client, TimeProvider clock, ILogger log)
    {
        (_options, _viewers, _client, _clock, _log) = (options, viewers, client, clock, log);
        _status = new WhipStatus(options.Name, options.Camera!, options.Url!.Authority, false, false, null, 0, 0, null);
    }

    /// <summary>The server gets the stream, or no longer does. On any thread: must only enqueue.</summary>
    public event Action<bool>? ConnectedChanged;

    public WhipStatus Status
    {
        get
        {
            lock (_lock) return _status;
        }
    }

    /// <summary>Begins to publish, or ends it.</summary>
    public void SetWanted(bool isWanted)
    {
        lock (_lock)
        {
            if (_status.IsWanted == isWanted) return;
            _status = _status with { IsWanted = isWanted };
            if (isWanted)
            {
                _run = new CancellationTokenSource();
                _task = RunAsync(_task, _run.Token);
            }
            else
            {
                _run!.Cancel();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        SetWanted(false);
        await _task;
        _client.Dispose();
    }

    /// <summary>Publishes until it is cancelled, once what was under way before has come to its end.</summary>
    private async Task RunAsync(Task before, CancellationToken cancellation)
    {
        await before;
        await Task.Yield(); // away from the lock of SetWanted
        var backoff = new ReconnectBackoff(Random.Shared);
        try
        {
            while (true)
            {
                var retryAfter = await PublishOnceAsync(backoff, cancellation);
                var delay = backoff.Next();
                await Task.Delay(retryAfter > delay ? retryAfter.Value : delay, _clock, cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            Change(status => status with { Problem = null });
        }
        catch (Exception bug)
        {
            // The task has no caller to throw to, and the viewers can go on without it.
            LogBroken(bug, _options.Name);
            Change(status => status with { Problem = "internal error; the log has it" });
        }
    }

    /// <summary>One session from its offer to its end; returns when to try again at the earliest.</summary>
    private async Task<TimeSpan?> PublishOnceAsync(ReconnectBackoff backoff, CancellationToken cancellation)
    {
        if (_viewers.CreateOffer(_options.Camera!, out var refusal) is not { } offer)
        {
            // What a camera lacks is told where it is found out; a place among the viewers is missed by nobody else.
            return Tell(refusal!.Message, refusal.RetryAfter, refusal.Kind == ViewerErrorKind.NotProducing ? LogLevel.Debug : LogLevel.Warning);
        }

        Change(status => status with { Attempts = status.Attempts + 1 });
        WhipAnswer? answer = null;
        try
        {
            answer = await _client.OfferAsync(offer.Sdp, cancellation);
        }
        finally
        {
            if (answer?.Session is null) _viewers.Withdraw(offer);
        }

        if (answer.Session is not { } session) return Tell($"{_options.Url!.Authority} {answer.Problem}", answer.RetryAfter);
        var ended = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _viewers.ViewerClosed += OnClosed;
        try
        {
            var accepted = await _viewers.AcceptAnswerAsync(offer, answer.Sdp, "whip", _options.Url!.Authority);
            if (accepted.Error is { } error) return Tell($"{_options.Url!.Authority} answers what cannot be used: {error.Message}", error.RetryAfter);
            Change(status => status with { Session = accepted.SessionId });
            return Tell($"the session with {_options.Url!.Authority} ended: {await WatchAsync(accepted.SessionId, answer.IceServers, ended.Task, backoff, cancellation)}", null);
        }
        finally
        {
            _viewers.ViewerClosed -= OnClosed;
            SetConnected(false);
            await _viewers.CloseAsync(offer.SessionId, "publishing has ended", CancellationToken.None);
            using var patience = new CancellationTokenSource(EndTimeout, _clock);
            await _client.EndAsync(session, patience.Token);
            Change(status => status with { Session = null });
        }

        void OnClosed(string id, string reason)
        {
            if (id == offer.SessionId) ended.TrySetResult(reason);
        }
    }

    /// <summary>Looks after a session to its end; returns why it ended.</summary>
    private async Task<string> WatchAsync(
        string id, IReadOnlyList<IceServerOptions> iceServers, Task<string> ended, ReconnectBackoff backoff, CancellationToken cancellation)
    {
        while (!ended.IsCompleted)
        {
            var viewers = await _viewers.GetViewersAsync(cancellation);
            var session = viewers.FirstOrDefault(viewer => viewer.SessionId == id);
            if (session is { Peer.State: PeerState.Connected } && SetConnected(true)) backoff.Reset();
            if (session is { Peer.State: PeerState.Connecting } && session.Age >= RelayPatience && iceServers.Count > 0)
            {
                await _viewers.UseIceServersAsync(id, iceServers, cancellation);
                iceServers = [];
            }

            await Task.WhenAny(ended, Task.Delay(LookInterval, _clock, cancellation));
            cancellation.ThrowIfCancellationRequested();
        }

        return await ended;
    }

    /// <summary>True if that is news.</summary>
    private bool SetConnected(bool isConnected)
    {
        lock (_lock)
        {
            if (_status.IsConnected == isConnected) return false;
            _status = _status with { IsConnected = isConnected, Connections = _status.Connections + (isConnected ? 1 : 0), Problem = null };
        }

        if (isConnected) LogPublishing(_options.Name, _options.Camera!, _options.Url!.Authority);
        ConnectedChanged?.Invoke(isConnected);
        return true;
    }

    /// <summary>Says what is wrong, in the log once.</summary>
    private TimeSpan? Tell(string problem, TimeSpan? retryAfter, LogLevel level = LogLevel.Warning)
    {
        problem = problem.TrimEnd('.');
        if (Status.Problem != problem) LogProblem(level, _options.Name, problem);
        Change(status => status with { Problem = problem });
        return retryAfter;
    }

    private void Change(Func<WhipStatus, WhipStatus> change)
    {
        lock (_lock) _status = change(_status);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Publisher {Name}: {Server} gets the stream of camera {Camera}")]
    private partial void LogPublishing(string name, string camera, string server);

    [LoggerMessage(Message = "Publisher {Name}: {Problem}; it is tried again")]
    private partial void LogProblem(LogLevel level, string name, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "Publisher {Name} has ended: this is a bug")]
    private partial void LogBroken(Exception bug, string name);
}
