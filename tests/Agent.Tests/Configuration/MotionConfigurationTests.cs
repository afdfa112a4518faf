using System.Text;
using Agent.Configuration;
using Agent.Devices.Motion;
using Agent.Media.Motion;

namespace Agent.Tests.Configuration;

public sealed class MotionConfigurationTests
{
    private static MotionOptions Read(string motion, out IReadOnlyList<string> problems)
    {
        var options = ConfigurationLoader.Read(
            Encoding.UTF8.GetBytes($$"""{ "cameras": { "m": { "motion": {{motion}} } } }"""), "agent.json", new Dictionary<string, string>(), out var found);
        problems = [.. found.Select(problem => $"{problem.Path}: {problem.Message}")];
        return options?.Cameras[0].Motion ?? new MotionOptions();
    }

    [Fact]
    public void Without_the_section_nothing_is_looked_for()
    {
        Assert.False(Read("{}", out var problems).Enabled);
        Assert.Empty(problems);
    }

    [Fact]
    public void Every_key_is_read()
    {
        var motion = Read(
            """
            {
              "enabled": true, "sensitivity": 60, "minimumArea": 0.5, "frameRate": 8, "holdFor": 30,
              "zones": { "door": { "area": [0.5, 0.25, 0.5, 0.75], "sensitivity": 80, "minimumArea": 2 }, "path": { "area": [[0, 1], [1, 1], [0.5, 0.4]] } },
              "ignore": [[0, 0, 1, 0.1]]
            }
            """, out var problems);
        Assert.Empty(problems);
        Assert.Equal((true, 8), (motion.Enabled, motion.FramesPerSecond));
        var settings = motion.Settings;
        Assert.Equal((60, 0.5, TimeSpan.FromSeconds(30)), (settings.Sensitivity, settings.MinimumArea, settings.HoldFor));
        Assert.Equal([("door", 80, 2.0), ("path", null, null)], settings.Zones.Select(zone => (zone.Name, zone.Sensitivity, zone.MinimumArea)));
        Assert.Equal([new(0.5, 0.25), new(1, 0.25), new(1, 1), new(0.5, 1)], settings.Zones[0].Area.Points);
        Assert.Equal([new(0, 1), new(1, 1), new(0.5, 0.4)], settings.Zones[1].Area.Points);
        Assert.Equal(new MotionPoint(1, 0.1), Assert.Single(settings.Ignore).Points[2]);
    }

    [Theory]
    [InlineData("[0.5, 0.5, 0.6, 0.5]")]
    [InlineData("[0.5, 0.5, 0, 0.5]")]
    [InlineData("[0, 0, 1]")]
    [InlineData("[0, 0, 1, 1, 1]")]
    [InlineData("[[0, 0], [1, 1]]")]
    [InlineData("[[0, 0], [1, 1], [1, 1.1]]")]
    [InlineData("[[0, 0], [1, 1], [1]]")]
    [InlineData("[[0, 0], [1, 1], 1, [0, 1]]")]
    [InlineData("[0, 0, \"1\", 1]")]
    [InlineData("[0, 0, 1e999, 1]")]
    [InlineData("\"everywhere\"")]
    [InlineData("null")]
    public void An_area_that_is_none_is_refused_with_what_one_is(string area)
    {
        Read($$"""{ "ignore": [{{area}}] }""", out var problems);
        Assert.Contains("[left, top, width, height]", Assert.Single(problems), StringComparison.Ordinal);
        Assert.StartsWith("cameras.m.motion.ignore[0]: found ", problems[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "zones": { "a b": {} } }""", "cameras.m.motion.zones.a b: \"a b\" cannot be a name; use 1 to 20 letters, digits, '-' and '_'.")]
    [InlineData("""{ "zones": { "A-b": {}, "a_B": {} } }""", "cameras.m.motion.zones.a_B: its id would be that of zone \"A-b\"; choose another name.")]
    [InlineData("""{ "zones": { "Sensitivity": {} } }""", "cameras.m.motion.zones.Sensitivity: its id would be that of the camera's sensitivity; choose another name.")]
    [InlineData("""{ "zones": {} }""", "cameras.m.motion.zones: found an object; expected an object with at least one named entry.")]
    [InlineData("""{ "minimumArea": 0 }""", "cameras.m.motion.minimumArea: found the number 0; expected a number from 0.01 to 100.")]
    [InlineData("""{ "fps": 5 }""", "cameras.m.motion.fps: unknown key")]
    public void What_cannot_be_is_reported_where_it_is(string motion, string message)
    {
        Read(motion, out var problems);
        Assert.StartsWith(message, Assert.Single(problems), StringComparison.Ordinal);
    }
}
