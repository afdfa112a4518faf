namespace Agent.Devices.Motion;

/// <summary>
/// Hands values from one thread to another without waiting and without allocating: one is being written, one waits, one is being read.
/// Drop policy: newest wins; a value that nobody has taken is overwritten and counted.
/// </summary>
internal sealed class NewestHandover<T> where T : class, new()
{
    private readonly Lock _lock = new();
    private T _waiting = new();
    private T _reading = new();
    private bool _hasWaiting;
    private long _overwritten;

    /// <summary>The writer's own until it is published.</summary>
    public T Writing { get; private set; } = new();

    /// <summary>Any thread.</summary>
    public long Overwritten => Interlocked.Read(ref _overwritten);

    /// <summary>Writer: what was written can be taken from now on.</summary>
    public void Publish()
    {
        lock (_lock)
        {
            (Writing, _waiting) = (_waiting, Writing);
            if (_hasWaiting) Interlocked.Increment(ref _overwritten);
            _hasWaiting = true;
        }
    }

    /// <summary>Reader: the newest value, its own until the next call; false if there is none that it has not had.</summary>
    public bool TryTake(out T value)
    {
        lock (_lock)
        {
            value = _reading;
            if (!_hasWaiting) return false;
            (_reading, _waiting) = (_waiting, _reading);
            _hasWaiting = false;
            value = _reading;
            return true;
        }
    }
}
