namespace Agent.Devices.Motion;

/// <summary>What moves in a camera's view.</summary>
/// <param name="IsLooking">False while it cannot be known: no pictures come, they are H.264, the camera is off for privacy, or nobody wants to know.</param>
/// <param name="IsMoving">Whether anything moves in any zone.</param>
/// <param name="Zones">The same for each zone, in the order of the options; empty if they name none.</param>
public sealed record MotionState(bool IsLooking, bool IsMoving, IReadOnlyList<bool> Zones)
{
    internal bool Equals(bool isLooking, bool isMoving, ReadOnlySpan<bool> zones)
    {
        if (isLooking != IsLooking || isMoving != IsMoving || zones.Length != Zones.Count) return false;
        for (var i = 0; i < zones.Length; i++)
        {
            if (zones[i] != Zones[i]) return false;
        }
        return true;
    }
}

/// <summary>What looking for motion has done and cost since the agent's start.</summary>
/// <param name="State">What moves now.</param>
/// <param name="Problem">Why the camera's pictures cannot be looked at, with the mend; <c>null</c> if nothing keeps them from it.</param>
/// <param name="FramesLookedAt">Pictures in which motion was looked for.</param>
/// <param name="FramesDropped">Pictures that were taken and not looked at: a newer one came first, or they were damaged.</param>
/// <param name="Motions">Times that motion began.</param>
/// <param name="CaptureTime">For which the capture thread was held up.</param>
/// <param name="LookingTime">For which the thread of its own was at work.</param>
public sealed record MotionStatus(
    MotionState State, string? Problem, long FramesLookedAt, long FramesDropped, long Motions, TimeSpan CaptureTime, TimeSpan LookingTime);
