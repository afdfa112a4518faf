using System.Diagnostics;
using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Sources;

/// <summary>When the frames of one stream were captured.</summary>
internal sealed class V4l2CaptureClock
{
    /// <summary>Some drivers stamp the end of a frame that they have only begun; more than this ahead of the clock is an error.</summary>
    private static readonly TimeSpan LargestLead = TimeSpan.FromSeconds(1);

    private readonly TimeSpan startedAt = Stopwatch.GetElapsedTime(0);

    /// <summary>The driver's timestamp where it is one of CLOCK_MONOTONIC and can be true, else now.</summary>
    public TimeSpan CapturedAt(in v4l2_buffer buffer)
    {
        var now = Stopwatch.GetElapsedTime(0);
        var latest = now + LargestLead;
        var seconds = buffer.timestamp.tv_sec;
        if ((buffer.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) != V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC
            || seconds < 0 || seconds > latest.Ticks / TimeSpan.TicksPerSecond)
        {
            return now;
        }

        var stamped = new TimeSpan((seconds * TimeSpan.TicksPerSecond) + (buffer.timestamp.tv_usec * TimeSpan.TicksPerMicrosecond));
        return stamped < startedAt || stamped > latest ? now : stamped;
    }
}
