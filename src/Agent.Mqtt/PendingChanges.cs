namespace Agent.Mqtt;

/// <summary>What of an entity is to be published.</summary>
[Flags]
internal enum EntityParts
{
    None = 0,
    State = 1,
    Availability = 2,
    All = State | Availability,
}

/// <summary>What is to be published next.</summary>
internal enum PendingKind
{
    /// <summary>The discovery configuration.</summary>
    Announcement,
    /// <summary>A comparison with the discovery configuration that the broker keeps.</summary>
    ReadBack,
    /// <summary>An event that has happened.</summary>
    Happening,
    /// <summary>An entity's state, availability, or both.</summary>
    Entity,
}

/// <param name="Kind">What it is.</param>
/// <param name="Id">The entity, for an entity or a happening.</param>
/// <param name="Type">The event's type.</param>
/// <param name="Parts">What of the entity.</param>
/// <param name="ReadBack">The configuration that the broker keeps.</param>
internal readonly record struct PendingChange(PendingKind Kind, string Id = "", string Type = "", EntityParts Parts = EntityParts.None, ReadOnlyMemory<byte> ReadBack = default);

/// <summary>
/// What has changed and is not published yet. An entity stands here once however often it changes, so that what is published is its newest
/// state; of events the oldest is dropped when there are too many. Thread-safe.
/// </summary>
internal sealed class PendingChanges
{
    /// <summary>A button held by a child while the broker is slow.</summary>
    internal const int MaxHappenings = 64;

    /// <summary>Entities at most: more than any device has, for topics that strangers made up.</summary>
    internal const int MaxEntities = 4096;

    private readonly Lock _lock = new();
    private readonly Queue<(string Id, string Type)> _happenings = new();
    private readonly Queue<string> _order = new();
    private readonly Dictionary<string, EntityParts> _entities = [];
    private bool _announcement;
    private ReadOnlyMemory<byte>? _readBack;
    private long _dropped;

    /// <summary>Events that were never published.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    public void AddEntity(string id, EntityParts parts)
    {
        lock (_lock)
        {
            if (_entities.TryGetValue(id, out var pending))
            {
                _entities[id] = pending | parts;
            }
            else if (_entities.Count < MaxEntities)
            {
                _entities[id] = parts;
                _order.Enqueue(id);
            }
        }
    }

    public void AddHappening(string id, string type)
    {
        lock (_lock)
        {
            if (_happenings.Count == MaxHappenings)
            {
                _happenings.Dequeue();
                Interlocked.Increment(ref _dropped);
            }

            _happenings.Enqueue((id, type));
        }
    }

    public void AddAnnouncement()
    {
        lock (_lock) _announcement = true;
    }

    /// <summary>The newest one counts.</summary>
    public void AddReadBack(ReadOnlyMemory<byte> configuration)
    {
        lock (_lock) _readBack = configuration;
    }

    /// <summary>What happened while nobody could be told is of no use later.</summary>
    public void DropHappenings()
    {
        lock (_lock)
        {
            Interlocked.Add(ref _dropped, _happenings.Count);
            _happenings.Clear();
        }
    }

    /// <summary>False if all is published.</summary>
    public bool TryTake(out PendingChange change)
    {
        lock (_lock)
        {
            if (_readBack is { } readBack)
            {
                change = new(PendingKind.ReadBack, ReadBack: readBack);
                _readBack = null;
            }
            else if (_announcement)
            {
                change = new(PendingKind.Announcement);
                _announcement = false;
            }
            else if (_happenings.TryDequeue(out var happening))
            {
                change = new(PendingKind.Happening, happening.Id, happening.Type);
            }
            else if (_order.TryDequeue(out var id))
            {
                _entities.Remove(id, out var parts);
                change = new(PendingKind.Entity, id, Parts: parts);
            }
            else
            {
                change = default;
                return false;
            }

            return true;
        }
    }
}
