using System.Text;
using Agent.Configuration;
using Agent.Home.Automations;
using Agent.Mqtt;

namespace Agent.Home;

/// <summary>The automations in their house: their switches, which are remembered, when each was last set off, and the way to the broker.</summary>
internal sealed class AutomationHome : IAsyncDisposable
{
    private readonly IReadOnlyList<AutomationOptions> _automations;
    private readonly EntityRegistry _entities;
    private readonly PersistentState _state;
    private readonly MqttService? _mqtt;
    private readonly MessageOutbox _outbox;
    private readonly AutomationRunner _runner;
    private readonly ILogger _log;

    public AutomationHome(AgentOptions options, EntityRegistry entities, PersistentState state, MqttService? mqtt, ILoggerFactory loggers)
    {
        (_automations, _entities, _state, _mqtt) = (options.Automations, entities, state, mqtt);
        _log = loggers.CreateLogger<AutomationRunner>();
        _outbox = new MessageOutbox(
            message => mqtt?.TryPublish(message.Topic, Encoding.UTF8.GetBytes(message.Payload), message.Retain) == true, TimeProvider.System, _log);
        _runner = new AutomationRunner(
            options.Automations, options.Location, entities, new AutomationOutlets(_outbox.Send, state.Find, state.Keep), TimeProvider.System, _log);
        if (mqtt is not null) mqtt.Connected += _outbox.Flush;
    }

    /// <summary>How each automation is doing.</summary>
    public IReadOnlyList<AutomationStatus> Status => _runner.Status;

    /// <summary>Changes of entities that were not looked at because too many came at once.</summary>
    public long ChangesDropped => _runner.ChangesDropped;

    /// <summary>Messages that never left.</summary>
    public long MessagesDropped => _outbox.Dropped;

    /// <summary>Registers their entities; an id that something else has already is left to it.</summary>
    public void Register()
    {
        foreach (var automation in _automations)
        {
            var id = AutomationRunner.SwitchId(automation.Name);
            var key = $"automation.{automation.Name}.enabled";
            if (TryAdd(automation, new SwitchEntity(id, $"Automation {automation.Name}") { Category = EntityCategory.Config, Icon = "mdi:robot" }, (value, _) =>
            {
                _state.Keep(key, value);
                _entities.Publish(id, value);
                return new(CommandOutcome.Done);
            }))
                _entities.Publish(id, _state.Find(key) ?? (automation.Enabled ? SwitchEntity.On : SwitchEntity.Off));
            TryAdd(automation, new SensorEntity(AutomationRunner.LastRunId(automation.Name), $"Automation {automation.Name} last run")
            {
                DeviceClass = "timestamp", Category = EntityCategory.Diagnostic, IsEnabledByDefault = false,
            });
        }
    }

    public void Start() => _runner.Start();

    public ValueTask DisposeAsync()
    {
        if (_mqtt is not null) _mqtt.Connected -= _outbox.Flush;
        return _runner.DisposeAsync();
    }

    private bool TryAdd(AutomationOptions automation, Entity entity, CommandHandler? handler = null)
    {
        if (!EntityNames.AreFree(_entities, _log, $"the entity of automation \"{automation.Name}\"", entity.Id)) return false;
        _entities.Register(entity, handler);
        return true;
    }
}
