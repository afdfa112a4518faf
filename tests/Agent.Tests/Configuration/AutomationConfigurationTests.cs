using System.Text;
using Agent.Configuration;
using Agent.Home.Automations;

namespace Agent.Tests.Configuration;

public sealed class AutomationConfigurationTests
{
    private static AgentOptions Read(string json, out string[] problems)
    {
        var options = ConfigurationLoader.Read(Encoding.UTF8.GetBytes(json), "agent.json", new Dictionary<string, string>(), out var found);
        problems = [.. found.Select(p => p.ToString())];
        return options;
    }

    private static string[] Check(string automation, string rest = "") =>
        Read($$"""{ "automations": { "a": {{automation}} }{{rest}} }""", out var problems) is var _ ? [.. problems.Select(p => p[(p.IndexOf(": ", StringComparison.Ordinal) + 2)..])] : [];

    [Fact]
    public void Everything_that_can_be_written_is_read()
    {
        var options = Read("""
            {
              "cameras": { "Front-door": {} },
              "mqtt": { "host": "b", "device": "porch" },
              "location": { "latitude": 52.52, "longitude": -13.4 },
              "automations": {
                "all": {
                  "enabled": false, "cooldown": "500ms", "mode": "ignore",
                  "when": [
                    { "entity": "motion", "to": true, "for": "10s" }, { "entity": "bell", "event": "double" },
                    { "entity": "heat", "above": 30.5, "hysteresis": 2 }, { "entity": "heat", "below": -5, "for": "1m" },
                    { "unavailable": "heat", "for": "5m" }, { "at": "22:30", "days": ["mon", "fri"] }, { "at": "06:00:30" },
                    { "sun": "sunset", "offset": "-30m" }, { "start": true }
                  ],
                  "if": [
                    { "entity": "mode", "is": "night" }, { "entity": "light_level", "above": 5, "below": 20 }, { "after": "22:00", "before": "06:00" },
                    { "days": ["sat", "sun"] }, { "sun": "down" }
                  ],
                  "do": [
                    { "set": "lamp", "to": 40, "for": "2m" }, { "set": "relay", "to": false }, { "toggle": "relay" }, { "press": "home" },
                    { "snapshot": "Front-door" }, { "publish": { "topic": "house/bell", "payload": "rung", "retain": true } }, { "wait": "24h" },
                    { "publish": { "topic": "camera-agent/porch/automation/all/seen", "payload": true } }
                  ]
                }
              }
            }
            """, out var problems);
        Assert.Empty(problems);
        Assert.Equal(new GeoLocation(52.52, -13.4), options.Location);
        var all = Assert.Single(options.Automations);
        Assert.Equal(("all", false, TimeSpan.FromMilliseconds(500), AutomationMode.Ignore), (all.Name, all.Enabled, all.Cooldown, all.Mode));
        Assert.Equal(
            [
                new StateTrigger("motion", "ON", TimeSpan.FromSeconds(10)), new HappeningTrigger("bell", "double"), new ThresholdTrigger("heat", 30.5, true, 2, default),
                new ThresholdTrigger("heat", -5, false, 0, TimeSpan.FromMinutes(1)), new UnavailableTrigger("heat", TimeSpan.FromMinutes(5)),
                new TimeTrigger(new TimeOnly(22, 30), Weekdays.Monday | Weekdays.Friday), new TimeTrigger(new TimeOnly(6, 0, 30), Weekdays.All),
                new SunTrigger(SunEvent.Sunset, TimeSpan.FromMinutes(-30), Weekdays.All), new StartTrigger(),
            ],
            all.When);
        Assert.Equal(
            [
                new StateCondition("mode", "night"), new RangeCondition("light_level", 5, 20), new TimeCondition(new TimeOnly(22, 0), new TimeOnly(6, 0), Weekdays.All),
                new TimeCondition(null, null, Weekdays.Saturday | Weekdays.Sunday), new SunCondition(false),
            ],
            all.If);
        Assert.Equal(
            [
                new SetAction("lamp", "40", TimeSpan.FromMinutes(2)), new SetAction("relay", "OFF"), new ToggleAction("relay"), new PressAction("home"),
                new PressAction("front_door_take_snapshot"), new PublishAction("house/bell", "rung", true), new WaitAction(TimeSpan.FromDays(1)),
                new PublishAction("camera-agent/porch/automation/all/seen", "true"),
            ],
            all.Do);
    }

