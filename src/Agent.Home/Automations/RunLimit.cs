namespace Agent.Home.Automations;

/// <summary>
/// A token bucket that cuts loops: automations that set each other off would go on for ever, and one trigger left out ends that. People and
/// sensors stay below it.
/// </summary>
internal sealed class RunLimit
{
    public const int Burst = 20;

    /// <summary>For each further run, for ever.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private double _tokens = Burst;
    private TimeSpan _filled;

    /// <summary>True from the first trigger that was left out until the bucket is full again: the log says it once.</summary>
    public bool IsExceeded { get; private set; }

    /// <summary>False if this run is one too many.</summary>
    public bool TryTake(TimeSpan now)
    {
        _tokens = Math.Min(Burst, _tokens + ((now - _filled) / Interval));
        _filled = now;
        if (_tokens >= Burst) IsExceeded = false;
        if (_tokens < 1)
        {
            IsExceeded = true;
            return false;
        }

        _tokens--;
        return true;
    }
}
