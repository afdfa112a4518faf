using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Agent.Home.Automations;

/// <summary>What the automations reach beside the entities.</summary>
/// <param name="Publish">Hands a message to the broker; returns at once, whether it is there or not.</param>
/// <param name="Recall">The value kept under a name, <c>null</c> if there is none.</param>
/// <param name="Keep">Keeps a value over restarts, or forgets it if it is <c>null</c>.</param>
public sealed record AutomationOutlets(Action<PublishAction> Publish, Func<string, string?> Recall, Action<string, string?> Keep);

/// <summary>
/// Runs the automations by one task that owns the engine, from <see cref="Start"/> to disposal. Their entities, if somebody registered
/// them: <see cref="SwitchId"/> puts one out of force, <see cref="LastRunId"/> is when it was last set off.
/// </summary>
public sealed partial class AutomationRunner : IAsyncDisposable
{
    /// <summary>Changes waiting for the task; the oldest is dropped when it is full, since a newer one tells more about the same entity.</summary>
    private const int QueueCapacity = 256;

    /// <summary>As for commands over MQTT and HTTP: opening or closing a camera takes seconds.</summary>
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Longer waits are made of several.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    private readonly EntityRegistry _registry;
    private readonly AutomationOutlets _outlets;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly AutomationEngine _engine;
    private readonly Dictionary<Task<CommandOutcome>, string> _underWay = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<Change> _changes;
    private volatile IReadOnlyList<AutomationStatus> _status;
    private Task _task = Task.CompletedTask;
    private long _changesDropped;

    /// <param name="automations">Names are unique.</param>
    /// <param name="location">For the sun.</param>
    /// <param name="registry">What is watched and operated.</param>
    /// <param name="outlets">The rest of the world.</param>
    /// <param name="clock">The time, and the machine's zone.</param>
    /// <param name="log">Says what is out of service and what failed.</param>
    public AutomationRunner(
        IReadOnlyList<AutomationOptions> automations, GeoLocation? location, EntityRegistry registry, AutomationOutlets outlets, TimeProvider clock, ILogger log)
    {
        (_registry, _outlets, _clock, _log) = (registry, outlets, clock, log);
        _changes = Channel.CreateBounded<Change>(
            new BoundedChannelOptions(QueueCapacity) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
            _ => Interlocked.Increment(ref _changesDropped));
        var enabled = automations.ToDictionary(automation => automation.Name, automation => automation.Enabled);
        bool IsEnabled(string name) => registry.Find(SwitchId(name))?.Value is { } value ? value == SwitchEntity.On : enabled[name];
        _engine = new AutomationEngine(automations, new AutomationSurroundings(
            registry.Find, IsEnabled, (automation, entity) => outlets.Recall(UndoName(automation, entity)), clock.LocalTimeZone, location));
        _status = _engine.Status;
    }

    private readonly record struct Change(EntityState State, EntityChange Kind);

    /// <summary>How each automation is doing, in the order of the configuration.</summary>
    public IReadOnlyList<AutomationStatus> Status => _status;

    /// <summary>Changes that were not looked at because too many came at once.</summary>
    public long ChangesDropped => Interlocked.Read(ref _changesDropped);

    /// <summary>The id of an automation's switch.</summary>
    public static string SwitchId(string automation) => $"automation_{automation}";

    /// <summary>The id of the sensor that says when it was last set off.</summary>
    public static string LastRunId(string automation) => $"automation_{automation}_last_run";

    /// <summary>Once, when there are the entities that the automations name; what is registered later is taken up then.</summary>
    public void Start()
    {
        _registry.Changed += Enqueue;
        _task = Task.Run(RunAsync);
    }

