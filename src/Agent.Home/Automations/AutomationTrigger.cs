namespace Agent.Home.Automations;

/// <summary>What sets an automation off.</summary>
public abstract record AutomationTrigger;

/// <summary>An entity's value becomes <paramref name="To"/>, from another one that was known, and stays so.</summary>
/// <param name="Entity">Its id.</param>
/// <param name="To">The value, in any form that the entity takes or shows.</param>
/// <param name="For">How long it must have stayed.</param>
public sealed record StateTrigger(string Entity, string To, TimeSpan For) : AutomationTrigger;

/// <summary>An event entity reports an event of this type.</summary>
public sealed record HappeningTrigger(string Entity, string Type) : AutomationTrigger;

/// <summary>
/// A number goes beyond a limit, or is found there first, and stays there. The next time counts once it has come back by
/// <paramref name="Hysteresis"/>.
/// </summary>
/// <param name="Entity">Its id.</param>
/// <param name="Limit">In the entity's unit.</param>
/// <param name="IsUpper">Above the limit, otherwise below it.</param>
/// <param name="Hysteresis">In the entity's unit.</param>
/// <param name="For">How long it must have stayed.</param>
public sealed record ThresholdTrigger(string Entity, double Limit, bool IsUpper, double Hysteresis, TimeSpan For) : AutomationTrigger;

/// <summary>An entity becomes unavailable, and stays so.</summary>
public sealed record UnavailableTrigger(string Entity, TimeSpan For) : AutomationTrigger;

/// <summary>A time of day on the machine's clock.</summary>
public sealed record TimeTrigger(TimeOnly At, Weekdays Days) : AutomationTrigger;

/// <summary>Sunrise or sunset.</summary>
/// <param name="Event">Which.</param>
/// <param name="Offset">Before it if negative.</param>
/// <param name="Days">Local days whose sunrise or sunset counts.</param>
public sealed record SunTrigger(SunEvent Event, TimeSpan Offset, Weekdays Days) : AutomationTrigger;

/// <summary>The agent has started.</summary>
public sealed record StartTrigger : AutomationTrigger;
