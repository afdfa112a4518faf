using Agent.Home.Automations;

namespace Agent.Home.Tests.Automations;

public sealed class AutomationEngineTests
{
    private static readonly BinarySensorEntity Motion = new("motion", "Motion");
    private static readonly SwitchEntity Relay = new("relay", "Relay");
    private static readonly SensorEntity Heat = new("heat", "Heat");
    private static readonly EventEntity Bell = new("bell", "Bell", ["single", "double"]);

    private static AutomationOptions On(AutomationTrigger trigger, params AutomationAction[] actions) => new() { Name = "a", When = [trigger], Do = actions };

    private static PublishAction Say(string text) => new("t", text);

    [Fact]
    public void A_state_that_is_taken_on_sets_the_actions_off_in_their_order()
    {
        var rig = new EngineRig().With(Motion, "OFF").With(Relay, "OFF").Start(On(new StateTrigger("motion", "on", default), new SetAction("relay", "on"), Say("seen")));
        Assert.Equal(["relay=on", "t: seen"], rig.Publish("motion", "ON").Done);
        Assert.Equal("ON", rig.Registry.Find("relay")!.Value);
        Assert.Empty(rig.Pass(5).Publish("motion", "ON").Publish("motion", "OFF").Done);
        Assert.Equal(["5: relay=on", "5: t: seen"], rig.Publish("motion", "ON").Done);
        Assert.Equal(new AutomationStatus("a", null, 2, 0, 0), Assert.Single(rig.Status));
    }

    [Fact]
    public void The_first_state_that_is_known_and_the_same_one_after_an_outage_are_no_change()
    {
        var rig = new EngineRig().With(Motion).Start(On(new StateTrigger("motion", "ON", default), Say("seen")));
        Assert.Empty(rig.Publish("motion", "ON").SetAvailable("motion", false).SetAvailable("motion", true).Done);
        Assert.Equal(["t: seen"], rig.Publish("motion", "OFF").SetAvailable("motion", false).Publish("motion", "ON").SetAvailable("motion", true).Done);
    }

    [Fact]
    public void A_state_has_to_stay_for_its_time_and_an_outage_begins_that_anew()
    {
        var rig = new EngineRig().With(Motion, "OFF").Start(On(new StateTrigger("motion", "on", TimeSpan.FromSeconds(10)), Say("stays")));
        Assert.Empty(rig.Publish("motion", "ON").Pass(9).Publish("motion", "OFF").Pass(100).Done);
        Assert.Equal(["119: t: stays"], rig.Publish("motion", "ON").Pass(100).Done);
        rig.Publish("motion", "OFF").Publish("motion", "ON").Pass(9).SetAvailable("motion", false).Pass(20);
        Assert.Empty(rig.SetAvailable("motion", true).Pass(9.5).Done);
        Assert.Equal(["248: t: stays"], rig.Pass(1).Done);
    }

    [Theory]
    [InlineData("on", "0 40 70 0 5", 2)]
    [InlineData("off", "0 40 0 5", 1)]
    [InlineData("40", "0 40 70 40", 2)]
    public void A_light_is_on_at_any_brightness(string to, string brightnesses, int expected)
    {
        var rig = new EngineRig().With(new LightEntity("lamp", "Lamp") { HasBrightness = true }).Start(On(new StateTrigger("lamp", to, default), Say("x")));
        foreach (var brightness in brightnesses.Split(' ')) rig.Publish("lamp", brightness).Pass(2);
        Assert.Equal(expected, rig.Done.Length);
    }

    [Fact]
    public void The_same_event_twice_is_two_events_and_another_type_is_none()
    {
        var rig = new EngineRig().With(Bell).Start(On(new HappeningTrigger("bell", "double"), Say("rung")) with { Cooldown = default });
        Assert.Equal(["t: rung", "t: rung"], rig.Publish("bell", "single").Publish("bell", "double").Publish("bell", "double").Done);
        Assert.Empty(rig.SetAvailable("bell", false).SetAvailable("bell", true).Done);
    }

    [Fact]
    public void A_threshold_counts_again_once_the_number_has_come_back_by_the_hysteresis()
    {
        var rig = new EngineRig().With(Heat).Start(On(new ThresholdTrigger("heat", 30, true, 2, default), Say("hot")) with { Cooldown = default });
        foreach (var (value, isHot) in new[] { ("29", false), ("30", false), ("30.1", true), ("28.5", false), ("31", false), ("nan", false), ("28", false), ("30.5", true) })
        {
            Assert.Equal(isHot ? ["t: hot"] : [], rig.Publish("heat", value).Done);
        }
    }

