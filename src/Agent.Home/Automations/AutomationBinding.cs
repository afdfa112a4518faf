namespace Agent.Home.Automations;

/// <summary>Ties an automation to the entities that there are: what waits for its triggers, or what is wrong with it.</summary>
internal sealed class AutomationBinding
{
    private readonly AutomationSurroundings _surroundings;
    private readonly Moment _now;

    private AutomationBinding(AutomationSurroundings surroundings, Moment now) => (_surroundings, _now) = (surroundings, now);

    public List<TriggerWatch> Watches { get; } = [];

    public List<Func<Moment, bool>> Conditions { get; } = [];

    /// <summary>What keeps the automation from working, beginning with the key; <c>null</c> if nothing does.</summary>
    public string? Problem { get; private set; }

    /// <summary>Every entity that the automation names.</summary>
    public static IEnumerable<string> FindEntities(AutomationOptions automation) =>
        [
            .. FindTriggerEntities(automation),
            .. automation.If.Select(condition => condition switch { StateCondition state => state.Entity, RangeCondition range => range.Entity, _ => null }).OfType<string>(),
            .. automation.Do.Select(FindEntity).OfType<string>(),
        ];

    /// <summary>Those whose state is waited for.</summary>
    public static IEnumerable<string> FindTriggerEntities(AutomationOptions automation) => automation.When.Select(trigger => trigger switch
    {
        StateTrigger state => state.Entity,
        HappeningTrigger happening => happening.Entity,
        ThresholdTrigger threshold => threshold.Entity,
        UnavailableTrigger unavailable => unavailable.Entity,
        _ => null,
    }).OfType<string>();

    public static AutomationBinding Make(AutomationOptions automation, AutomationSurroundings surroundings, Moment now)
    {
        var binding = new AutomationBinding(surroundings, now);
        for (var i = 0; i < automation.When.Count; i++) binding.Add(automation.When[i], $"when[{i}]");
        for (var i = 0; i < automation.If.Count; i++) binding.Add(automation.If[i], $"if[{i}]");
        for (var i = 0; i < automation.Do.Count; i++) binding.Check(automation.Do[i], $"do[{i}]");
        return binding;
    }

    private static string? FindEntity(AutomationAction action) => action switch
    {
        SetAction set => set.Entity,
        ToggleAction toggle => toggle.Entity,
        PressAction press => press.Entity,
        _ => null,
    };

    private static bool IsNumber(Entity entity) => entity is SensorEntity or NumberEntity or LightEntity;

    private static double? Read(EntityState state) =>
        state is { IsAvailable: true, Value: { } value } && ValueMatch.TryReadNumber(value, out var number) ? number : null;

    private void Add(AutomationTrigger trigger, string key)
    {
        switch (trigger)
        {
            case StateTrigger state when Find(state.Entity, key) is { } found:
                if (!TryMatch(found.Entity, state.To, $"{key}.to", out var matches)) return;
                bool? Matches(EntityState now, bool? held) => now is { IsAvailable: true, Value: { } value } ? matches(value) : null;
                Watches.Add(new LevelWatch(state.Entity, state.For, Matches, Matches(found, null)));
                break;
            case HappeningTrigger happening when Find(happening.Entity, key) is { } found:
                if (found.Entity is not EventEntity { Types: var types }) Report($"{key}.event", $"{happening.Entity} is no event entity; write to");
                else if (!types.Contains(happening.Type)) Report($"{key}.event", $"{happening.Entity} is one of {string.Join(", ", types)}, never \"{happening.Type}\"");
                else Watches.Add(new HappeningWatch(happening.Entity, happening.Type));
                break;
            case ThresholdTrigger threshold when Find(threshold.Entity, key) is { } found:
                if (!IsNumber(found.Entity)) Report($"{key}.entity", $"{threshold.Entity} is no number");
                else Watches.Add(new LevelWatch(threshold.Entity, threshold.For, (now, held) => IsBeyond(threshold, now, held), false));
                break;
            case UnavailableTrigger unavailable when Find(unavailable.Entity, key) is { } found:
                Watches.Add(new LevelWatch(unavailable.Entity, unavailable.For, static (now, _) => !now.IsAvailable, !found.IsAvailable));
                break;
            case TimeTrigger time:
                Watches.Add(new ClockWatch(after => Schedule.FindNext(time.At, time.Days, after, _surroundings.Zone), _now.Utc));
                break;
            case SunTrigger sun when _surroundings.Location is { } place:
                Watches.Add(new ClockWatch(after => Schedule.FindNext(sun, place, after, _surroundings.Zone), _now.Utc));
                break;
            case SunTrigger:
                Report($"{key}.sun", "needs location");
                break;
            default:
                // The start is no matter of waiting; a missing entity is reported.
                break;
        }
    }

