using Agent.Home.Automations;

namespace Agent.Home;

/// <summary>Each automation's switch, which is remembered, and when it was last set off.</summary>
internal static partial class AutomationEntities
{
    /// <summary>Registers them all; an id that something else has already is left to it.</summary>
    public static void Register(IEnumerable<AutomationOptions> automations, EntityRegistry entities, PersistentState state, ILogger log)
    {
        foreach (var automation in automations)
        {
            var id = AutomationRunner.SwitchId(automation.Name);
            var key = $"automation.{automation.Name}.enabled";
            Add(new SwitchEntity(id, $"Automation {automation.Name}") { Category = EntityCategory.Config, Icon = "mdi:robot" }, (value, _) =>
            {
                state.Keep(key, value);
                entities.Publish(id, value);
                return new(CommandOutcome.Done);
            });
            entities.Publish(id, state.Find(key) ?? (automation.Enabled ? SwitchEntity.On : SwitchEntity.Off));
            Add(new SensorEntity(AutomationRunner.LastRunId(automation.Name), $"Automation {automation.Name} last run")
            {
                DeviceClass = "timestamp", Category = EntityCategory.Diagnostic, IsEnabledByDefault = false,
            });
        }

        void Add(Entity entity, CommandHandler? handler = null)
        {
            if (entities.Find(entity.Id) is null) entities.Register(entity, handler);
            else LogTaken(log, entity.Id);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "There is an entity {Entity} already: the automation has none; rename one")]
    private static partial void LogTaken(ILogger log, string entity);
}
