namespace Agent.Home.Automations;

/// <summary>
/// What the automations do, as a function of what happens and of time: changes, moments and outcomes in, <see cref="AutomationEffect"/>s
/// out. Reads no clock and starts nothing. One owner.
/// </summary>
internal sealed class AutomationEngine
{
    /// <summary>
    /// A wall clock that has gone this much further than the time that went by, or less far, was set. Smaller corrections neither repeat nor
    /// leave out a time of day.
    /// </summary>
    public static readonly TimeSpan Step = TimeSpan.FromMinutes(1);

    /// <summary>How long a step of the clock may go unnoticed.</summary>
    private static readonly TimeSpan ClockCheck = TimeSpan.FromSeconds(30);

    private readonly LiveAutomation[] _automations;
    private readonly Queue<AutomationEffect> _effects = [];
    private readonly ILookup<string, LiveAutomation> _byEntity;
    private readonly ILookup<string, LiveAutomation> _byTrigger;
    private Moment _last;

    /// <param name="automations">Names are unique.</param>
    /// <param name="surroundings">The world.</param>
    public AutomationEngine(IEnumerable<AutomationOptions> automations, AutomationSurroundings surroundings)
    {
        _automations = [.. automations.Select(options => new LiveAutomation(options, surroundings, _effects.Enqueue))];
        _byEntity = _automations.SelectMany(a => AutomationBinding.FindEntities(a.Options).Distinct().Select(id => (id, a))).ToLookup(pair => pair.id, pair => pair.a);
        _byTrigger = _automations.SelectMany(a => AutomationBinding.FindTriggerEntities(a.Options).Distinct().Select(id => (id, a))).ToLookup(pair => pair.id, pair => pair.a);
    }

    /// <summary>In the order of the configuration.</summary>
    public IReadOnlyList<AutomationStatus> Status => [.. _automations.Select(automation => automation.Status)];

    /// <summary>Whether <see cref="See"/> wants this change. Thread-safe.</summary>
    public bool Wants(string entity, EntityChange change) =>
        (change is EntityChange.Registered or EntityChange.Removed ? _byEntity : _byTrigger).Contains(entity);

    /// <summary>Before anything else, once.</summary>
    public void Start(Moment now)
    {
        _last = now;
        foreach (var automation in _automations) automation.Start(now);
    }

    /// <summary>An entity has changed.</summary>
    public void See(EntityState state, EntityChange change, Moment now)
    {
        Enter(now);
        var id = state.Entity.Id;
        if (change is EntityChange.Registered or EntityChange.Removed)
        {
            foreach (var automation in _byEntity[id]) automation.Bind(now);
            return;
        }

        foreach (var automation in _byTrigger[id]) automation.See(state, change, now);
    }

    /// <summary>Time has gone by.</summary>
    public void Advance(Moment now)
    {
        Enter(now);
        foreach (var automation in _automations) automation.Advance(now);
    }

    /// <summary>The outcome of the automation's last <see cref="CommandEffect"/>.</summary>
    public void Complete(string automation, CommandOutcome outcome, Moment now)
    {
        Enter(now);
        Array.Find(_automations, live => live.Options.Name == automation)!.Complete(outcome, now);
    }

    /// <summary>The next thing to be done or told; false if there is nothing.</summary>
    public bool TryTake(out AutomationEffect effect) => _effects.TryDequeue(out effect!);

    /// <summary>After how long <see cref="Advance"/> is due unless something happens before; <c>null</c> for never.</summary>
    public TimeSpan? FindWait(Moment now)
    {
        var wait = _automations.Min(automation => automation.Due) - now.Elapsed;
        if (_automations.Min(automation => automation.DueUtc) is { } dueUtc)
        {
            var clockWait = dueUtc - now.Utc < ClockCheck ? dueUtc - now.Utc : ClockCheck;
            wait = wait < clockWait ? wait : clockWait;
        }

        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    /// <summary>A wall clock that was set leaves out what it jumped over, and repeats what it goes back behind.</summary>
    private void Enter(Moment now)
    {
        var wentBy = now.Elapsed - _last.Elapsed;
        if ((now.Utc - _last.Utc - wentBy).Duration() > Step)
        {
            foreach (var automation in _automations) automation.SetClock(now.Utc - wentBy);
        }

        _last = now;
    }
}
