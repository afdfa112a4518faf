using System.Text;
using Agent.Configuration;
using Agent.Devices.Pwm;

namespace Agent.Tests.Configuration;

public sealed class PwmConfigurationTests
{
    private static AgentOptions Read(string json, out string[] problems)
    {
        var options = ConfigurationLoader.Read(Encoding.UTF8.GetBytes(json), "agent.json", new Dictionary<string, string>(), out var found);
        problems = [.. found.Select(p => p.ToString())];
        return options;
    }

    [Fact]
    public void Lights_are_read()
    {
        var options = Read("""
            { "pwm": {
                "lamp": {},
                "ir_leds": { "chip": "fe20c000.pwm", "channel": 1, "frequency": 20000, "inverted": true, "minimumDuty": 5, "gamma": 1.8, "fade": 0, "start": "off", "atStop": "keep" } } }
            """, out var problems);
        Assert.Empty(problems);
        Assert.Equal(
            [
                new PwmLightOptions { Name = "lamp" },
                new PwmLightOptions
                {
                    Name = "ir_leds", Chip = "fe20c000.pwm", Channel = 1, Frequency = 20_000, IsInverted = true, MinimumDuty = 5, Gamma = 1.8, Fade = 0,
                    Start = LightAtStart.Off, AtStop = LightAtStop.Keep,
                },
            ],
            options.PwmLights);
    }

    [Theory]
    [InlineData("""{ "pwm": { "Lamp": {} } }""", "agent.json:1:12: pwm.Lamp: \"Lamp\" cannot be a name; use 1 to 64 lower-case letters, digits and '_', but not status, error, webrtc or response.")]
    [InlineData("""{ "pwm": { "status": {} } }""", "agent.json:1:12: pwm.status: \"status\" cannot be a name; use 1 to 64 lower-case letters, digits and '_', but not status, error, webrtc or response.")]
    [InlineData("""{ "pwm": { "lamp": { "gamma": 5 } } }""", "agent.json:1:31: pwm.lamp.gamma: found the number 5; expected a number from 1 to 4.")]
    [InlineData("""{ "pwm": { "lamp": { "gamma": "bright" } } }""", "agent.json:1:31: pwm.lamp.gamma: found \"bright\"; expected a number from 1 to 4.")]
    [InlineData("""{ "pwm": { "lamp": { "chip": "/sys" } } }""", "agent.json:1:30: pwm.lamp.chip: found \"/sys\"; expected a chip's number or its device's name in quotes, such as \"0\" or \"fe20c000.pwm\".")]
    [InlineData("""{ "pwm": { "lamp": { "chip": 0 } } }""", "agent.json:1:30: pwm.lamp.chip: found the number 0; expected a chip's number or its device's name in quotes, such as \"0\" or \"fe20c000.pwm\".")]
    [InlineData("""{ "pwm": { "a": { "channel": 1 }, "b": { "channel": 1 } } }""", "agent.json:1:53: pwm.b.channel: chip \"0\", channel 1 is pwm.a's already.")]
    public void What_is_wrong_is_said(string json, string expected)
    {
        Read(json, out var problems);
        Assert.Equal(expected, Assert.Single(problems));
    }
}
