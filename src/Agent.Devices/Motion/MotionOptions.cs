using Agent.Media.Motion;

namespace Agent.Devices.Motion;

/// <summary>Whether motion is looked for in a camera's pictures, how often, and what counts.</summary>
public sealed record MotionOptions
{
    public bool Enabled { get; init; }

    /// <summary>Pictures looked at in a second, at most.</summary>
    public int FramesPerSecond { get; init; } = 5;

    public MotionSettings Settings { get; init; } = new();
}
