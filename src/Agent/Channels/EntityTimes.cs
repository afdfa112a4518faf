using Agent.Home;

namespace Agent.Channels;

/// <summary>
/// When each entity changed last, and which have changed since that was asked: an entity stands there once however often it changes, so
/// nothing is dropped and memory is bounded by the entities. Thread-safe.
/// </summary>
internal sealed class EntityTimes : IDisposable
{
    private readonly EntityRegistry _entities;
    private readonly TimeProvider _clock;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _changedAt = [];
    private readonly HashSet<string> _changed = [];
    private readonly SemaphoreSlim _some = new(0, 1);

    public EntityTimes(EntityRegistry entities, TimeProvider clock)
    {
        (_entities, _clock) = (entities, clock);
        entities.Changed += Note;
    }

    /// <summary>Waits until something has changed, but not for ever.</summary>
    public Task WaitAsync(TimeSpan patience, CancellationToken cancellation) => _some.WaitAsync(patience, cancellation);

    /// <summary>What has changed since the last call, with the time in Unix milliseconds.</summary>
    public IReadOnlyList<(string Id, long At)> Take()
    {
        lock (_lock)
        {
            (string, long)[] taken = [.. _changed.Select(id => (id, _changedAt.GetValueOrDefault(id)))];
            _changed.Clear();
            return taken;
        }
    }

    /// <summary>All entities; one that has not changed since the agent began to look has none.</summary>
    public IReadOnlyList<(string Id, long At)> All()
    {
        var all = _entities.All;
        lock (_lock) return [.. all.Select(state => (state.Entity.Id, _changedAt.GetValueOrDefault(state.Entity.Id)))];
    }

    /// <summary>The semaphore is not disposed: a change on its way may still release it, and it holds nothing native.</summary>
    public void Dispose() => _entities.Changed -= Note;

    private void Note(EntityState state, EntityChange change)
    {
        lock (_lock)
        {
            if (change == EntityChange.Removed) _changedAt.Remove(state.Entity.Id);
            else _changedAt[state.Entity.Id] = _clock.GetUtcNow().ToUnixTimeMilliseconds();
            _changed.Add(state.Entity.Id);
            if (_some.CurrentCount == 0) _some.Release();
        }
    }
}
