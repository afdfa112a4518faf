using Agent.Rtc;

namespace Agent.Transport.Tests;

public sealed class LayerChoiceTests
{
    private const int Main = 2_000_000;
    private const int Floor = 276_000;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    private MonotonicTime _now = MonotonicTime.From(TimeSpan.FromSeconds(100));

    /// <summary>Runs for a while with one view of the link; tells after how long the layer changed first.</summary>
    private TimeSpan? Run(LayerChoice choice, double seconds, Func<LayerLink> link)
    {
        TimeSpan? changed = null;
        var before = choice.WantsSmall;
        var begin = _now;
        for (var end = _now + TimeSpan.FromSeconds(seconds); _now < end; _now += Step)
        {
            if (choice.Update(link(), needsKeyFrame: false, _now) != before)
                changed ??= _now - begin;
        }

        return changed;
    }

    private static LayerLink Link(long rate, long main = Main, int queueMilliseconds = 0) =>
        new(rate, TimeSpan.FromMilliseconds(queueMilliseconds), main, Floor);

    [Fact]
    public void A_link_that_stays_thinner_than_the_main_layer_goes_to_the_small_one_and_a_wide_one_never_does()
    {
        var wide = new LayerChoice();
        Assert.Null(Run(wide, 60, () => Link(Main)));
        var thin = new LayerChoice();
        Assert.Equal(LayerChoice.MoveDownWhileSettlingAfter, Run(thin, 10, () => Link(300_000)));
        Assert.Null(Run(thin, 600, () => Link(300_000)));
        Assert.True(thin.WantsSmall);
    }

    [Fact]
    public void A_short_dip_moves_nobody_and_neither_does_the_sawtooth_of_a_link_used_to_the_full()
    {
        var choice = new LayerChoice();
        Assert.Null(Run(choice, 1.5, () => Link(100_000)));
        Assert.Null(Run(choice, 5, () => Link(Main)));
        for (var i = 0; i < 50; i++)
        {
            Assert.Null(Run(choice, 0.4, () => Link(100_000)));
            Assert.Null(Run(choice, 1, () => Link(Main)));
            Assert.Null(Run(choice, 0.9, () => Link((long)(0.6 * Main))));
            Assert.Null(Run(choice, 1, () => Link(Main)));
        }

        var random = new Random(5);
        Assert.Null(Run(choice, 300, () => Link((long)(Main * (0.75 + (0.25 * random.NextDouble()))))));
        Assert.Equal(LayerChoice.MoveDownAfter, Run(choice, 5, () => Link((long)(0.6 * Main))));
    }

    [Fact]
    public void A_link_that_carries_less_than_half_is_left_after_half_a_second()
    {
        var choice = new LayerChoice();
        Run(choice, 10, () => Link(Main));
        Assert.Equal(LayerChoice.MoveDownAtOnceAfter, Run(choice, 5, () => Link((long)(0.4 * Main))));
    }

    [Fact]
    public void One_that_needs_a_keyframe_and_carries_less_than_half_is_moved_for_it_unless_it_is_new()
    {
        var choice = new LayerChoice();
        Assert.False(choice.Update(Link((long)(0.4 * Main)), needsKeyFrame: true, _now));
        Run(choice, 10, () => Link(Main));
        Assert.False(choice.Update(Link((long)(0.8 * Main)), needsKeyFrame: true, _now));
        Assert.False(choice.Update(Link((long)(0.4 * Main), main: (long)(0.4 * Main)), needsKeyFrame: true, _now));
        Assert.True(choice.Update(Link((long)(0.4 * Main)), needsKeyFrame: true, _now));
    }

    [Fact]
    public void A_lone_viewer_whose_stream_follows_its_link_stays_until_the_picture_is_not_worth_its_size()
    {
        var choice = new LayerChoice();
        Assert.Null(Run(choice, 60, () => Link(500_000, main: 500_000)));
        Assert.Null(Run(choice, 60, () => Link(Floor, main: Floor)));
        Assert.Equal(LayerChoice.MoveDownBelowFloorAfter, Run(choice, 5, () => Link(Floor - 1, main: Floor - 1)));
    }

    [Fact]
    public void A_queue_that_stays_shows_that_the_link_does_not_carry_the_stream()
    {
        var choice = new LayerChoice();
        Assert.Null(Run(choice, 30, () => Link((long)(0.8 * Main), queueMilliseconds: 100)));
        Assert.Null(Run(choice, 30, () => Link((long)(0.95 * Main), queueMilliseconds: 1000)));
        Assert.NotNull(Run(choice, 5, () => Link((long)(0.8 * Main), queueMilliseconds: 400)));
    }

    [Fact]
    public void It_comes_back_after_four_seconds_of_a_link_that_carries_all_of_it()
    {
        var choice = new LayerChoice();
        Run(choice, 5, () => Link(300_000));
        Assert.Null(Run(choice, 60, () => Link((long)(0.9 * Main))));
        Assert.Null(Run(choice, 60, () => Link((long)(1.2 * Floor), main: (long)(1.2 * Floor))));
        Assert.Equal(LayerChoice.MoveUpAfter, Run(choice, 60, () => Link(Main)));
        Assert.False(choice.WantsSmall);
    }

    [Fact]
    public void One_that_comes_back_too_soon_waits_ever_longer_up_to_a_minute()
    {
        var choice = new LayerChoice();
        var waits = new List<TimeSpan>();
        for (var i = 0; i < 7; i++)
        {
            while (!choice.Update(Link(300_000), needsKeyFrame: false, _now))
                _now += Step;
            var down = _now;
            while (choice.Update(Link(Main), needsKeyFrame: false, _now))
                _now += Step;
            waits.Add(_now - down);
        }

        Assert.Equal([4, 8, 16, 32, 60, 60, 60], waits.Select(static wait => Math.Floor(wait.TotalSeconds)));
        Run(choice, LayerChoice.Memory.TotalSeconds, () => Link(Main));
        Run(choice, 5, () => Link(300_000));
        Assert.Equal(LayerChoice.MoveUpAfter, Run(choice, 60, () => Link(Main)));
    }

    [Fact]
    public void A_link_at_the_edge_is_moved_a_few_times_in_ten_minutes_and_not_a_hundred()
    {
        var choice = new LayerChoice();
        var random = new Random(11);
        var moves = 0;
        // The estimate seems enough on the small layer, as probes show it, and is not on the main one.
        for (var end = _now + TimeSpan.FromMinutes(10); _now < end; _now += Step)
        {
            var was = choice.WantsSmall;
            var rate = was ? Main : (long)(Main * (0.4 + (0.3 * random.NextDouble())));
            moves += choice.Update(Link(rate), needsKeyFrame: false, _now) == was ? 0 : 1;
        }

        Assert.InRange(moves, 2, 30);
    }

    [Fact]
    public void Where_there_is_no_small_layer_any_more_everybody_has_the_main_one()
    {
        var choice = new LayerChoice();
        Run(choice, 5, () => Link(300_000));
        Assert.True(choice.WantsSmall);
        choice.Reset();
        Assert.False(choice.WantsSmall);
    }
}
