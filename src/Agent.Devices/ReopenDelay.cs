using Agent.Devices.Sources;

namespace Agent.Devices;

/// <summary>How long to wait before a source or an encoder that has failed is opened again.</summary>
internal sealed class ReopenDelay
{
    /// <summary>The first wait, and every wait for a device that is not there: one plugged back in is seen within this.</summary>
    internal static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(500);

    /// <summary>Opening a device that is there but does not work costs time and disturbs others: no more often than this in the long run.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private TimeSpan _next = Shortest;

    /// <summary>It has worked: the next failure is the first again.</summary>
    public void Reset() => _next = Shortest;

    /// <summary>The wait after one more failure; doubles from one to the next unless the device was absent.</summary>
    public TimeSpan Next(SourceFailure failure = SourceFailure.Failed)
    {
        if (failure == SourceFailure.Absent) _next = Shortest;
        var delay = _next;
        if (failure != SourceFailure.Absent) _next = TimeSpan.FromTicks(Math.Min(2 * delay.Ticks, Longest.Ticks));
        return delay;
    }
}