    private static bool? IsBeyond(ThresholdTrigger threshold, EntityState state, bool? held)
    {
        if (Read(state) is not { } number) return null;
        var back = held == true ? threshold.Hysteresis : 0;
        return threshold.IsUpper ? number > threshold.Limit - back : number < threshold.Limit + back;
    }

    private void Add(AutomationCondition condition, string key)
    {
        switch (condition)
        {
            case StateCondition state when Find(state.Entity, key) is { } found:
                if (!TryMatch(found.Entity, state.Is, $"{key}.is", out var matches)) return;
                Conditions.Add(_ => _surroundings.Find(state.Entity) is { IsAvailable: true, Value: { } value } && matches(value));
                break;
            case RangeCondition range when Find(range.Entity, key) is { } found:
                if (!IsNumber(found.Entity)) Report($"{key}.entity", $"{range.Entity} is no number");
                Conditions.Add(_ => _surroundings.Find(range.Entity) is { } now && Read(now) is { } number && !(number <= range.Above) && !(number >= range.Below));
                break;
            case TimeCondition time:
                Conditions.Add(now => time.Holds(TimeZoneInfo.ConvertTime(now.Utc, _surroundings.Zone).DateTime));
                break;
            case SunCondition sun when _surroundings.Location is { } place:
                Conditions.Add(now => SolarPosition.FindElevation(place, now.Utc) > SolarPosition.Horizon == sun.IsUp);
                break;
            case SunCondition:
                Report($"{key}.sun", "needs location");
                break;
            default:
                // A missing entity is reported.
                break;
        }
    }

    private void Check(AutomationAction action, string key)
    {
        if (FindEntity(action) is not { } id || Find(id, key) is not { } found) return;
        if (!found.TakesCommands) Report(key, $"{id} takes no commands");
        else if (action is SetAction set && !found.Entity.TryRead(set.To, out _, out var problem)) Report($"{key}.to", problem);
        else if (action is SetAction { For: not null } undone && !ValueMatch.TryMake(found.Entity, undone.To, out _, out _)) Report($"{key}.for", $"{id} has no state to go back to");
        else if (action is ToggleAction && found.Entity is not (SwitchEntity or LightEntity)) Report($"{key}.toggle", $"{id} is neither a switch nor a light");
        else if (action is PressAction && found.Entity is not ButtonEntity) Report($"{key}.press", $"{id} is no button");
    }

    private EntityState? Find(string id, string key)
    {
        var found = _surroundings.Find(id);
        if (found is null) Report(key, $"there is no entity \"{id}\"; GET /api/entities lists what there is");
        return found;
    }

    private bool TryMatch(Entity entity, string wanted, string key, out Func<string, bool> matches)
    {
        if (ValueMatch.TryMake(entity, wanted, out matches, out var problem)) return true;
        Report(key, problem);
        return false;
    }

    /// <summary>The first is enough to mend; the next start tells the next.</summary>
    private void Report(string key, string problem) => Problem ??= $"{key}: {problem}";
}
