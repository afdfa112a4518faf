using System.Globalization;
using Agent.Home.Automations;

namespace Agent.Home.Tests.Automations;

/// <summary>A house in virtual time: a real registry, the engine, and what it did with the time at which it did it.</summary>
internal sealed class EngineRig
{
    /// <summary>Central Europe by the rules of 1996 on: the machine that tests may have no zones installed.</summary>
    public static readonly TimeZoneInfo CentralEurope = TimeZoneInfo.CreateCustomTimeZone(
        "Test/Central", TimeSpan.FromHours(1), "Central Europe", "CET", "CEST",
        [
            TimeZoneInfo.AdjustmentRule.CreateAdjustmentRule(
                DateTime.MinValue.Date, DateTime.MaxValue.Date, TimeSpan.FromHours(1),
                TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 2, 0, 0), 3, 5, DayOfWeek.Sunday),
                TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 3, 0, 0), 10, 5, DayOfWeek.Sunday)),
        ]);

    private readonly Queue<(EntityState State, EntityChange Change)> _changes = [];
    private readonly List<string> _done = [];
    private readonly List<string> _held = [];
    private readonly DateTimeOffset _started;
    private AutomationEngine? _engine;
    private Moment _now;

    public EngineRig(string utc = "2026-11-23T12:00:00Z")
    {
        _started = DateTimeOffset.Parse(utc, CultureInfo.InvariantCulture);
        _now = new Moment(TimeSpan.Zero, _started);
        Registry.Changed += (state, change) => _changes.Enqueue((state, change));
    }

    public EntityRegistry Registry { get; } = new();

    public TimeZoneInfo Zone { get; init; } = CentralEurope;

    public GeoLocation? Location { get; init; } = new(52.52, 13.405);

    public HashSet<string> Disabled { get; } = [];

    /// <summary>What survives a restart of the agent.</summary>
    public Dictionary<string, string?> Kept { get; init; } = [];

    /// <summary>While set, commands have no outcome until <see cref="Release"/>.</summary>
    public bool HoldsCommands { get; set; }

    public IReadOnlyList<AutomationStatus> Status => _engine!.Status;

    public AutomationEngine Engine => _engine!;

    /// <summary>What was done since the last call, each with the seconds since the start unless that is 0.</summary>
    public string[] Done
    {
        get
        {
            string[] done = [.. _done];
            _done.Clear();
            return done;
        }
    }

    public EngineRig With(Entity entity, string? value = null, bool fails = false)
    {
        CommandHandler? handler = entity is SensorEntity or BinarySensorEntity or EventEntity ? null : (command, _) =>
        {
            if (fails) return new(CommandOutcome.Refused("it is stuck"));
            if (entity is not ButtonEntity) Registry.Publish(entity.Id, command);
            return new(CommandOutcome.Done);
        };
        Registry.Register(entity, handler);
        if (value is not null) Registry.Publish(entity.Id, value);
        Work();
        return this;
    }

    public EngineRig Start(params AutomationOptions[] automations)
    {
        _engine = new AutomationEngine(automations, new AutomationSurroundings(
            Registry.Find, name => !Disabled.Contains(name), (automation, entity) => Kept.GetValueOrDefault($"{automation} {entity}"), Zone, Location));
        _changes.Clear();
        _engine.Start(_now);
        Work();
        return this;
    }

    public EngineRig Publish(string id, string value)
    {
        Registry.Publish(id, value);
        Work();
        return this;
    }

    public EngineRig SetAvailable(string id, bool isAvailable)
    {
        Registry.SetAvailable(id, isAvailable);
        Work();
        return this;
    }

    /// <summary>Lets time go by, waking the engine when it asks for it and not else.</summary>
    public EngineRig Pass(TimeSpan time)
    {
        var end = _now.Elapsed + time;
        for (var wakes = 0; _engine!.FindWait(_now) is { } wait && _now.Elapsed + wait <= end; wakes++)
        {
            // Once in 30 s for the clock, and whatever the automations have to do.
            Assert.True(wakes < 1000 + (time / TimeSpan.FromSeconds(20)), "the engine spins");
            Go(wait);
            _engine.Advance(_now);
            Work();
        }

        Go(end - _now.Elapsed);
        _engine.Advance(_now);
        Work();
        return this;
    }

    public EngineRig Pass(double seconds) => Pass(TimeSpan.FromSeconds(seconds));

    /// <summary>Somebody sets the wall clock.</summary>
    public EngineRig SetClock(string utc)
    {
        _now = _now with { Utc = DateTimeOffset.Parse(utc, CultureInfo.InvariantCulture) };
        return this;
    }

    /// <summary>The command that is under way ends.</summary>
    public EngineRig Release(CommandOutcome? outcome = null)
    {
        var automation = Assert.Single(_held);
        _held.Clear();
        _engine!.Complete(automation, outcome ?? CommandOutcome.Done, _now);
        Work();
        return this;
    }

    public string LocalTime => TimeZoneInfo.ConvertTime(_now.Utc, Zone).ToString("yyyy-MM-dd HH:mm:sszzz", CultureInfo.InvariantCulture);

    private void Go(TimeSpan time) => _now = new Moment(_now.Elapsed + time, _now.Utc + time);

    private void Work()
    {
        if (_engine is null) return;
        for (var steps = 0; ; steps++)
        {
            Assert.True(steps < 1000, "the automations go round and round");
            if (_changes.TryDequeue(out var change))
            {
                if (_engine.Wants(change.State.Entity.Id, change.Change)) _engine.See(change.State, change.Change, _now);
            }
            else if (_engine.TryTake(out var effect)) CarryOut(effect);
            else return;
        }
    }

    private void CarryOut(AutomationEffect effect)
    {
        var at = _now.Elapsed == TimeSpan.Zero ? "" : string.Create(CultureInfo.InvariantCulture, $"{_now.Elapsed.TotalSeconds}: ");
        switch (effect)
        {
            case CommandEffect command:
                _done.Add($"{at}{command.Entity}={command.Command}");
                var outcome = Registry.ExecuteAsync(command.Entity, command.Command, default).AsTask();
                if (HoldsCommands) _held.Add(command.Automation);
                else _engine!.Complete(command.Automation, outcome.Result, _now);
                break;
            case PublishEffect publish:
                _done.Add($"{at}{publish.Message.Topic}: {publish.Message.Payload}");
                break;
            case KeepEffect keep:
                Kept[$"{keep.Automation} {keep.Entity}"] = keep.Undo;
                break;
            case FailureEffect failure:
                _done.Add($"{at}{failure.Automation} {failure.Action} failed: {failure.Problem}");
                break;
            case OverrunEffect overrun:
                _done.Add($"{at}{overrun.Automation} overruns");
                break;
            case ServiceEffect service:
                _done.Add($"{at}{service.Automation} {service.Problem ?? "is in service"}");
                break;
            case RunEffect:
                break;
            default:
                throw new InvalidOperationException(effect.ToString());
        }
    }
}
