namespace Agent.Media;

/// <summary>Makes access units out of encoder output and takes their buffers back. Thread-safe; no allocation in steady state.</summary>
public sealed class AccessUnitPool
{
    /// <summary>Two seconds of 30 frames a second on their way to viewers; what comes back beyond that is left to the collector.</summary>
    private const int MaximumRetained = 64;

    private readonly Lock _lock = new();
    private readonly Stack<AccessUnit> _free = new(MaximumRetained);

    /// <summary>Copies an Annex B access unit, finds its NAL units, and returns it with one reference.</summary>
    public AccessUnit Create(ReadOnlySpan<byte> annexB, TimeSpan capturedAt)
    {
        AccessUnit? accessUnit;
        lock (_lock) _free.TryPop(out accessUnit);
        accessUnit ??= new AccessUnit(this);
        accessUnit.Fill(annexB, capturedAt);
        return accessUnit;
    }

    internal void Return(AccessUnit accessUnit)
    {
        lock (_lock)
        {
            if (_free.Count < MaximumRetained) _free.Push(accessUnit);
        }
    }
}
