namespace Agent.Devices.Sources;

/// <summary>
/// Cuts what a program writes into frames: bytes are read into <see cref="Space"/> and told by <see cref="Advance"/>, then
/// <see cref="TryTake"/> gives the whole frames, oldest first. One thread.
/// </summary>
internal abstract class FrameCutter
{
    protected PipeFramePool Pool { get; } = new();

    /// <summary>Where the next bytes go; never empty once <see cref="TryTake"/> has given all frames.</summary>
    public abstract Span<byte> Space { get; }

    /// <summary>Frames, or what might have been some, that were thrown away because they were damaged.</summary>
    public abstract long FramesDamaged { get; }

    /// <summary>Whether a frame can be left out without harm to the next.</summary>
    public virtual bool IsSkippable => true;

    /// <summary>If nothing arrives for this long, <see cref="Flush"/> should be called; <c>null</c> while that would change nothing.</summary>
    public virtual TimeSpan? FlushAfter => null;

    /// <summary>This many bytes of <see cref="Space"/> were filled in.</summary>
    /// <param name="count">Bytes, at least 1.</param>
    /// <param name="arrivedAt">CLOCK_MONOTONIC since its zero.</param>
    public abstract void Advance(int count, TimeSpan arrivedAt);

    /// <summary>The oldest whole frame, captured when its first byte arrived; <c>null</c> if there is none.</summary>
    public abstract PipeFrame? TryTake();

    /// <summary>Nothing follows for now: what is there may be a whole frame.</summary>
    public virtual void Flush()
    {
    }
}
