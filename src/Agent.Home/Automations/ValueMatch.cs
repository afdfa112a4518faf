using System.Globalization;

namespace Agent.Home.Automations;

/// <summary>Whether an entity's value is the one that somebody wrote, in whatever form.</summary>
internal static class ValueMatch
{
    /// <summary>The check of a value; false, with what is wrong, for what the entity's value can never be.</summary>
    public static bool TryMake(Entity entity, string wanted, out Func<string, bool> matches, out string problem)
    {
        var canonical = "";
        problem = "";
        matches = value => value == canonical;
        switch (entity)
        {
            case SwitchEntity or BinarySensorEntity:
                problem = $"{entity.Id} is {SwitchEntity.On} or {SwitchEntity.Off}, never \"{wanted}\"";
                return SwitchEntity.TryReadOnOff(entity.Id, wanted, out canonical, out _);
            case LightEntity:
                if (!entity.TryRead(wanted, out canonical, out problem)) return false;
                const string Dark = "0";
                if (canonical == SwitchEntity.On) matches = static value => value != Dark;
                else if (canonical == SwitchEntity.Off) matches = static value => value == Dark;
                return true;
            case NumberEntity or SelectEntity:
                return entity.TryRead(wanted, out canonical, out problem);
            case SensorEntity { Options: { Count: > 0 } options }:
                problem = $"{entity.Id} is one of {string.Join(", ", options)}, never \"{wanted}\"";
                canonical = options.FirstOrDefault(option => option.Equals(wanted, StringComparison.OrdinalIgnoreCase)) ?? "";
                return canonical.Length > 0;
            case SensorEntity or UpdateEntity:
                matches = TryReadNumber(wanted, out var number) ? value => TryReadNumber(value, out var found) && found == number : value => value == wanted;
                return true;
            case EventEntity:
                problem = $"{entity.Id} is an event and has no state; write event";
                return false;
            default:
                problem = $"{entity.Id} has no state that could be compared";
                return false;
        }
    }

    /// <summary>False for what is no finite number.</summary>
    public static bool TryReadNumber(string text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);
}
