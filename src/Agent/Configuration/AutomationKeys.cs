using Agent.Home.Automations;

namespace Agent.Configuration;

/// <summary>Everything that can stand in an entry of <c>when</c>.</summary>
internal sealed record TriggerKeys
{
    public string Entity { get; init; } = "";

    public string? To { get; init; }

    public string? Event { get; init; }

    public double? Above { get; init; }

    public double? Below { get; init; }

    public double Hysteresis { get; init; }

    public TimeSpan? For { get; init; }

    public TimeOnly? At { get; init; }

    public Weekdays Days { get; init; } = Weekdays.All;

    public SunEvent Sun { get; init; }

    public TimeSpan? Offset { get; init; }

    public string? Unavailable { get; init; }

    public bool Start { get; init; }
}

/// <summary>Everything that can stand in an entry of <c>if</c>.</summary>
internal sealed record ConditionKeys
{
    public string Entity { get; init; } = "";

    public string? Is { get; init; }

    public double? Above { get; init; }

    public double? Below { get; init; }

    public TimeOnly? After { get; init; }

    public TimeOnly? Before { get; init; }

    public Weekdays Days { get; init; } = Weekdays.All;

    public bool SunIsUp { get; init; }
}

/// <summary>Everything that can stand in an entry of <c>do</c>.</summary>
internal sealed record ActionKeys
{
    public string? Set { get; init; }

    public string? To { get; init; }

    public TimeSpan? For { get; init; }

    public string? Toggle { get; init; }

    public string? Press { get; init; }

    /// <summary>A camera's name.</summary>
    public string? Snapshot { get; init; }

    public PublishAction Publish { get; init; } = new("", "");

    public TimeSpan Wait { get; init; }
}
