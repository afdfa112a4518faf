namespace Agent.Home.Automations;

/// <summary>One automation at work. Belongs to the engine's owner.</summary>
/// <param name="options">What it waits for and does.</param>
/// <param name="surroundings">The world.</param>
/// <param name="emit">Takes its effects. One command at most is without an outcome.</param>
internal sealed class LiveAutomation(AutomationOptions options, AutomationSurroundings surroundings, Action<AutomationEffect> emit)
{
    private const int NotRunning = -1;

    private readonly Dictionary<string, PendingUndo> _undos = [];
    private readonly RunLimit _limit = new();
    private AutomationBinding? _binding;
    private bool _wasInService;
    private TimeSpan? _lastStart;
    private int _next = NotRunning;
    private TimeSpan? _waitUntil;
    private Step? _inFlight;
    private bool _beginsAnew;
    private long _runs;
    private long _failures;
    private long _leftOut;

    /// <param name="Key">Of the action, for messages.</param>
    /// <param name="Entity">What the command is for.</param>
    /// <param name="Undo">To what it is to be taken back, if at all, once this has succeeded; the due time counts from then.</param>
    private sealed record Step(string Key, string Entity, PendingUndo? Undo);

    public AutomationOptions Options => options;

    public AutomationStatus Status => new(options.Name, _binding?.Problem, _runs, _failures, _leftOut);

    /// <summary>When <see cref="Advance"/> is due by the clock that nobody sets, <c>null</c> if it is not.</summary>
    public TimeSpan? Due
    {
        get
        {
            var due = _binding!.Watches.Min(static watch => watch.Due);
            if (_inFlight is not null) return due;
            if (_next != NotRunning) due = Earlier(due, _waitUntil);
            return _undos.Values.Aggregate(due, static (earliest, undo) => Earlier(earliest, undo.Due));
        }
    }

    /// <summary>When it is by the wall clock.</summary>
    public DateTimeOffset? DueUtc => _binding!.Watches.Min(static watch => watch.DueUtc);

    private bool IsRunning => _next != NotRunning || _inFlight is not null || _undos.Count > 0;

    /// <summary>Takes up what an earlier run of the agent left to be taken back, and binds.</summary>
    public void Start(Moment now)
    {
        foreach (var entity in options.Do.OfType<SetAction>().Where(set => set.For is not null).Select(set => set.Entity).Distinct())
        {
            if (PendingUndo.TryRead(surroundings.Recall(options.Name, entity), now, out var undo)) _undos[entity] = undo;
        }

        Bind(now);
    }

    /// <summary>Looks at the entities that there are now.</summary>
    public void Bind(Moment now)
    {
        var former = _binding;
        _binding = AutomationBinding.Make(options, surroundings, now);
        var problem = _binding.Problem;
        if (former is null ? problem is not null : problem != former.Problem) emit(new ServiceEffect(options.Name, problem));
        if (problem is not null)
        {
            _binding.Watches.Clear();
            return;
        }

        var fires = !_wasInService && options.When.OfType<StartTrigger>().Any();
        _wasInService = true;
        foreach (var id in AutomationBinding.FindTriggerEntities(options).Distinct())
        {
            // A number that is beyond its limit already has to be acted on.
            if (surroundings.Find(id) is { } state) fires |= SeeAll(state, EntityChange.Registered, now);
        }

        if (fires) Fire(now);
    }

    public void See(EntityState state, EntityChange change, Moment now)
    {
        if (SeeAll(state, change, now)) Fire(now);
    }

    public void SetClock(DateTimeOffset utc)
    {
        foreach (var watch in _binding!.Watches) watch.SetClock(utc);
    }

    public void Advance(Moment now)
    {
        var fires = false;
        foreach (var watch in _binding!.Watches) fires |= watch.Advance(now);
        if (fires) Fire(now);
        GoOn(now);
    }

    /// <summary>The command that was emitted last has this outcome.</summary>
    public void Complete(CommandOutcome outcome, Moment now)
    {
        var step = _inFlight!;
        _inFlight = null;
        if (!outcome.IsDone) Fail(step.Key, outcome.Problem ?? "it was refused");
        else if (step.Undo is { } undo) Remember(step.Entity, undo with { Due = now.Elapsed + undo.For }, now);
        if (_beginsAnew) (_beginsAnew, _next, _waitUntil) = (false, 0, null);
        GoOn(now);
    }

