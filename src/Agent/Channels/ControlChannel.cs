using Agent.Home;
using Agent.Transport.Channels;

namespace Agent.Channels;

/// <summary>
/// The channel <c>control</c>: commands of viewers to the same registry as over MQTT and HTTP, with the same refusals. Each entity carries
/// out one at a time, in the order of their coming, and does not hold up the others. Called by one task.
/// </summary>
/// <param name="entities">Carries the commands out.</param>
/// <param name="channels">Takes the outcomes.</param>
/// <param name="mayCommand">Whether a viewer that was signalled this way may command.</param>
/// <param name="timeout">How long a command may take.</param>
/// <param name="clock">For the limits.</param>
/// <param name="log">For the log.</param>
internal sealed partial class ControlChannel(
    EntityRegistry entities, IViewerChannels channels, Func<string, bool> mayCommand, TimeSpan timeout, TimeProvider clock, ILogger log)
    : IAsyncDisposable
{
    /// <summary>For each viewer: a slider sends as it is dragged.</summary>
    internal const int Burst = 64;
    internal const int PerSecond = 20;

    /// <summary>Being carried out or waiting for their entity, of all viewers.</summary>
    internal const int MaximumUnderWay = 64;

    private readonly Dictionary<string, Task> _last = [];
    private readonly CancellationTokenSource _stopping = new();
    private int _underWay;

    /// <summary>Refuses at once who may only watch.</summary>
    public void Open(ViewerChannel channel)
    {
        if (IsAllowed(channel)) return;
        LogNotAllowed(channel.Client, channel.Via);
        channels.TrySend(channel, ChannelJson.Error(
            "not-authorized", "Viewers signalled over MQTT may watch and not command; publish to the entity's topic, or set mqtt.viewersMayCommand."));
        channels.TryClose(channel);
    }

    public void Handle(in ViewerMessage message)
    {
        var channel = message.Channel;
        if (!IsAllowed(channel)) return;
        var limit = (RateLimit)(channel.State ??= new RateLimit(clock, Burst, PerSecond));
        if (message.Length > message.Text!.Value.Length)
        {
            channels.TrySend(channel, ChannelJson.Error(RefusalCode.Malformed, $"The message has {message.Length} bytes; no command is that long."));
        }
        else if (!ControlRequest.TryParse(message.Text.Value, out var request, out var problem))
        {
            Reply(channel, request, RefusalCode.Malformed, problem);
        }
        else if (!limit.TryTake())
        {
            Reply(channel, request, RefusalCode.RateLimited, $"Too many commands; at most {PerSecond} a second are carried out.");
        }
        else if (Volatile.Read(ref _underWay) >= MaximumUnderWay)
        {
            Reply(channel, request, RefusalCode.Busy, "Too many commands are under way; try again later.");
        }
        else if (entities.Find(request.Entity) is null)
        {
            Reply(channel, request, RefusalCode.Of(RefusalKind.UnknownEntity), "There is no entity of that name.");
        }
        else
        {
            Interlocked.Increment(ref _underWay);
            _last[request.Entity] = ExecuteAsync(_last.GetValueOrDefault(request.Entity, Task.CompletedTask), channel, request);
        }
    }

    /// <summary>Gives up what is under way.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_last.Values);
        _stopping.Dispose();
    }

    private bool IsAllowed(ViewerChannel channel) => mayCommand(channel.Via);

    private async Task ExecuteAsync(Task previous, ViewerChannel channel, ControlRequest request)
    {
        // A handler may block before its first await: it must not block the task that reads.
        await previous.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        limit.CancelAfter(timeout);
        try
        {
            var outcome = await entities.ExecuteAsync(request.Entity, request.Value, limit.Token).AsTask().WaitAsync(limit.Token);
            if (outcome.IsDone) Reply(channel, request, null, null);
            else Reply(channel, request, RefusalCode.Of(outcome.Kind), outcome.Problem ?? "The command was refused.");
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The agent stops; the viewer sees its connection end.
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            Reply(channel, request, RefusalCode.Timeout, $"The command was not carried out within {timeout.TotalSeconds:0} s.");
        }
        catch (Exception bug)
        {
            // A bug in one handler must not end the commands of every other entity.
            LogBug(bug, request.Entity);
            Reply(channel, request, RefusalCode.Failed, "The command failed; the agent's log says more.");
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
        }
    }

    private void Reply(ViewerChannel channel, ControlRequest request, string? code, string? problem)
    {
        var value = code is null ? entities.Find(request.Entity)?.Value : null;
        channels.TrySend(channel, ChannelJson.Write("result", (request, code, problem, value), static (json, reply) =>
        {
            if (reply.request.Id is { } id)
            {
                json.WritePropertyName("id");
                json.WriteRawValue(id);
            }

            if (reply.request.Entity.Length > 0) json.WriteString("entity", reply.request.Entity);
            json.WriteBoolean("ok", reply.code is null);
            if (reply.value is not null) json.WriteString("value", reply.value);
            if (reply.code is null) return;
            json.WriteString("code", reply.code);
            json.WriteString("message", reply.problem);
        }));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Viewer {Client} may not command: it was signalled over {Via}")]
    private partial void LogNotAllowed(string client, string via);

    [LoggerMessage(Level = LogLevel.Error, Message = "The command for {Entity} failed; this is a bug")]
    private partial void LogBug(Exception bug, string entity);
}
