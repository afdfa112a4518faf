namespace Agent.Devices.Sources;

/// <summary>Waits for instants on the monotonic clock. Deadlines are absolute, so what one wait oversleeps the next makes up for.</summary>
internal static class Pacer
{
    /// <summary>CLOCK_MONOTONIC since its zero, which is what the runtime's timestamps are on Linux.</summary>
    public static TimeSpan Now(TimeProvider clock) => clock.GetElapsedTime(0);

    /// <summary>False if stopped before the instant came.</summary>
    public static bool WaitUntil(TimeSpan deadline, TimeProvider clock, CancellationToken stop)
    {
        while (true)
        {
            var wait = deadline - Now(clock);
            if (stop.IsCancellationRequested) return false;
            if (wait <= TimeSpan.Zero) return true;
            // The wait handle counts whole milliseconds; rounding up avoids spinning through the last one.
            if (stop.WaitHandle.WaitOne((int)Math.Ceiling(wait.TotalMilliseconds))) return false;
        }
    }
}