    [Theory]
    [InlineData("{}", "automations.a.when: is missing or empty: nothing would ever set it off.", "automations.a.do: is missing or empty: it would do nothing.")]
    [InlineData("""{ "when": [{}], "do": [{ "wait": "1s" }] }""", "automations.a.when[0]: says nothing: write one of to, event, above, below, unavailable, at, sun, start.")]
    [InlineData("""{ "when": [{ "entity": "m" }], "do": [{ "wait": "1s" }] }""", "automations.a.when[0]: says nothing: write one of to, event, above, below, unavailable, at, sun, start.")]
    [InlineData("""{ "when": [{ "to": "on" }], "do": [{ "wait": "1s" }] }""", "automations.a.when[0]: to needs entity as well.")]
    [InlineData("""{ "when": [{ "entity": "m", "to": "on", "at": "22:30" }], "do": [{ "wait": "1s" }] }""", "automations.a.when[0]: has to and at; make each an entry of its own.")]
    [InlineData("""{ "when": [{ "at": "22:30", "for": "1s" }], "do": [{ "wait": "1s" }] }""", "automations.a.when[0].for: does not go with at.")]
    [InlineData("""{ "when": [{ "at": "24:00" }], "do": [{ "wait": "1s" }] }""", "automations.a.when[0].at: found \"24:00\"; expected a time of day such as \"22:30\" or \"06:00:30\".")]
    [InlineData("""{ "when": [{ "at": "22:30", "days": ["monday"] }], "do": [{ "wait": "1s" }] }""", "automations.a.when[0].days[0]: found \"monday\"; use one of mon, tue, wed, thu, fri, sat, sun.")]
    [InlineData("""{ "when": [{ "at": "22:30", "days": [] }], "do": [{ "wait": "1s" }] }""", "automations.a.when[0].days: found an array; expected at least one day.")]
    [InlineData("""{ "when": [{ "start": false }], "do": [{ "wait": "1s" }] }""", "automations.a.when[0].start: can only be true; remove it otherwise.")]
    [InlineData("""{ "when": [{ "sun": "sunset" }], "if": [{ "sun": "up" }], "do": [{ "wait": "1s" }] }""",
        "automations.a.when[0].sun: needs location, with latitude and longitude, beside automations.", "automations.a.if[0].sun: needs location, with latitude and longitude, beside automations.")]
    [InlineData("""{ "when": [{ "entity": "Porch", "to": "on" }], "do": [{ "wait": "1s" }] }""", "automations.a.when[0].entity: found \"Porch\"; expected an entity's id, as GET /api/entities lists them.")]
    [InlineData("""{ "when": [{ "start": true }], "do": [{ "set": "lamp" }] }""", "automations.a.do[0]: set needs to as well.")]
    [InlineData("""{ "when": [{ "start": true }], "do": [{ "wait": "25h" }] }""", "automations.a.do[0].wait: found \"25h\"; expected a time with its unit (ms, s, m, h), such as \"30s\", of 24 hours at most.")]
    [InlineData("""{ "when": [{ "start": true }], "do": [{ "wait": "-1s" }] }""", "automations.a.do[0].wait: found \"-1s\"; expected a time with its unit (ms, s, m, h), such as \"30s\", of 24 hours at most.")]
    [InlineData("""{ "when": [{ "start": true }], "do": [{ "snapshot": "garden" }] }""", "automations.a.do[0].snapshot: there is no such camera; use one of main.")]
    [InlineData("""{ "when": [{ "start": true }], "do": [{ "publish": { "topic": "x", "payload": "y" } }] }""", "automations.a.do[0].publish: needs mqtt.host, the broker.")]
    [InlineData("""{ "when": [{ "start": true }], "do": [{ "publish": { "payload": "y" } }] }""", "automations.a.do[0].publish: needs topic.")]
    [InlineData("""{ "when": [{ "start": true }], "do": [{ "publish": { "topic": "a/+" } }] }""", "automations.a.do[0].publish.topic: found \"a/+\"; expected a topic without '+', '#' and without '/' at either end.")]
    [InlineData("""{ "when": [{ "start": true }], "do": [{ "publish": { "topic": "$SYS/x" } }] }""", "automations.a.do[0].publish.topic: found \"$SYS/x\"; topics with '$' are the broker's own.")]
    public void What_cannot_work_is_told_with_the_automation_and_the_key(string automation, params string[] expected) => Assert.Equal(expected, Check(automation));

    [Theory]
    [InlineData("camera-agent/porch")]
    [InlineData("camera-agent/porch/relay")]
    [InlineData("camera-agent/porch/relay/set")]
    [InlineData("camera-agent/porch/automation")]
    [InlineData("camera-agent/porch/automation/set")]
    [InlineData("homeassistant/device/camera-agent-porch/config")]
    public void An_automation_cannot_forge_what_the_agent_says(string topic) => Assert.Equal(
        [$"automations.a.do[0].publish.topic: found \"{topic}\", which is the agent's own; use another, or one such as \"camera-agent/porch/automation/porch/rung\"."],
        Check($$"""{ "when": [{ "start": true }], "do": [{ "publish": { "topic": "{{topic}}" } }] }""", """, "mqtt": { "host": "b", "device": "porch" }"""));

    [Fact]
    public void Names_are_parts_of_entity_ids_and_a_location_has_two_coordinates()
    {
        Read("""{ "automations": { "Porch": { "when": [{ "start": true }], "do": [{ "wait": "1s" }] } }, "location": { "latitude": 1 } }""", out var problems);
        Assert.Equal(
            [
                "agent.json:1:20: automations.Porch: \"Porch\" cannot be a name; use 1 to 40 lower-case letters, digits and '_'.",
                "agent.json:1:102: location: needs both latitude and longitude.",
            ],
            problems);
    }
}
