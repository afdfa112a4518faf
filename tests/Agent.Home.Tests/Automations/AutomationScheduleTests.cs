using System.Globalization;
using Agent.Home.Automations;

namespace Agent.Home.Tests.Automations;

public sealed class AutomationScheduleTests
{
    private static AutomationOptions On(AutomationTrigger trigger) => new() { Name = "a", When = [trigger], Do = [new PublishAction("t", "x")] };

    private static TimeTrigger At(string time, Weekdays days = Weekdays.All) => new(TimeOnly.Parse(time, CultureInfo.InvariantCulture), days);

    private static DateTimeOffset Utc(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    [Fact]
    public void A_time_of_day_comes_once_a_day_on_its_days()
    {
        // 2026-11-23 is a Monday; 13:00 by the local clock at the start.
        var rig = new EngineRig().Start(On(At("22:30", Weekdays.Monday | Weekdays.Wednesday)));
        Assert.Equal(["34200: t: x", "207000: t: x"], rig.Pass(TimeSpan.FromDays(6)).Done);
    }

    [Theory]
    // Summer time begins at 02:00, which becomes 03:00; it ends at 03:00, which becomes 02:00.
    [InlineData("2026-03-28T12:00:00Z", "02:30", "2026-03-29 03:00:00+02:00")]
    [InlineData("2026-03-28T12:00:00Z", "01:59", "2026-03-29 01:59:00+01:00")]
    [InlineData("2026-03-28T12:00:00Z", "03:00", "2026-03-29 03:00:00+02:00")]
    [InlineData("2026-10-24T12:00:00Z", "02:30", "2026-10-25 02:30:00+02:00")]
    [InlineData("2026-10-24T12:00:00Z", "03:00", "2026-10-25 03:00:00+01:00")]
    public void A_skipped_hour_and_a_doubled_one_count_once(string start, string at, string expected)
    {
        var rig = new EngineRig(start).Start(On(At(at)));
        List<string> fired = [];
        for (var minute = 0; minute < 24 * 60; minute++)
        {
            rig.Pass(60);
            if (rig.Done.Length > 0) fired.Add(rig.LocalTime);
        }

        Assert.Equal([expected], fired);
    }

    [Fact]
    public void A_clock_that_is_set_after_years_does_not_catch_up()
    {
        // A Pi without a clock begins where it stopped, or in 1970, and hears the time from the network seconds later.
        var rig = new EngineRig("1970-01-01T00:00:10Z").Start(On(At("12:00")), On(new SunTrigger(SunEvent.Sunset, default, Weekdays.All)) with { Name = "b" });
        Assert.Empty(rig.Pass(20).SetClock("2026-11-23T10:00:00Z").Pass(3500).Done);
        Assert.Equal(["3620: t: x"], rig.Pass(600).Done);
    }

    [Fact]
    public void A_time_that_comes_while_a_step_is_not_noticed_yet_counts()
    {
        var rig = new EngineRig("1970-01-01T00:00:10Z").Start(On(At("12:00")));
        Assert.Single(rig.SetClock("2026-11-23T10:59:50Z").Pass(40).Done);
    }

    [Fact]
    public void A_clock_that_goes_back_by_seconds_repeats_nothing_and_by_hours_repeats_the_hours()
    {
        var rig = new EngineRig("2026-11-23T10:59:00Z").Start(On(At("12:00")));
        Assert.Single(rig.Pass(61).Done);
        Assert.Empty(rig.SetClock("2026-11-23T10:59:30Z").Pass(90).Done);
        Assert.Single(rig.SetClock("2026-11-23T08:00:00Z").Pass(3 * 3600 + 60).Done);
    }

    [Fact]
    public void A_machine_that_was_too_slow_is_late_once()
    {
        var rig = new EngineRig("2026-11-23T10:59:50Z").Start(On(At("12:00")));
        rig.Engine.Advance(new Moment(TimeSpan.FromMinutes(5), Utc("2026-11-23T11:04:50Z")));
        Assert.Single(rig.Pass(0).Done);
    }

    [Theory]
    [InlineData(SunEvent.Sunrise, -30, "2026-11-24T06:13:28Z")]
    [InlineData(SunEvent.Sunset, 0, "2026-11-23T15:03:11Z")]
    [InlineData(SunEvent.Sunset, 600, "2026-11-24T01:03:11Z")]
    public void The_sun_comes_with_its_offset(SunEvent which, int offsetMinutes, string expected)
    {
        var found = Schedule.FindNext(
            new SunTrigger(which, TimeSpan.FromMinutes(offsetMinutes), Weekdays.All), new GeoLocation(52.52, 13.405), Utc("2026-11-23T12:00:00Z"), EngineRig.CentralEurope);
        Assert.InRange((found!.Value - Utc(expected)).TotalMinutes, -2, 2);
    }

    [Fact]
    public void In_the_polar_night_the_next_sunrise_is_that_of_the_new_year_and_at_the_pole_there_is_none()
    {
        var sunrise = new SunTrigger(SunEvent.Sunrise, default, Weekdays.All);
        var found = Schedule.FindNext(sunrise, new GeoLocation(69.6492, 18.9553), Utc("2026-12-01T12:00:00Z"), EngineRig.CentralEurope);
        Assert.InRange(found!.Value, Utc("2027-01-13T00:00:00Z"), Utc("2027-01-17T00:00:00Z"));
        Assert.Null(Schedule.FindNext(sunrise, new GeoLocation(90, 0), Utc("2026-12-01T12:00:00Z"), EngineRig.CentralEurope));
        var rig = new EngineRig { Location = new(90, 0) }.Start(On(sunrise));
        Assert.Empty(rig.Pass(TimeSpan.FromDays(2)).Done);
    }

    [Theory]
    [InlineData("22:00", "06:00", "21:59 -", "22:00 +", "23:59 +", "00:00 +", "05:59 +", "06:00 -")]
    [InlineData("08:00", "17:00", "07:59 -", "08:00 +", "17:00 -")]
    [InlineData("08:00", null, "07:59 -", "08:00 +", "23:59 +", "00:00 -")]
    [InlineData(null, "08:00", "07:59 +", "08:00 -")]
    [InlineData("08:00", "08:00", "07:59 +", "08:00 +")]
    public void A_window_may_lie_over_midnight(string? after, string? before, params string[] times)
    {
        static TimeOnly? Read(string? text) => text is null ? null : TimeOnly.Parse(text, CultureInfo.InvariantCulture);
        var window = new TimeCondition(Read(after), Read(before), Weekdays.All);
        foreach (var time in times) Assert.Equal(time.EndsWith('+'), window.Holds(DateTime.Parse($"2026-11-23 {time[..5]}", CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void Days_are_those_of_the_moment()
    {
        var weekend = new TimeCondition(null, null, Weekdays.Saturday | Weekdays.Sunday);
        Assert.Equal(
            [false, false, false, false, false, true, true],
            Enumerable.Range(23, 7).Select(day => weekend.Holds(new DateTime(2026, 11, day, 12, 0, 0, DateTimeKind.Unspecified))));
    }

    [Theory]
    // 06:41:50 and 15:03:11 in Berlin on that day.
    [InlineData("2026-11-23T06:38:00Z", false)]
    [InlineData("2026-11-23T06:45:00Z", true)]
    [InlineData("2026-11-23T15:00:00Z", true)]
    [InlineData("2026-11-23T15:06:00Z", false)]
    public void The_sun_is_up_between_sunrise_and_sunset(string utc, bool isUp)
    {
        var rig = new EngineRig(utc).Start(
            On(new StartTrigger()) with { If = [new SunCondition(true)] }, On(new StartTrigger()) with { Name = "b", If = [new SunCondition(false)], Do = [new PublishAction("t", "dark")] });
        Assert.Equal([isUp ? "t: x" : "t: dark"], rig.Done);
    }
}
