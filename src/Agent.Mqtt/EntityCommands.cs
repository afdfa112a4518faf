using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using System.Threading.Channels;
using Agent.Home;
using Microsoft.Extensions.Logging;

namespace Agent.Mqtt;

/// <summary>
/// Commands over the broker: <c>{base}/{id}/set</c> to the registry, the outcome back on the state topic, and refusals on <c>{base}/error</c>.
/// One task takes them in; each entity carries out one at a time and does not hold up the others. The queue drops the newest when full,
/// and counts it.
/// </summary>
internal sealed partial class EntityCommands : IAsyncDisposable
{
    internal const int QueueCapacity = 128;

    /// <summary>The longest word of a choice, with room.</summary>
    internal const int MaxCommandBytes = 256;

    /// <summary>A scene that switches the whole house comes at once; a slider sends as it is dragged.</summary>
    internal const int Burst = 64;
    internal const int PerSecond = 20;

    /// <summary>Being carried out or waiting for their entity.</summary>
    internal const int MaxUnderWay = 64;

    private const int AtLeastOnce = 1;

    private static readonly TimeSpan s_expiry = TimeSpan.FromSeconds(30);

    private readonly IMqttConnection _connection;
    private readonly EntityRegistry _registry;
    private readonly EntityTopics _topics;
    private readonly Action<string> _acknowledge;
    private readonly TimeSpan _timeout;
    private readonly ILogger _logger;
    private readonly RateLimit _limit;
    private readonly RateLimit _reportLimit;
    private readonly Lock _reporting = new();
    private readonly Dictionary<string, Task> _last = [];
    private readonly Channel<Command> _queue = Channel.CreateBounded<Command>(new BoundedChannelOptions(QueueCapacity) { SingleReader = true });
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _worker;
    private int _underWay;
    private long _dropped;

    /// <param name="connection">The broker.</param>
    /// <param name="registry">Carries the commands out.</param>
    /// <param name="topics">Where they come from.</param>
    /// <param name="acknowledge">Publishes an entity's state.</param>
    /// <param name="timeout">How long a command may take.</param>
    /// <param name="logger">For the log.</param>
    /// <param name="time">For the limits.</param>
    public EntityCommands(
        IMqttConnection connection, EntityRegistry registry, EntityTopics topics, Action<string> acknowledge, TimeSpan timeout, ILogger logger,
        TimeProvider time)
    {
        (_connection, _registry, _topics, _acknowledge, _timeout, _logger) = (connection, registry, topics, acknowledge, timeout, logger);
        _limit = new RateLimit(time, Burst, PerSecond);
        _reportLimit = new RateLimit(time);
        connection.MessageReceived += Enqueue;
        connection.Subscribe(topics.CommandFilter, AtLeastOnce, noLocal: true);
        _worker = Task.Run(WorkAsync);
    }

    private readonly record struct Command(string Id, MqttMessage Message, int PayloadLength);

    private readonly record struct Refusal(string Code, string Message);

    /// <summary>Commands not handled because the queue was full.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Takes no more commands and gives up those under way.</summary>
    public async ValueTask DisposeAsync()
    {
        _connection.MessageReceived -= Enqueue;
        _queue.Writer.TryComplete();
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _worker.ConfigureAwait(false);
        await Task.WhenAll(_last.Values).ConfigureAwait(false);
        _stopping.Dispose();
    }

    private void Enqueue(MqttMessage message)
    {
        if (!_topics.TryParseCommand(message.Topic, out var id)) return;
        var length = message.Payload.Length;

        // A queue full of large payloads that are refused anyway would be memory that strangers hold.
        var kept = length > MaxCommandBytes ? message with { Payload = default } : message;
        if (!_queue.Writer.TryWrite(new Command(id, kept, length))) Interlocked.Increment(ref _dropped);
    }

