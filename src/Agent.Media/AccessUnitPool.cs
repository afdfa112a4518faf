namespace Agent.Media;

/// <summary>Makes access units out of encoder output and takes their buffers back. Thread-safe; no allocation in steady state.</summary>
public sealed class AccessUnitPool
{
    /// <summary>Copies an Annex B access unit, finds its NAL units, and returns it with one reference.</summary>
    public AccessUnit Create(ReadOnlySpan<byte> annexB, TimeSpan capturedAt) => throw new NotImplementedException();
}
