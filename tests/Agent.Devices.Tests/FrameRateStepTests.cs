using Agent.Devices.Sources;

namespace Agent.Devices.Tests;

public sealed class FrameRateStepTests
{
    private const int Target = 2_000_000;
    private static readonly VideoFormat Hd = new(PixelFormat.Yu12, 1280, 720, 30, 1);

    /// <summary>What all frames of it need.</summary>
    private const int Need = 552_960;

    private static TimeSpan Run(FrameRateStep step, int bitrate, TimeSpan from, double seconds)
    {
        var end = from + TimeSpan.FromSeconds(seconds);
        for (; from < end; from += TimeSpan.FromMilliseconds(20)) step.Update(bitrate, Target, from);
        return end;
    }

    [Theory]
    [InlineData(Target, 1)]
    [InlineData(Need, 1)]
    [InlineData(Need - 1, 2)]
    [InlineData(Need / 2, 2)]
    [InlineData(Need / 2 - 1, 3)]
    [InlineData(1, 3)]
    public void An_encoder_begins_with_the_frames_that_its_bitrate_is_enough_for_and_with_no_fewer_than_ten(int bitrate, int divisor)
    {
        var step = new FrameRateStep(Hd);
        Assert.Equal(divisor > 1, step.Update(bitrate, Target, TimeSpan.FromSeconds(1)));
        Assert.Equal(divisor, step.Divisor);
    }

    [Fact]
    public void Frames_are_left_out_after_half_a_second_and_come_back_three_seconds_after_there_is_enough_with_a_margin()
    {
        var step = new FrameRateStep(Hd);
        var now = Run(step, Target, TimeSpan.Zero, 1);
        now = Run(step, Need / 2, now, 0.4);
        Assert.Equal(1, step.Divisor);
        now = Run(step, Need / 2, now, 0.2);
        Assert.Equal(2, step.Divisor);
        now = Run(step, (int)(1.2 * Need), now, 60);
        Assert.Equal(2, step.Divisor);
        now = Run(step, (int)(1.3 * Need), now, 2.9);
        Assert.Equal(2, step.Divisor);
        Run(step, (int)(1.3 * Need), now, 0.2);
        Assert.Equal(1, step.Divisor);
    }

    [Fact]
    public void A_short_dip_leaves_nothing_out_and_a_bitrate_around_the_edge_does_not_flap()
    {
        var step = new FrameRateStep(Hd);
        var random = new Random(1);
        var now = Run(step, Target, TimeSpan.Zero, 1);
        now = Run(step, Need / 2, now, 0.3);
        now = Run(step, Target, now, 1);
        Assert.Equal(1, step.Divisor);
        var changes = 0;
        for (var i = 0; i < 6000; i++, now += TimeSpan.FromMilliseconds(33))
            changes += step.Update((int)(Need * (0.9 + (0.2 * random.NextDouble()))), Target, now) ? 1 : 0;
        Assert.InRange(changes, 0, 1);
    }

    [Fact]
    public void A_target_that_is_configured_low_is_meant()
    {
        var step = new FrameRateStep(Hd);
        for (var i = 0; i < 100; i++) Assert.False(step.Update(300_000, 300_000, TimeSpan.FromSeconds(i)));
        Assert.True(FrameRateStep.GetFloor(Hd, 300_000) <= 150_000);
        Assert.Equal(Need / 2, FrameRateStep.GetFloor(Hd, Target));
        Assert.Equal(25 * Need / 60, FrameRateStep.GetFloor(Hd with { FrameRateNumerator = 25 }, Target));
    }

    [Fact]
    public void Every_second_frame_is_taken_whatever_the_camera_really_delivers()
    {
        var step = new FrameRateStep(Hd);
        step.Update(Need / 2, Target, TimeSpan.Zero);
        Assert.Equal(15, Count(30));
        Assert.Equal(15, Count(15));

        int Count(int rate) => Enumerable.Range(1, rate).Count(i => step.Takes(TimeSpan.FromSeconds((double)i / rate + rate)));
    }

    [Fact]
    public void A_clock_that_goes_back_holds_no_frame_back()
    {
        var step = new FrameRateStep(Hd);
        step.Update(Need / 2, Target, TimeSpan.FromSeconds(100));
        Assert.True(step.Takes(TimeSpan.FromSeconds(100)));
        Assert.True(step.Takes(TimeSpan.FromSeconds(1)));
        Assert.False(step.Takes(TimeSpan.FromSeconds(1.03)));
    }
}