    private async Task WorkAsync()
    {
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (!_stopping.IsCancellationRequested && _queue.Reader.TryRead(out var command)) Handle(command);
        }
    }

    private void Handle(Command command)
    {
        if (FindFault(command, out var text) is { } refusal)
        {
            Refuse(command, refusal);
            return;
        }

        var previous = _last.GetValueOrDefault(command.Id, Task.CompletedTask);
        Interlocked.Increment(ref _underWay);
        _last[command.Id] = ExecuteAsync(previous, command, text);
    }

    /// <summary>What is wrong with the message, whatever the entity makes of its text; otherwise <c>null</c>.</summary>
    private Refusal? FindFault(Command command, out string text)
    {
        var payload = command.Message.Payload.Span;
        text = "";
        if (!_limit.TryTake()) return new(RefusalCode.RateLimited, $"Too many commands; at most {PerSecond} a second are carried out.");
        if (_registry.Find(command.Id) is null) return new("unknown-entity", "There is no entity of that name.");
        if (command.Message.Retained) return new("retained", "A retained command is not carried out, since it may be old; publish commands without retain.");
        // Nor an empty one, which is how a retained message is taken back.
        if (command.PayloadLength == 0) return new(RefusalCode.Malformed, "The command is empty.");
        if (command.PayloadLength > MaxCommandBytes) return new(RefusalCode.Malformed, $"The command has {command.PayloadLength} bytes; send at most {MaxCommandBytes}.");
        if (!Utf8.IsValid(payload)) return new(RefusalCode.Malformed, "The command is not UTF-8.");
        text = Encoding.UTF8.GetString(payload).Trim();
        if (text.Any(char.IsControl)) return new(RefusalCode.Malformed, "The command has control characters.");
        return Volatile.Read(ref _underWay) >= MaxUnderWay ? new(RefusalCode.Busy, "Too many commands are under way; try again later.") : null;
    }

    private async Task ExecuteAsync(Task previous, Command command, string text)
    {
        // A handler may block before its first await: it must not block the worker.
        await previous.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        limit.CancelAfter(_timeout);
        try
        {
            var outcome = await _registry.ExecuteAsync(command.Id, text, limit.Token).AsTask().WaitAsync(limit.Token).ConfigureAwait(false);
            if (outcome.IsDone)
            {
                Reply(command, null);
            }
            else
            {
                Refuse(command, new(RefusalCode.Of(outcome.Kind), outcome.Problem ?? "The command was refused."));
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The agent stops; whoever sent the command sees it go offline.
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            Refuse(command, new(RefusalCode.Timeout, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"The command was not carried out within {_timeout.TotalSeconds} s.")));
        }
        catch (Exception failure)
        {
            // A bug in one handler must not end the commands of every other entity.
            LogFailure(failure, command.Id);
            Refuse(command, new(RefusalCode.Failed, "The command failed; the agent's log says more."));
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
            _acknowledge(command.Id);
        }
    }

    private void Refuse(Command command, Refusal refusal)
    {
        Reply(command, refusal);
        lock (_reporting)
        {
            if (!_reportLimit.TryTake()) return;
        }

        // An id that no entity has may be anything that fits a topic.
        var id = Entity.IsId(command.Id) ? command.Id : "";
        LogRefused(id, refusal.Code, refusal.Message);
        _connection.Publish(
            _topics.Error, JsonSerializer.SerializeToUtf8Bytes(new EntityErrorReport(id, refusal.Code, refusal.Message), EntityJson.Default.EntityErrorReport),
            qos: 0, retain: false, s_expiry);
    }

    private void Reply(Command command, Refusal? refusal)
    {
        if (command.Message.ResponseTopic is not { } topic || !_topics.IsAllowedResponse(topic)) return;
        var reply = new CommandReply(command.Id, refusal is null, refusal?.Code, refusal?.Message);
        _connection.Publish(
            topic, JsonSerializer.SerializeToUtf8Bytes(reply, EntityJson.Default.CommandReply), AtLeastOnce, retain: false, s_expiry,
            command.Message.CorrelationData.Span);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "MQTT command for \"{Entity}\" refused: {Code}: {Reason}")]
    private partial void LogRefused(string entity, string code, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The command for {Entity} failed; this is a bug")]
    private partial void LogFailure(Exception failure, string entity);
}
