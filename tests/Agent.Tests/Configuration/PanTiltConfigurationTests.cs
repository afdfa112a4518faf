using System.Text;
using Agent.Configuration;
using Agent.Devices.Pwm;

namespace Agent.Tests.Configuration;

public sealed class PanTiltConfigurationTests
{
    private static AgentOptions Read(string json, out string[] problems)
    {
        var options = ConfigurationLoader.Read(Encoding.UTF8.GetBytes(json), "agent.json", new Dictionary<string, string>(), out var found);
        problems = [.. found.Select(p => p.ToString())];
        return options;
    }

    [Fact]
    public void Pan_and_tilt_are_read_and_have_channels_of_their_own_without_a_word()
    {
        var options = Read("""
            { "panTilt": {
                "yard": {},
                "porch": {
                  "tilt": { "chip": "fe20c000.pwm" },
                  "pan": { "chip": "fe20c000.pwm", "channel": 0, "minimumPulse": 550, "centrePulse": 1480, "maximumPulse": 2400, "range": 180, "inverted": true,
                           "minimumAngle": -80, "maximumAngle": 70.5, "speed": 40, "acceleration": 90 },
                  "home": { "pan": 10 }, "presets": { "front_door": { "pan": -20, "tilt": 15 } }, "start": "keep", "atStop": "hold", "releaseAfter": 1500 } } }
            """, out var problems);
        Assert.Empty(problems);
        Assert.Equal((0, 1), (options.PanTilts[0].Pan.Channel, options.PanTilts[0].Tilt.Channel));
        var porch = options.PanTilts[1];
        Assert.Equal(
            new ServoOptions
            {
                Chip = "fe20c000.pwm", MinimumPulse = 550, CentrePulse = 1480, MaximumPulse = 2400, Range = 180, IsInverted = true,
                MinimumAngle = -80, MaximumAngle = 70.5, Speed = 40, Acceleration = 90,
            },
            porch.Pan);
        Assert.Equal([new PanTiltPreset("front_door", new(-20, 15))], porch.Presets);
        Assert.Equal(
            ("porch", new PanTiltAngles(10, 0), PanTiltAtStart.Keep, ServosAtStop.Hold, 1500), (porch.Name, porch.Home, porch.Start, porch.AtStop, porch.ReleaseAfter));
    }

    [Theory]
    [InlineData("""{ "panTilt": { "Yard": {} } }""", "panTilt.Yard: \"Yard\" cannot be a name; use 1 to 24 lower-case letters, digits and '_'.")]
    [InlineData("""{ "panTilt": { "a": { "pan": { "minimumPulse": 400 } } } }""", "panTilt.a.pan.minimumPulse: found the number 400; expected an integer from 500 to 2500.")]
    [InlineData("""{ "panTilt": { "a": { "pan": { "maximumPulse": 1500 } } } }""", "panTilt.a.pan.centrePulse: 1500 µs has to be between minimumPulse, 1000, and maximumPulse, 1500; \"inverted\" turns a servo round.")]
    [InlineData("""{ "panTilt": { "a": { "tilt": { "maximumAngle": 46 } } } }""", "panTilt.a.tilt.maximumAngle: 46° is beyond half of range, 45°.")]
    [InlineData("""{ "panTilt": { "a": { "tilt": { "minimumAngle": -45.5 } } } }""", "panTilt.a.tilt.minimumAngle: -45.5° is beyond half of range, -45°.")]
    [InlineData("""{ "panTilt": { "a": { "tilt": { "minimumAngle": 5, "maximumAngle": 5 } } } }""", "panTilt.a.tilt.minimumAngle: 5° has to be less than maximumAngle, 5°.")]
    [InlineData("""{ "panTilt": { "a": { "tilt": { "minimumAngle": 5 }, "home": { "tilt": 4.5 } } } }""", "panTilt.a.home.tilt: 4.5° is not within 5° to 45°, where the servo may go.")]
    [InlineData("""{ "panTilt": { "a": { "presets": { "door": { "pan": 50 } } } } }""", "panTilt.a.presets.door.pan: 50° is not within -45° to 45°, where the servo may go.")]
    [InlineData("""{ "panTilt": { "a": { "presets": { "home": {} } } } }""", "panTilt.a.presets.home: is panTilt.a.home, beside the presets.")]
    [InlineData("""{ "panTilt": { "a": { "tilt": { "channel": 0 } } } }""", "panTilt.a.tilt.channel: chip \"0\", channel 0 is panTilt.a.pan's already.")]
    [InlineData("""{ "pwm": { "lamp": { "channel": 1 } }, "panTilt": { "a": {} } }""", "panTilt.a.tilt.channel: chip \"0\", channel 1 is pwm.lamp's already.")]
    public void What_is_wrong_is_said(string json, string expected)
    {
        Read(json, out var problems);
        Assert.EndsWith(expected, Assert.Single(problems), StringComparison.Ordinal);
    }
}
