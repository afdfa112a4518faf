namespace Agent.Home.Automations;

/// <summary>What the automations can know of the world.</summary>
/// <param name="Find">An entity's present state, <c>null</c> if there is none of that id.</param>
/// <param name="IsEnabled">Whether the automation of that name is in force.</param>
/// <param name="Recall">What the last <see cref="KeepEffect"/> for an automation's name and an entity said, in an earlier run of the agent.</param>
/// <param name="Zone">The machine's time zone.</param>
/// <param name="Location">Where the sun is seen from, if anybody said so.</param>
internal sealed record AutomationSurroundings(
    Func<string, EntityState?> Find, Func<string, bool> IsEnabled, Func<string, string, string?> Recall, TimeZoneInfo Zone, GeoLocation? Location);
