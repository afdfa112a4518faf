namespace Agent.Home.Automations;

/// <summary>Waits for one trigger. Belongs to the engine's owner.</summary>
internal abstract class TriggerWatch
{
    /// <summary>When <see cref="Advance"/> is due by the clock that nobody sets, <c>null</c> if it is not.</summary>
    public virtual TimeSpan? Due => null;

    /// <summary>When it is by the wall clock.</summary>
    public virtual DateTimeOffset? DueUtc => null;

    /// <summary>True if the change sets the trigger off.</summary>
    public virtual bool See(EntityState state, EntityChange change, Moment now) => false;

    /// <summary>True if the time has set it off.</summary>
    public virtual bool Advance(Moment now) => false;

    /// <summary>The wall clock has stepped: nothing up to this moment is to be caught up on.</summary>
    public virtual void SetClock(DateTimeOffset utc)
    {
    }
}

/// <summary>Something about one entity that holds or does not: set off when it begins to hold, and has held for a time.</summary>
/// <param name="entity">Its id.</param>
/// <param name="time">How long it must hold.</param>
/// <param name="find">Whether it holds, <c>null</c> while that cannot be known; given whether it held last.</param>
/// <param name="held">Whether it holds now, <c>null</c> if not known: the first that is known then sets nothing off.</param>
internal sealed class LevelWatch(string entity, TimeSpan time, Func<EntityState, bool?, bool?> find, bool? held) : TriggerWatch
{
    private bool? _held = held;
    private TimeSpan? _due;
    private bool _isInterrupted;

    public override TimeSpan? Due => _due;

    public override bool See(EntityState state, EntityChange change, Moment now)
    {
        if (state.Entity.Id != entity) return false;
        if (find(state, _held) is not { } holds)
        {
            // Nobody knows whether it went on holding: its time begins anew when it is known again.
            _isInterrupted |= _due is not null;
            _due = null;
            return false;
        }

        var begins = holds && (_held == false || _isInterrupted);
        (_held, _isInterrupted) = (holds, false);
        if (!holds) _due = null;
        if (!begins) return false;
        if (time == TimeSpan.Zero) return true;
        _due = now.Elapsed + time;
        return false;
    }

    public override bool Advance(Moment now)
    {
        if (_due is not { } due || now.Elapsed < due) return false;
        _due = null;
        return true;
    }
}

/// <summary>Waits for an event of one type.</summary>
internal sealed class HappeningWatch(string entity, string type) : TriggerWatch
{
    public override bool See(EntityState state, EntityChange change, Moment now) =>
        change == EntityChange.State && state.Entity.Id == entity && state.IsAvailable && state.Value == type;
}

/// <summary>Waits for the wall clock.</summary>
/// <param name="findNext">The first time after a moment, <c>null</c> for never.</param>
/// <param name="now">What is after this counts.</param>
internal sealed class ClockWatch(Func<DateTimeOffset, DateTimeOffset?> findNext, DateTimeOffset now) : TriggerWatch
{
    private DateTimeOffset? _next = findNext(now);

    public override DateTimeOffset? DueUtc => _next;

    public override bool Advance(Moment now)
    {
        if (_next is not { } next || now.Utc < next) return false;
        _next = findNext(now.Utc);
        return true;
    }

    public override void SetClock(DateTimeOffset utc) => _next = findNext(utc);
}