    private static TimeSpan? Earlier(TimeSpan? a, TimeSpan? b) => a is null || b < a ? b ?? a : a;

    /// <summary>Each watch has to see each change.</summary>
    private bool SeeAll(EntityState state, EntityChange change, Moment now)
    {
        var fires = false;
        foreach (var watch in _binding!.Watches) fires |= watch.See(state, change, now);
        return fires;
    }

    private void Fire(Moment now)
    {
        if (!surroundings.IsEnabled(options.Name) || !_binding!.Conditions.TrueForAll(condition => condition(now))) return;
        if (IsRunning && options.Mode == AutomationMode.Ignore) return;
        if (_lastStart is { } last && now.Elapsed - last < options.Cooldown) return;
        var wasExceeded = _limit.IsExceeded;
        if (!_limit.TryTake(now.Elapsed))
        {
            _leftOut++;
            if (!wasExceeded) emit(new OverrunEffect(options.Name));
            return;
        }

        _lastStart = now.Elapsed;
        _runs++;
        emit(new RunEffect(options.Name, now.Utc));
        _beginsAnew = _inFlight is not null;
        (_next, _waitUntil) = (_beginsAnew ? NotRunning : 0, null);
        GoOn(now);
    }

    /// <summary>Does what can be done now, until something takes its time.</summary>
    private void GoOn(Moment now)
    {
        while (_inFlight is null && (TakeBack(now) || TakeStep(now)))
        {
        }
    }

    /// <summary>False if nothing is to be taken back now.</summary>
    private bool TakeBack(Moment now)
    {
        var (id, undo) = _undos.FirstOrDefault(pending => pending.Value.Due <= now.Elapsed);
        if (undo is null) return false;
        _undos.Remove(id);
        emit(new KeepEffect(options.Name, id, null));
        var isAsSet = surroundings.Find(id) is { Value: { } value } state && ValueMatch.TryMake(state.Entity, undo.Set, out var matches, out _) && matches(value);
        if (isAsSet) Send($"taking {id} back to {undo.Former}", id, undo.Former);
        return true;
    }

    /// <summary>False if the run is at its end, or waits.</summary>
    private bool TakeStep(Moment now)
    {
        if (_next == NotRunning || _waitUntil > now.Elapsed) return false;
        _waitUntil = null;
        if (_next == options.Do.Count || !surroundings.IsEnabled(options.Name))
        {
            _next = NotRunning;
            return false;
        }

        var key = $"do[{_next}]";
        switch (options.Do[_next++])
        {
            case WaitAction wait:
                _waitUntil = now.Elapsed + wait.Time;
                break;
            case PublishAction publish:
                emit(new PublishEffect(options.Name, publish));
                break;
            case PressAction press:
                Send(key, press.Entity, ButtonEntity.Press);
                break;
            case ToggleAction toggle:
                Send(key, toggle.Entity, surroundings.Find(toggle.Entity)?.Value is null or SwitchEntity.Off or "0" ? SwitchEntity.On : SwitchEntity.Off);
                break;
            case SetAction set:
                Send(key, set.Entity, set.To, set.For is { } time ? MakeUndo(set, key, time) : null);
                break;
            case var other:
                throw new InvalidOperationException($"{other.GetType().Name} is not carried out by anything");
        }

        return true;
    }

    /// <summary>Back to what it was before the first of several runs; a switch or light of which nothing is known was off.</summary>
    private PendingUndo? MakeUndo(SetAction set, string key, TimeSpan time)
    {
        var state = surroundings.Find(set.Entity);
        var former = _undos.GetValueOrDefault(set.Entity)?.Former ?? state?.Value ?? (state?.Entity is SwitchEntity or LightEntity ? SwitchEntity.Off : null);
        if (former is not null) return new PendingUndo(former, set.To, time, default);
        Fail(key, $"{set.Entity} has no value yet to go back to; it is left as it is set");
        return null;
    }

    private void Send(string key, string entity, string command, PendingUndo? undo = null)
    {
        _inFlight = new Step(key, entity, undo);
        emit(new CommandEffect(options.Name, entity, command));
    }

    private void Remember(string entity, PendingUndo undo, Moment now)
    {
        _undos[entity] = undo;
        emit(new KeepEffect(options.Name, entity, undo.Write(now)));
    }

    private void Fail(string action, string problem)
    {
        _failures++;
        emit(new FailureEffect(options.Name, action, problem));
    }
}
