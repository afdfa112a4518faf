namespace Agent.Devices.Snapshots;

/// <summary>
/// Tells when a camera that was opened just now has found its exposure: until then pictures are dark, or glare. Pure; one for each wait.
/// </summary>
internal sealed class ExposureSettle
{
    /// <summary>Sensors in poor light take about this long; a camera that has delivered longer is taken as it is.</summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <summary>Automatic exposure acts every few frames: so many must agree before it can be said to have come to rest.</summary>
    private const int FramesInAgreement = 6;

    /// <summary>How far mean luma may be from frame to frame, of 255: noise and life in the picture stay below, an exposure step does not.</summary>
    private const double Tolerance = 2.5;

    private double _lastMean;
    private int _agreeing;

    /// <summary>Whether this frame may be used.</summary>
    /// <param name="age">How long the camera had been delivering when it was captured.</param>
    /// <param name="meanLuma">0 to 255; <c>null</c> where it is not known, and then only the age counts.</param>
    public bool IsSettled(TimeSpan age, double? meanLuma)
    {
        if (age >= Limit) return true;
        if (meanLuma is not { } mean) return false;
        _agreeing = _agreeing > 0 && Math.Abs(mean - _lastMean) <= Tolerance ? _agreeing + 1 : 1;
        _lastMean = mean;
        return _agreeing >= FramesInAgreement;
    }
}
