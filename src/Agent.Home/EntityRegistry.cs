namespace Agent.Home;

/// <summary>Why a command was not carried out.</summary>
public enum RefusalKind
{
    /// <summary>It was.</summary>
    None,
    UnknownEntity,
    TakesNoCommands,
    Malformed,
    Unavailable,
    /// <summary>The device could not, or would not.</summary>
    Failed,
}

/// <summary>What became of a command.</summary>
/// <param name="IsDone">True if it was carried out; commands are idempotent, so a second one with the same value is done as well.</param>
/// <param name="Problem">What was wrong and the mend, otherwise <c>null</c>.</param>
public readonly record struct CommandOutcome(bool IsDone, string? Problem)
{
    public static CommandOutcome Done { get; } = new(true, null);

    public RefusalKind Kind { get; init; }

    /// <summary>Done without a problem, otherwise refused with it.</summary>
    public static CommandOutcome Of(string? problem) => problem is null ? Done : Refused(problem);

    public static CommandOutcome Refused(string problem, RefusalKind kind = RefusalKind.Failed) => new(false, problem) { Kind = kind };
}

/// <summary>Carries out a command; the value is canonical (<see cref="Entity.TryRead"/>). Publishes the new state itself.</summary>
public delegate ValueTask<CommandOutcome> CommandHandler(string value, CancellationToken cancellation);

/// <summary>What has changed about an entity.</summary>
public enum EntityChange
{
    Registered,
    Removed,
    State,
    Availability,
}

/// <summary>An entity and its present state.</summary>
/// <param name="Entity">What it is.</param>
/// <param name="Value">Its value, <c>null</c> while it has none.</param>
/// <param name="Picture">A picture entity's JPEG file, otherwise empty.</param>
/// <param name="IsAvailable">False while the value cannot be known or the thing cannot be operated.</param>
/// <param name="TakesCommands">Whether something carries out commands.</param>
public sealed record EntityState(Entity Entity, string? Value, ReadOnlyMemory<byte> Picture, bool IsAvailable, bool TakesCommands);

/// <summary>
/// Every entity of the device with its state: devices register and publish, everything that shows or operates them subscribes and executes.
/// The command router: MQTT, HTTP, automations and later the data channel all go through <see cref="ExecuteAsync"/>. Thread-safe.
/// </summary>
public sealed class EntityRegistry
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = [];
    private readonly List<string> _order = [];

    /// <summary>
    /// Something has changed. On the thread that changed it, one at a time for each entity: must return at once, never throw, and only
    /// enqueue.
    /// </summary>
    public event Action<EntityState, EntityChange>? Changed;

    /// <summary>Every entity in the order of registration.</summary>
    public IReadOnlyList<EntityState> All
    {
        get
        {
            lock (_lock) return [.. _order.Select(id => _entries[id].State)];
        }
    }

    /// <summary>One entity, or <c>null</c>.</summary>
    public EntityState? Find(string id)
    {
        lock (_lock) return _entries.GetValueOrDefault(id)?.State;
    }

    /// <summary>Adds an entity; it is available and has no value yet.</summary>
    /// <param name="entity">Its id must be new.</param>
    /// <param name="handler">Carries out commands, for kinds that take them.</param>
    /// <exception cref="ArgumentException">The id is taken or malformed: a bug, configuration is checked before.</exception>
    public void Register(Entity entity, CommandHandler? handler = null)
    {
        if (!Entity.IsId(entity.Id)) throw new ArgumentException($"\"{entity.Id}\" is no entity id", nameof(entity));
        var entry = new Entry(new EntityState(entity, null, default, true, handler is not null), handler);
        lock (_lock)
        {
            if (!_entries.TryAdd(entity.Id, entry)) throw new ArgumentException($"there is an entity \"{entity.Id}\" already", nameof(entity));
            _order.Add(entity.Id);
            Changed?.Invoke(entry.State, EntityChange.Registered);
        }
    }

    /// <summary>Takes an entity away, as when a camera's control is gone; unknown ids are left alone.</summary>
    public void Remove(string id)
    {
        lock (_lock)
        {
            if (!_entries.Remove(id, out var entry)) return;
            _order.Remove(id);
            Changed?.Invoke(entry.State, EntityChange.Removed);
        }
    }

    /// <summary>Sets the value; the same value again changes nothing, except for events.</summary>
    public void Publish(string id, string value)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(id, out var entry)) return;
            if (entry.State.Value == value && entry.State.Entity is not EventEntity) return;
            entry.State = entry.State with { Value = value };
            Changed?.Invoke(entry.State, EntityChange.State);
        }
    }

    /// <summary>Sets a picture entity's JPEG file, which must not be changed afterwards.</summary>
    public void PublishPicture(string id, ReadOnlyMemory<byte> jpeg)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(id, out var entry)) return;
            entry.State = entry.State with { Picture = jpeg };
            Changed?.Invoke(entry.State, EntityChange.State);
        }
    }

    /// <summary>Says whether the value can be known and the thing operated.</summary>
    public void SetAvailable(string id, bool isAvailable)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(id, out var entry) || entry.State.IsAvailable == isAvailable) return;
            entry.State = entry.State with { IsAvailable = isAvailable };
            Changed?.Invoke(entry.State, EntityChange.Availability);
        }
    }

    /// <summary>Carries out a command.</summary>
    /// <param name="id">The entity.</param>
    /// <param name="command">As it came; checked by the entity.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public ValueTask<CommandOutcome> ExecuteAsync(string id, string command, CancellationToken cancellation)
    {
        Entry? entry;
        lock (_lock) entry = _entries.GetValueOrDefault(id);
        if (entry is null) return new(CommandOutcome.Refused($"there is no entity \"{id}\"", RefusalKind.UnknownEntity));
        if (entry.Handler is not { } handler) return new(CommandOutcome.Refused($"{id} takes no commands", RefusalKind.TakesNoCommands));
        if (!entry.State.Entity.TryRead(command, out var value, out var problem)) return new(CommandOutcome.Refused(problem, RefusalKind.Malformed));
        if (!entry.State.IsAvailable) return new(CommandOutcome.Refused($"{id} is unavailable", RefusalKind.Unavailable));
        return handler(value, cancellation);
    }

    private sealed class Entry(EntityState state, CommandHandler? handler)
    {
        public EntityState State { get; set; } = state;

        public CommandHandler? Handler => handler;
    }
}
