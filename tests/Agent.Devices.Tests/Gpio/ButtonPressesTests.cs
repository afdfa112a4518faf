using Agent.Devices.Gpio;

namespace Agent.Devices.Tests.Gpio;

public sealed class ButtonPressesTests
{
    private readonly List<string> _told = [];
    private TimeSpan _now;

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private ButtonPresses Make(int longPress = 600, int multiPress = 300, int repeat = 0) =>
        new(Ms(longPress), Ms(multiPress), Ms(repeat), action => _told.Add(action.ToString()));

    /// <summary>Downs and ups after these milliseconds, every timer in between kept to the millisecond.</summary>
    private string Play(ButtonPresses presses, params int[] changes)
    {
        var isDown = false;
        foreach (var wait in changes)
        {
            Pass(presses, Ms(wait));
            presses.Change(isDown = !isDown, _now);
        }
        Pass(presses, Ms(5000));
        return string.Join(" ", _told);
    }

    private void Pass(ButtonPresses presses, TimeSpan time)
    {
        for (var end = _now + time; ;)
        {
            var due = presses.Advance(_now);
            if (_now == end) return;
            _now = due < end ? due : end;
        }
    }

    [Theory]
    [InlineData("Press Release Single", 0, 80)]
    [InlineData("Press Release Single", 0, 599)]
    [InlineData("Press Long Release", 0, 600)]
    [InlineData("Press Long Release", 0, 4000)]
    [InlineData("Press Release Press Release Double", 0, 80, 299, 80)]
    [InlineData("Press Release Single Press Release Single", 0, 80, 300, 80)]
    [InlineData("Press Release Press Release Press Release Triple", 0, 80, 100, 80, 100, 80)]
    [InlineData("Press Release Press Release Press Release Triple Press Release Single", 0, 80, 100, 80, 100, 80, 100, 80)]
    [InlineData("Press Release Press Single Long Release", 0, 80, 100, 700)]
    [InlineData("Press Long Release Press Release Single", 0, 700, 100, 80)]
    public void What_is_done_is_understood(string expected, params int[] changes) => Assert.Equal(expected, Play(Make(), changes));

    [Fact]
    public void A_held_button_repeats_until_it_is_let_go_of() =>
        Assert.Equal("Press Long Repeat Repeat Repeat Release", Play(Make(repeat: 100), 0, 950));

    [Fact]
    public void Without_double_presses_a_single_one_is_told_at_once()
    {
        var presses = Make(multiPress: 0);
        presses.Change(true, Ms(0));
        presses.Change(false, Ms(80));
        Assert.Equal(["Press", "Release", "Single"], _told);
    }

    [Fact]
    public void A_third_press_is_told_without_waiting_for_a_fourth()
    {
        var presses = Make();
        for (var i = 0; i < 6; i++) presses.Change(i % 2 == 0, Ms(i * 50));
        Assert.Equal("Triple", _told[^1]);
    }

    [Theory]
    [InlineData(0, 700)]
    [InlineData(0, 80, 100, 80)]
    [InlineData(0, 80, 400, 80, 100, 900, 10, 50)]
    public void Changes_told_of_late_are_understood_the_same(params int[] changes)
    {
        var inTime = Play(Make(repeat: 70), changes);
        _told.Clear();
        var late = Make(repeat: 70);
        var (time, isDown) = (TimeSpan.Zero, false);
        foreach (var wait in changes) late.Change(isDown = !isDown, time += Ms(wait));
        late.Advance(time + Ms(5000));
        Assert.Equal(inTime, string.Join(" ", _told));
    }

    [Fact]
    public void A_button_that_is_down_at_the_start_tells_nothing_but_its_release()
    {
        var presses = Make(repeat: 50);
        presses.Reset(isDown: true);
        Assert.Equal(TimeSpan.MaxValue, presses.Advance(Ms(10_000)));
        presses.Change(false, Ms(10_100));
        Assert.Equal(TimeSpan.MaxValue, presses.Advance(Ms(20_000)));
        Assert.Equal(["Release"], _told);
    }

    [Fact]
    public void The_same_again_changes_nothing()
    {
        var presses = Make();
        presses.Change(true, Ms(0));
        presses.Change(true, Ms(50));
        presses.Change(false, Ms(80));
        presses.Change(false, Ms(90));
        presses.Advance(Ms(1000));
        Assert.Equal(["Press", "Release", "Single"], _told);
    }
}