    /// <summary>Gives up commands that are under way. What is to be taken back stays kept, for the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        _registry.Changed -= Enqueue;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _task.ConfigureAwait(false);
        _stop.Dispose();
    }

    private static string UndoName(string automation, string entity) => $"automation.{automation}.undo.{entity}";

    /// <summary>Under the registry's lock. A picture would be kept from being freed.</summary>
    private void Enqueue(EntityState state, EntityChange change)
    {
        if (_engine.Wants(state.Entity.Id, change)) _changes.Writer.TryWrite(new Change(state with { Picture = default }, change));
    }

    private async Task RunAsync()
    {
        try
        {
            var started = _clock.GetTimestamp();
            Moment Now() => new(_clock.GetElapsedTime(started), _clock.GetUtcNow());
            _engine.Start(Now());
            while (true)
            {
                while (_changes.Reader.TryRead(out var change)) _engine.See(change.State, change.Kind, Now());
                foreach (var (task, automation) in _underWay.Where(command => command.Key.IsCompleted).ToArray())
                {
                    _underWay.Remove(task);
                    _engine.Complete(automation, await task.ConfigureAwait(false), Now());
                }

                _engine.Advance(Now());
                while (_engine.TryTake(out var effect)) CarryOut(effect);
                _status = _engine.Status;
                await WaitAsync(_engine.FindWait(Now())).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            await Task.WhenAll(_underWay.Keys).ConfigureAwait(false);
        }
        catch (Exception bug)
        {
            // The task has no caller to throw to, and the cameras can go on without automations.
            LogBroken(bug);
        }
    }

    /// <summary>Until a change, the end of a command, or the time.</summary>
    private async Task WaitAsync(TimeSpan? time)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var wait = time is null ? Timeout.InfiniteTimeSpan : time < LongestWait ? Ceiling(time.Value) : LongestWait;
        await Task.WhenAny([_changes.Reader.WaitToReadAsync(enough.Token).AsTask(), Task.Delay(wait, _clock, enough.Token), .. _underWay.Keys]).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
        _stop.Token.ThrowIfCancellationRequested();
    }

    /// <summary>Timers count whole milliseconds: one too early would be waited for in vain.</summary>
    private static TimeSpan Ceiling(TimeSpan time) => TimeSpan.FromMilliseconds(Math.Ceiling(time.TotalMilliseconds));

    private void CarryOut(AutomationEffect effect)
    {
        switch (effect)
        {
            case CommandEffect command:
                _underWay.Add(ExecuteAsync(command), command.Automation);
                break;
            case PublishEffect publish:
                _outlets.Publish(publish.Message);
                break;
            case KeepEffect keep:
                _outlets.Keep(UndoName(keep.Automation, keep.Entity), keep.Undo);
                break;
            case RunEffect run:
                LogRun(run.Automation);
                _registry.Publish(LastRunId(run.Automation), run.At.ToString("yyyy-MM-ddTHH:mm:sszzz", System.Globalization.CultureInfo.InvariantCulture));
                break;
            case FailureEffect failure:
                LogFailure(failure.Automation, failure.Action, failure.Problem);
                break;
            case OverrunEffect overrun:
                LogOverrun(overrun.Automation, RunLimit.Burst, (int)(TimeSpan.FromMinutes(1) / RunLimit.Interval));
                break;
            case ServiceEffect service:
                _registry.SetAvailable(SwitchId(service.Automation), service.Problem is null);
                if (service.Problem is null) LogInService(service.Automation);
                else LogOutOfService(service.Automation, service.Problem);
                break;
            default:
                throw new InvalidOperationException($"{effect.GetType().Name} is not carried out by anything");
        }
    }

    /// <summary>Always has an outcome: of a handler that hangs or throws as well.</summary>
    private async Task<CommandOutcome> ExecuteAsync(CommandEffect command)
    {
        // A handler may block before its first await: it must not block the other automations.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        limit.CancelAfter(CommandTimeout);
        try
        {
            return await _registry.ExecuteAsync(command.Entity, command.Command, limit.Token).AsTask().WaitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return CommandOutcome.Refused(_stop.IsCancellationRequested ? "the agent stops" : $"{command.Entity} has not carried it out within {CommandTimeout.TotalSeconds:0} s");
        }
        catch (Exception bug)
        {
            LogBug(bug, command.Entity);
            return CommandOutcome.Refused("the command failed; this is a bug");
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Automation {Name} is set off")]
    private partial void LogRun(string name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Automation {Name}: {Action} failed: {Problem}")]
    private partial void LogFailure(string name, string action, string problem);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Automation {Name} is set off too often: more than {Burst} times at once and {PerMinute} times a minute are left out. If its own actions, or another automation's, set it off, break that circle")]
    private partial void LogOverrun(string name, int burst, int perMinute);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Automation {Name} is out of service: {Problem}")]
    private partial void LogOutOfService(string name, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "Automation {Name} is in service")]
    private partial void LogInService(string name);

    [LoggerMessage(Level = LogLevel.Error, Message = "The command for {Entity} failed; this is a bug")]
    private partial void LogBug(Exception bug, string entity);

    [LoggerMessage(Level = LogLevel.Error, Message = "Automations have stopped: this is a bug")]
    private partial void LogBroken(Exception bug);
}
