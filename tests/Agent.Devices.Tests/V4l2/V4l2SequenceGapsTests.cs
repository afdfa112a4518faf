using System.Diagnostics;
using Agent.Devices.Sources;
using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Tests.V4l2;

/// <summary>What drivers write beside a frame: its number and its time; vivid in tests/vm makes both wrap.</summary>
public sealed class V4l2SequenceGapsTests
{
    private const int Buffers = 4;

    [Theory]
    [InlineData(0, "5 6 7 8")]
    [InlineData(2, "0 3 4")]
    [InlineData(1, "4294967294 4294967295 1")] // wraps
    [InlineData(0, "900 901 0 1")] // began anew
    public void Gaps_are_counted(int missed, string sequences)
    {
        var gaps = new V4l2SequenceGaps();

        Assert.DoesNotContain(true, sequences.Split(' ').Select(sequence => gaps.IsLate(uint.Parse(sequence), Buffers)));

        Assert.Equal(missed, gaps.Missed);
    }

    [Fact]
    public void A_frame_after_its_successor_is_late_and_not_missed()
    {
        var gaps = new V4l2SequenceGaps();

        Assert.Equal([false, false, true, false], new uint[] { 7, 9, 8, 10 }.Select(sequence => gaps.IsLate(sequence, Buffers)));

        Assert.Equal(0, gaps.Missed);
    }

    [Theory]
    [InlineData(-2)]
    [InlineData(3600)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void A_time_that_cannot_be_true_is_replaced(long secondsFromNow)
    {
        var clock = new V4l2CaptureClock();
        var before = Stopwatch.GetElapsedTime(0);
        var seconds = secondsFromNow is long.MaxValue or long.MinValue ? secondsFromNow : (long)before.TotalSeconds + secondsFromNow;
        var buffer = new v4l2_buffer { flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC, timestamp = new TimeVal { tv_sec = seconds, tv_usec = 0 } };

        var capturedAt = clock.CapturedAt(buffer);

        Assert.InRange(capturedAt, before, Stopwatch.GetElapsedTime(0));
    }

    [Fact]
    public void A_time_since_the_start_is_kept()
    {
        var clock = new V4l2CaptureClock();
        var stamp = Stopwatch.GetElapsedTime(0) + TimeSpan.FromMilliseconds(20);
        var buffer = new v4l2_buffer { flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC };
        buffer.timestamp = new TimeVal { tv_sec = stamp.Ticks / TimeSpan.TicksPerSecond, tv_usec = stamp.Ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond };

        Assert.Equal(stamp.TotalMicroseconds, clock.CapturedAt(buffer).TotalMicroseconds, 1.0);
        buffer.flags = 0;
        Assert.NotEqual(stamp.TotalMicroseconds, clock.CapturedAt(buffer).TotalMicroseconds, 1.0);
    }
}