    [Fact]
    public void A_number_that_is_beyond_the_limit_at_first_has_to_be_acted_on()
    {
        var cold = On(new ThresholdTrigger("heat", 5, false, 1, TimeSpan.FromMinutes(1)), Say("cold"));
        Assert.Equal(["60: t: cold"], new EngineRig().With(Heat, "3").Start(cold).Pass(200).Done);
        Assert.Equal(["60: t: cold"], new EngineRig().With(Heat).Start(cold).Publish("heat", "3").Pass(200).Done);
        Assert.Empty(new EngineRig().With(Heat, "5").Start(cold).Pass(200).Done);
    }

    [Fact]
    public void An_entity_that_becomes_unavailable_and_stays_so_is_told()
    {
        var rig = new EngineRig().With(Heat, "3").Start(On(new UnavailableTrigger("heat", TimeSpan.FromSeconds(30)), Say("gone")));
        Assert.Empty(rig.SetAvailable("heat", false).Pass(29).SetAvailable("heat", true).Pass(60).Done);
        Assert.Equal(["119: t: gone"], rig.SetAvailable("heat", false).Pass(100).Done);
    }

    [Fact]
    public void The_start_counts_once_even_if_an_entity_comes_later()
    {
        var rig = new EngineRig().Start(On(new StartTrigger(), new SetAction("relay", "on")));
        Assert.Equal(["a do[0]: there is no entity \"relay\"; GET /api/entities lists what there is"], rig.Pass(0).Done);
        Assert.NotNull(rig.Status[0].Problem);
        Assert.Equal(["a is in service", "relay=on"], rig.With(Relay).Done);
        rig.Registry.Remove("relay");
        Assert.Equal(["5: a do[0]: there is no entity \"relay\"; GET /api/entities lists what there is", "5: a is in service"], rig.Pass(5).With(Relay).Done);
    }

    [Theory]
    [InlineData("19", "OFF", 0)]
    [InlineData("21", "ON", 0)]
    [InlineData("21", "OFF", 1)]
    [InlineData("25", "OFF", 0)]
    public void Every_condition_has_to_hold(string heat, string relay, int expected)
    {
        var rig = new EngineRig().With(Bell).With(Heat, heat).With(Relay, relay).Start(
            On(new HappeningTrigger("bell", "single"), Say("x")) with { If = [new RangeCondition("heat", 20, 25), new StateCondition("relay", "off")] });
        Assert.Equal(expected, rig.Publish("bell", "single").Done.Length);
        Assert.Empty(rig.SetAvailable("heat", false).Publish("bell", "single").Done);
    }

    [Fact]
    public void A_lamp_is_lit_for_a_time_from_the_last_motion_on_and_then_as_it_was()
    {
        var rig = new EngineRig().With(Motion, "OFF").With(Relay, "OFF").Start(On(new StateTrigger("motion", "on", default), new SetAction("relay", "on", TimeSpan.FromMinutes(2))));
        rig.Publish("motion", "ON").Pass(60).Publish("motion", "OFF").Publish("motion", "ON");
        Assert.Equal(["relay=on", "60: relay=on", "180: relay=OFF"], rig.Pass(500).Done);
        rig.Publish("relay", "ON").Publish("motion", "OFF").Publish("motion", "ON");
        Assert.Equal(["560: relay=on", "680: relay=ON"], rig.Pass(500).Done);
        Assert.All(rig.Kept.Values, Assert.Null);
    }

    [Fact]
    public void What_somebody_else_has_changed_meanwhile_is_left_alone()
    {
        var rig = new EngineRig().With(Bell).With(new NumberEntity("n", "N", 0, 100), "10").Start(On(new HappeningTrigger("bell", "single"), new SetAction("n", "50", TimeSpan.FromSeconds(9))));
        Assert.Equal(["n=50"], rig.Publish("bell", "single").Pass(5).Publish("n", "70").Pass(50).Done);
        Assert.Equal(["55: n=50", "64: n=70"], rig.Publish("bell", "single").Pass(50).Done);
    }

