using Agent.Home;

namespace Agent.Http;

/// <summary>
/// The ids of entities that have changed since one listener looked last. An id stands here once however often its entity changes, so there
/// are never more than entities, and nothing is dropped. One task takes, any thread changes.
/// </summary>
internal sealed class ChangedEntities : IDisposable
{
    private readonly EntityRegistry _entities;
    private readonly Lock _lock = new();
    private readonly HashSet<string> _known = [];
    private readonly SemaphoreSlim _some = new(0);
    private List<string> _ids = [];

    public ChangedEntities(EntityRegistry entities)
    {
        _entities = entities;
        entities.Changed += Add;
    }

    /// <summary>What has changed, oldest change first; none if nothing has within <paramref name="patience"/>.</summary>
    public async Task<IReadOnlyList<string>> TakeAsync(TimeSpan patience, CancellationToken cancellation)
    {
        await _some.WaitAsync(patience, cancellation);
        lock (_lock)
        {
            var taken = _ids;
            _ids = [];
            _known.Clear();
            return taken;
        }
    }

    /// <summary>The semaphore is not disposed: a change on its way may still release it, and it holds nothing native.</summary>
    public void Dispose() => _entities.Changed -= Add;

    private void Add(EntityState state, EntityChange change)
    {
        lock (_lock)
        {
            if (!_known.Add(state.Entity.Id)) return;
            _ids.Add(state.Entity.Id);
            if (_ids.Count == 1) _some.Release();
        }
    }
}
