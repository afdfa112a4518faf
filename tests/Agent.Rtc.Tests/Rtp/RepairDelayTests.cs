using Agent.Rtc.Rtp;

namespace Agent.Rtc.Tests.Rtp;

public sealed class RepairDelayTests
{
    private static readonly TimeSpan s_roundTrip = TimeSpan.FromMilliseconds(100);
    private readonly RepairDelay _delay = new(default);

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.015)]
    public void Few_losses_hold_nothing_back(double loss)
    {
        Report(loss, 100);

        Assert.Equal(default, _delay.Value);
    }

    [Fact]
    public void One_report_of_many_holds_nothing_back()
    {
        Report(1, 1);
        Assert.Equal(default, _delay.Value);

        Report(0, 100);
        Report(1, 1);
        Assert.Equal(default, _delay.Value);
    }

    [Fact]
    public void Losses_that_go_on_hold_pictures_back_for_as_long_as_they_take_to_be_sent_again_and_until_they_have_ended()
    {
        Report(0.05, 3);
        Assert.Equal((200, 400), Milliseconds(_delay));

        Report(0.01, 20);
        Assert.Equal((200, 400), Milliseconds(_delay));

        Report(0, 5);
        Assert.Equal(default, _delay.Value);
    }

    [Fact]
    public void The_delay_follows_a_way_that_becomes_longer_and_not_one_that_varies()
    {
        Report(0.05, 5);
        Report(0.05, 1, TimeSpan.FromMilliseconds(120));
        Report(0.05, 1, TimeSpan.FromMilliseconds(60));
        Assert.Equal((200, 400), Milliseconds(_delay));

        Report(0.05, 1, TimeSpan.FromMilliseconds(160));
        Assert.Equal((320, 520), Milliseconds(_delay));

        Report(0.05, 1, TimeSpan.FromSeconds(9));
        Assert.Equal((500, 700), Milliseconds(_delay));
    }

    [Fact]
    public void Before_a_round_trip_is_known_nothing_is_held_back()
    {
        for (var i = 0; i < 10; i++)
            _delay.HandleReport(0.05, null);

        Assert.Equal(default, _delay.Value);
    }

    [Theory]
    [InlineData(50, 100, 200, 400)]
    [InlineData(50, 1000, 200, 1000)]
    [InlineData(300, 350, 300, 350)]
    public void What_is_configured_is_the_least(int minimum, int maximum, int expectedMinimum, int expectedMaximum)
    {
        var delay = new RepairDelay(new PlayoutDelay(TimeSpan.FromMilliseconds(minimum), TimeSpan.FromMilliseconds(maximum)));
        for (var i = 0; i < 5; i++)
            delay.HandleReport(0.05, s_roundTrip);

        Assert.Equal((expectedMinimum, expectedMaximum), Milliseconds(delay));
    }

    private void Report(double loss, int count, TimeSpan? roundTrip = null)
    {
        for (var i = 0; i < count; i++)
            _delay.HandleReport(loss, roundTrip ?? s_roundTrip);
    }

    private static (int Minimum, int Maximum) Milliseconds(RepairDelay delay) =>
        ((int)delay.Value.Minimum.TotalMilliseconds, (int)delay.Value.Maximum.TotalMilliseconds);
}
