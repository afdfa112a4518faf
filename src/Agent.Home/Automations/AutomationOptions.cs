namespace Agent.Home.Automations;

/// <summary>What becomes of a trigger while the automation runs, an action of which is still to be taken back included.</summary>
public enum AutomationMode
{
    /// <summary>The actions begin anew; what is taken back after a time is taken back that much later.</summary>
    Restart,
    /// <summary>Nothing.</summary>
    Ignore,
}

/// <summary>Something that happens by itself: any trigger, if all conditions hold, sets off the actions in their order.</summary>
public sealed record AutomationOptions
{
    /// <summary>Part of entity ids: lower-case letters, digits and '_'.</summary>
    public required string Name { get; init; }

    /// <summary>Whether it is in force before anybody has switched it.</summary>
    public bool Enabled { get; init; } = true;

    public IReadOnlyList<AutomationTrigger> When { get; init; } = [];

    public IReadOnlyList<AutomationCondition> If { get; init; } = [];

    public IReadOnlyList<AutomationAction> Do { get; init; } = [];

    /// <summary>After it was set off: triggers within this time are left out.</summary>
    public TimeSpan Cooldown { get; init; } = TimeSpan.FromSeconds(1);

    public AutomationMode Mode { get; init; }
}

/// <summary>Where the device is.</summary>
/// <param name="Latitude">Degrees, north is positive.</param>
/// <param name="Longitude">Degrees, east is positive.</param>
public readonly record struct GeoLocation(double Latitude, double Longitude);

/// <summary>A set of days of the week.</summary>
[Flags]
public enum Weekdays
{
    None = 0,
    Monday = 1 << 0,
    Tuesday = 1 << 1,
    Wednesday = 1 << 2,
    Thursday = 1 << 3,
    Friday = 1 << 4,
    Saturday = 1 << 5,
    Sunday = 1 << 6,
    All = (1 << 7) - 1,
}

internal static class WeekdaysExtensions
{
    /// <summary>Whether the date's day of the week is in the set.</summary>
    public static bool Has(this Weekdays days, DateOnly date) => days.HasFlag((Weekdays)(1 << (((int)date.DayOfWeek + 6) % 7)));
}