    [Fact]
    public void What_is_to_be_taken_back_survives_a_restart_of_the_agent_and_a_clock_that_was_wrong()
    {
        var automation = On(new HappeningTrigger("bell", "single"), new SetAction("relay", "on", TimeSpan.FromMinutes(2)));
        var before = new EngineRig("2026-11-23T12:00:00Z").With(Bell).With(Relay, "OFF").Start(automation).Publish("bell", "single").Pass(30);
        var after = new EngineRig("2026-11-23T12:00:50Z") { Kept = before.Kept }.With(Bell).With(Relay, "ON").Start(automation);
        Assert.Equal(["70: relay=OFF"], after.Pass(500).Done);
        before = new EngineRig("2026-11-23T12:00:00Z").With(Bell).With(Relay, "OFF").Start(automation).Publish("bell", "single").Pass(30);
        var early = new EngineRig("2016-11-23T12:00:50Z") { Kept = new(before.Kept) }.With(Bell).With(Relay, "ON").Start(automation);
        Assert.Equal(["120: relay=OFF"], early.Pass(500).Done);
        var late = new EngineRig("2027-11-23T12:00:50Z") { Kept = new(before.Kept) }.With(Bell).With(Relay, "ON").Start(automation);
        Assert.Equal(["10: relay=OFF"], late.Pass(500).Done);
        var damaged = new EngineRig { Kept = new() { ["a relay"] = "tomorrow\nOFF" } }.With(Bell).With(Relay, "ON").Start(automation);
        Assert.Empty(damaged.Pass(500).Done);
    }

    [Fact]
    public void A_trigger_during_a_wait_begins_the_actions_anew()
    {
        var rig = new EngineRig().With(Bell).Start(On(new HappeningTrigger("bell", "single"), Say("1"), new WaitAction(TimeSpan.FromSeconds(10)), Say("2")));
        Assert.Equal(["t: 1", "5: t: 1", "15: t: 2"], rig.Publish("bell", "single").Pass(5).Publish("bell", "single").Pass(100).Done);
    }

    [Fact]
    public void A_trigger_during_a_command_waits_for_its_end_and_begins_anew()
    {
        var rig = new EngineRig { HoldsCommands = true }.With(Bell).With(new ButtonEntity("b", "B")).Start(On(new HappeningTrigger("bell", "single"), new PressAction("b"), Say("2")));
        Assert.Equal(["b=PRESS"], rig.Publish("bell", "single").Pass(5).Publish("bell", "single").Done);
        Assert.Equal(["5: b=PRESS"], rig.Release().Done);
        Assert.Equal(["5: t: 2"], rig.Release().Done);
        Assert.Empty(rig.Pass(50).Done);
    }

    [Fact]
    public void A_mode_that_ignores_lets_the_run_end_what_it_takes_back_included()
    {
        var rig = new EngineRig().With(Bell).With(Relay, "OFF").Start(
            On(new HappeningTrigger("bell", "single"), new SetAction("relay", "on", TimeSpan.FromSeconds(60))) with { Mode = AutomationMode.Ignore });
        Assert.Equal(["relay=on", "60: relay=OFF", "80: relay=on"], rig.Publish("bell", "single").Pass(30).Publish("bell", "single").Pass(50).Publish("bell", "single").Done);
    }

    [Fact]
    public void An_action_that_fails_is_told_and_the_others_are_carried_out()
    {
        var rig = new EngineRig().With(Bell).With(Relay, "OFF", fails: true).Start(On(new HappeningTrigger("bell", "single"), new SetAction("relay", "on", TimeSpan.FromSeconds(5)), Say("x")));
        Assert.Equal(["relay=on", "a do[0] failed: it is stuck", "t: x"], rig.Publish("bell", "single").Pass(50).Done);
        Assert.Equal(new AutomationStatus("a", null, 1, 1, 0), Assert.Single(rig.Status));
    }

    [Fact]
    public void A_button_toggles()
    {
        var rig = new EngineRig().With(Bell).With(Relay).Start(On(new HappeningTrigger("bell", "single"), new ToggleAction("relay")));
        Assert.Equal(["relay=ON", "2: relay=OFF", "4: relay=ON"], rig.Publish("bell", "single").Pass(2).Publish("bell", "single").Pass(2).Publish("bell", "single").Done);
    }

