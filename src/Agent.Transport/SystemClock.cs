using System.Diagnostics;
using Agent.Rtc;

namespace Agent.Transport;

/// <summary>The machine's CLOCK_MONOTONIC, which is what <see cref="Stopwatch"/> reads on Linux.</summary>
internal static class SystemClock
{
    private static readonly long TimestampsPerTick = Stopwatch.Frequency / TimeSpan.TicksPerSecond;

    internal static MonotonicTime Now => new(Stopwatch.GetTimestamp() / TimestampsPerTick);
}
