namespace Agent.Devices;

/// <summary>
/// Whether the capture thread gets on. It says what it begins and how long that may take; any other thread can see that it takes longer,
/// such as a call that hangs in a driver.
/// </summary>
internal sealed class CaptureProgress(TimeProvider clock)
{
    private const long Resting = long.MaxValue;

    private long _deadline = Resting;
    private volatile string _step = "";

    /// <summary>What was begun last, such as "opening".</summary>
    public string Step => _step;

    /// <summary>Any thread: true once the step begun last takes longer than it may.</summary>
    public bool IsOverdue => Volatile.Read(ref _deadline) is var deadline && deadline != Resting && clock.GetTimestamp() > deadline;

    /// <summary>Capture thread: from now until the next call no more than this may pass.</summary>
    public void Begin(string step, TimeSpan limit)
    {
        _step = step;
        Volatile.Write(ref _deadline, clock.GetTimestamp() + (long)(limit.TotalSeconds * clock.TimestampFrequency));
    }

    /// <summary>Capture thread: it waits because it wants to, for however long.</summary>
    public void Rest() => Volatile.Write(ref _deadline, Resting);
}
