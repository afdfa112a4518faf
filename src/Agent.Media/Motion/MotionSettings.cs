namespace Agent.Media.Motion;

/// <summary>A part of the picture that is watched on its own.</summary>
/// <param name="Name">The zone's name.</param>
/// <param name="Area">Where it is.</param>
public sealed record MotionZone(string Name, MotionArea Area)
{
    /// <summary>1 to 100; <c>null</c> follows <see cref="MotionSettings.Sensitivity"/>.</summary>
    public int? Sensitivity { get; init; }

    /// <summary>The least size of what is taken for motion, in percent of the whole picture; <c>null</c> follows <see cref="MotionSettings.MinimumArea"/>.</summary>
    public double? MinimumArea { get; init; }
}

/// <summary>What counts as motion.</summary>
public sealed record MotionSettings
{
    public const int LeastSensitive = 1;
    public const int MostSensitive = 100;

    /// <summary>1, for strong contrasts only, to 100, for any that stands out from the noise.</summary>
    public int Sensitivity { get; init; } = 50;

    /// <summary>The least size of what is taken for motion, in percent of the picture: a person at a tenth of its height.</summary>
    public double MinimumArea { get; init; } = 0.2;

    /// <summary>How long nothing may move before motion is said to be over.</summary>
    public TimeSpan HoldFor { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What is watched; nothing named is the whole picture.</summary>
    public IReadOnlyList<MotionZone> Zones { get; init; } = [];

    /// <summary>What is never looked at: trees, a road, a clock that the camera draws.</summary>
    public IReadOnlyList<MotionArea> Ignore { get; init; } = [];

    /// <summary>How far a cell must be from its background, in luma steps of 255, at a sensitivity: from 30 in even ratios down to 2.</summary>
    internal static float ToContrast(int sensitivity)
    {
        const double Coarsest = 30, Finest = 2;
        var share = (Math.Clamp(sensitivity, LeastSensitive, MostSensitive) - LeastSensitive) / (double)(MostSensitive - LeastSensitive);
        return (float)(Coarsest * Math.Pow(Finest / Coarsest, share));
    }
}
