using Agent.Media;
using Agent.Rtc;

namespace Agent.Transport.Tests;

public sealed class BitrateFollowerTests
{
    private static readonly MonotonicTime s_start = MonotonicTime.From(TimeSpan.FromSeconds(100));

    [Theory]
    [InlineData(1, 75, 0)]
    [InlineData(2, 75, 1)]
    [InlineData(3, 75, 2)]
    [InlineData(4, 75, 2)]
    [InlineData(8, 75, 5)]
    [InlineData(4, 1, 0)]
    [InlineData(4, 50, 1)]
    [InlineData(4, 100, 3)]
    public void The_stream_is_for_the_viewer_at_the_percentile(int viewers, int percentile, int place) =>
        Assert.Equal(place, BitrateFollower.GetIndex(viewers, percentile));

    [Fact]
    public void The_limit_falls_at_once_and_rises_seldom_and_by_worthwhile_steps()
    {
        var hub = new FrameHub("main") { BitrateCeiling = 2_000_000 };
        var follower = new BitrateFollower(hub, new TransportOptions());

        follower.Follow(1_000_000, isFirst: true, s_start);
        Assert.Equal(1_000_000, hub.BitrateLimit);
        follower.Follow(980_000, isFirst: false, s_start);
        Assert.Equal(1_000_000, hub.BitrateLimit);
        follower.Follow(900_000, isFirst: false, s_start);
        Assert.Equal(900_000, hub.BitrateLimit);
        follower.Follow(1_500_000, isFirst: false, s_start + BitrateFollower.IncreaseInterval / 2);
        Assert.Equal(900_000, hub.BitrateLimit);
        follower.Follow(950_000, isFirst: false, s_start + BitrateFollower.IncreaseInterval);
        Assert.Equal(900_000, hub.BitrateLimit);
        follower.Follow(1_950_000, isFirst: false, s_start + BitrateFollower.IncreaseInterval);
        Assert.Equal(1_950_000, hub.BitrateLimit);
        follower.Follow(2_000_000, isFirst: false, s_start + 2 * BitrateFollower.IncreaseInterval);
        Assert.Equal(2_000_000, hub.BitrateLimit);

        follower.Reset();
        Assert.Equal(FrameHub.NoBitrateLimit, hub.BitrateLimit);
        Assert.Equal(1_000, follower.Predict(1_000));
    }
}