    [Fact]
    public void Out_of_force_it_does_nothing_and_stops_but_takes_back_what_it_did()
    {
        var rig = new EngineRig().With(Bell).With(Relay, "OFF").Start(
            On(new HappeningTrigger("bell", "single"), new SetAction("relay", "on", TimeSpan.FromSeconds(60)), new WaitAction(TimeSpan.FromSeconds(20)), Say("never")));
        rig.Publish("bell", "single").Pass(10).Disabled.Add("a");
        Assert.Equal(["relay=on", "60: relay=OFF"], rig.Publish("bell", "single").Pass(100).Done);
    }

    [Fact]
    public void The_cooldown_leaves_triggers_out()
    {
        var rig = new EngineRig().With(Bell).Start(On(new HappeningTrigger("bell", "single"), Say("x")) with { Cooldown = TimeSpan.FromMinutes(5) });
        for (var minute = 0; minute < 11; minute++) rig.Publish("bell", "single").Pass(60);
        Assert.Equal(["t: x", "300: t: x", "600: t: x"], rig.Done);
    }

    [Fact]
    public void Automations_that_set_each_other_off_are_stopped_and_work_again_later()
    {
        AutomationOptions Set(string name, string when, string to) =>
            new() { Name = name, When = [new StateTrigger("relay", when, default)], Do = [new SetAction("relay", to)], Cooldown = default };
        var rig = new EngineRig().With(Relay, "OFF").Start(Set("a", "on", "off"), Set("b", "off", "on"));
        var done = rig.Publish("relay", "ON").Done;
        Assert.Equal((RunLimit.Burst * 2) + 1, done.Length);
        Assert.Equal("a overruns", done[^1]);
        Assert.Equal([20, 20], rig.Status.Select(s => s.Runs));
        Assert.Equal([1, 0], rig.Status.Select(s => s.LeftOut));
        Assert.Empty(rig.Pass(1000).Done);
        Assert.NotEmpty(rig.Publish("relay", "OFF").Done);
    }

    public static TheoryData<AutomationTrigger, string> BadTriggers { get; } = new()
    {
        { new StateTrigger("nobody", "on", default), "when[0]: there is no entity \"nobody\"; GET /api/entities lists what there is" },
        { new StateTrigger("motion", "maybe", default), "when[0].to: motion is ON or OFF, never \"maybe\"" },
        { new StateTrigger("bell", "single", default), "when[0].to: bell is an event and has no state; write event" },
        { new StateTrigger("mode", "fast", default), "when[0].to: mode takes one of day, night, not \"fast\"" },
        { new HappeningTrigger("bell", "triple"), "when[0].event: bell is one of single, double, never \"triple\"" },
        { new HappeningTrigger("motion", "single"), "when[0].event: motion is no event entity; write to" },
        { new ThresholdTrigger("motion", 1, true, 0, default), "when[0].entity: motion is no number" },
    };

    [Theory]
    [MemberData(nameof(BadTriggers))]
    public void A_trigger_that_can_never_be_puts_the_automation_out_of_service_with_the_reason(AutomationTrigger trigger, string problem)
    {
        var rig = new EngineRig().With(Motion, "OFF").With(Bell).With(Heat).With(new SelectEntity("mode", "Mode", ["day", "night"])).Start(On(trigger, Say("x")));
        Assert.Equal([$"a {problem}"], rig.Publish("motion", "ON").Publish("bell", "single").Pass(1000).Done);
        Assert.Equal(problem, rig.Status[0].Problem);
    }

    public static TheoryData<AutomationAction, string> BadActions { get; } = new()
    {
        { new SetAction("motion", "on"), "do[0]: motion takes no commands" },
        { new SetAction("relay", "dim"), "do[0].to: relay takes ON or OFF, not \"dim\"" },
        { new SetAction("b", "PRESS", TimeSpan.FromSeconds(1)), "do[0].for: b has no state to go back to" },
        { new ToggleAction("b"), "do[0].toggle: b is neither a switch nor a light" },
        { new PressAction("relay"), "do[0].press: relay is no button" },
    };

    [Theory]
    [MemberData(nameof(BadActions))]
    public void So_does_an_action(AutomationAction action, string problem)
    {
        var rig = new EngineRig().With(Motion, "OFF").With(Relay).With(new ButtonEntity("b", "B")).Start(On(new StateTrigger("motion", "on", default), action));
        Assert.Equal([$"a {problem}"], rig.Publish("motion", "ON").Done);
    }
}
