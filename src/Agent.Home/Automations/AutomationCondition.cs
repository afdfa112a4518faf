namespace Agent.Home.Automations;

/// <summary>What must hold at the moment of a trigger. One about an entity that is unavailable or has no value does not hold.</summary>
public abstract record AutomationCondition;

/// <summary>An entity has this value.</summary>
public sealed record StateCondition(string Entity, string Is) : AutomationCondition;

/// <summary>A number is above and below these limits, as far as they are there.</summary>
public sealed record RangeCondition(string Entity, double? Above, double? Below) : AutomationCondition;

/// <summary>A time of day, over midnight if it ends before it begins, on these days of the week.</summary>
/// <param name="After">From then on, <c>null</c> for midnight.</param>
/// <param name="Before">Until then, <c>null</c> for midnight.</param>
/// <param name="Days">Of the moment itself: after midnight it is the next day.</param>
public sealed record TimeCondition(TimeOnly? After, TimeOnly? Before, Weekdays Days) : AutomationCondition
{
    /// <summary>Whether a local time lies within.</summary>
    public bool Holds(DateTime local)
    {
        var time = TimeOnly.FromDateTime(local);
        // Of two equal times IsBetween would make an empty window; here they are a whole day.
        var isWithin = After is null && Before is null || After == Before || (Before is null ? time >= After : time.IsBetween(After ?? TimeOnly.MinValue, Before.Value));
        return isWithin && Days.Has(DateOnly.FromDateTime(local));
    }
}

/// <summary>The sun is up, or down.</summary>
public sealed record SunCondition(bool IsUp) : AutomationCondition;
