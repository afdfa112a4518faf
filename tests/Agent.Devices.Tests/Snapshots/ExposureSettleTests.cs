using Agent.Devices.Snapshots;

namespace Agent.Devices.Tests.Snapshots;

public sealed class ExposureSettleTests
{
    private static int FramesUntilSettled(IEnumerable<double?> means, double framesPerSecond = 30)
    {
        var settle = new ExposureSettle();
        return means.Index().First(mean => settle.IsSettled(TimeSpan.FromSeconds(mean.Index / framesPerSecond), mean.Item)).Index;
    }

    [Fact]
    public void A_dark_start_is_waited_out_until_the_exposure_stands_still()
    {
        // A sensor that starts black, overshoots, and comes to rest with frame 21.
        double?[] means = [.. Enumerable.Range(0, 15).Select(static i => (double?)(i * 12)), 190, 178, 165, 150, 140, 132, .. Enumerable.Repeat((double?)128, 60)];
        Assert.Equal(26, FramesUntilSettled(means));
    }

    [Fact]
    public void A_scene_that_never_stands_still_is_taken_after_two_seconds() =>
        Assert.Equal(60, FramesUntilSettled(Enumerable.Range(0, 100).Select(static i => (double?)(i % 2 * 100))));

    [Fact]
    public void Compressed_frames_are_judged_by_their_age_alone() =>
        Assert.Equal(20, FramesUntilSettled(Enumerable.Repeat<double?>(null, 100), framesPerSecond: 10));
}
