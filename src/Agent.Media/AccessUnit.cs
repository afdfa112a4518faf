namespace Agent.Media;

/// <summary>
/// One encoded picture (H.264 access unit, Annex B) in a pooled buffer, shared by reference count between everything that consumes
/// it. Immutable once built; its NAL units are found once.
/// </summary>
public sealed class AccessUnit
{
    /// <summary>The bytes, with start codes.</summary>
    public ReadOnlyMemory<byte> Data => throw new NotImplementedException();

    /// <summary>Where each NAL unit lies in <see cref="Data"/>, without its start code.</summary>
    public ReadOnlySpan<Range> NalUnits => throw new NotImplementedException();

    /// <summary>True if it holds an IDR picture (nal_unit_type 5).</summary>
    public bool IsKeyFrame => throw new NotImplementedException();

    /// <summary>Capture instant, CLOCK_MONOTONIC since its zero.</summary>
    public TimeSpan CapturedAt => throw new NotImplementedException();

    public void AddReference() => throw new NotImplementedException();

    /// <summary>Drops one reference; the last returns the buffer to its pool.</summary>
    public void Release() => throw new NotImplementedException();
}
