using System.Text;
using Agent.Configuration;
using Agent.Devices.Gpio;
using Agent.Interop.Gpio;

namespace Agent.Tests.Configuration;

public sealed class GpioConfigurationTests
{
    private static AgentOptions Read(string json, out string[] problems)
    {
        var options = ConfigurationLoader.Read(Encoding.UTF8.GetBytes(json), "agent.json", new Dictionary<string, string>(), out var found);
        problems = [.. found.Select(p => p.ToString())];
        return options;
    }

    [Fact]
    public void Things_on_lines_are_read()
    {
        var options = Read("""
            { "gpio": {
                "pir": { "kind": "motion", "line": "GPIO17" },
                "bell": { "kind": "button", "chip": "/dev/gpiochip0", "offset": 27, "longPress": 800, "multiPress": 0, "repeat": 250, "bias": "disabled", "activeLow": false, "debounce": 5 },
                "tank": { "kind": "contact", "line": "GPIO23", "deviceClass": "moisture" },
                "pump": { "kind": "relay", "line": "GPIO6", "activeLow": true, "drive": "open-drain", "start": "off", "atStop": "keep", "maximumOn": 600, "interlock": "water" },
                "ir_cut": { "kind": "irCut", "line": "GPIO24", "outLine": "GPIO25", "pulse": 150, "start": "on" },
                "gate": { "kind": "pulse", "line": "GPIO5", "pulse": 800 } } }
            """, out var problems);
        Assert.Empty(problems);
        Assert.Equal(
            [
                new GpioOptions { Name = "pir", Kind = GpioKind.Motion, Line = "GPIO17" },
                new GpioOptions
                {
                    Name = "bell", Kind = GpioKind.Button, Chip = "/dev/gpiochip0", Offset = 27, LongPress = 800, MultiPress = 0, Repeat = 250, Bias = GpioBias.Disabled,
                    ActiveLow = false, Debounce = 5,
                },
                new GpioOptions { Name = "tank", Kind = GpioKind.Contact, Line = "GPIO23", DeviceClass = "moisture" },
                new GpioOptions
                {
                    Name = "pump", Kind = GpioKind.Relay, Line = "GPIO6", ActiveLow = true, Drive = GpioDrive.OpenDrain, Start = OutputAtStart.Off, AtStop = OutputAtStop.Keep,
                    MaximumOn = 600, Interlock = "water",
                },
                new GpioOptions { Name = "ir_cut", Kind = GpioKind.IrCut, Line = "GPIO24", OutLine = "GPIO25", Pulse = 150, Start = OutputAtStart.On },
                new GpioOptions { Name = "gate", Kind = GpioKind.Pulse, Line = "GPIO5", Pulse = 800 },
            ],
            options.Gpio);
    }

    [Fact]
    public void A_privacy_switch_names_its_cameras()
    {
        var options = Read("""{ "cameras": { "porch": {}, "hall": {} }, "gpio": { "key": { "kind": "privacySwitch", "line": "GPIO12", "cameras": ["porch"] } } }""", out var problems);
        Assert.Empty(problems);
        Assert.Equal(["porch"], Assert.Single(options.Gpio).Cameras);
    }

    [Theory]
    [InlineData("""{ "gpio": { "a": { "line": "GPIO17" } } }""", "agent.json:1:18: gpio.a: needs kind, one of motion, door, window, contact, button, privacySwitch, switch, relay, light, irLed, irCut, pulse.")]
    [InlineData("""{ "gpio": { "a": { "kind": "door" } } }""", "agent.json:1:18: gpio.a: needs line, the line's name, or chip and offset; 'camera-agent probe' lists them.")]
    [InlineData("""{ "gpio": { "a": { "kind": "door", "offset": 3 } } }""", "agent.json:1:46: gpio.a.offset: needs gpio.a.chip as well.")]
    [InlineData("""{ "gpio": { "a": { "kind": "door", "line": "X", "offset": 3 } } }""", "agent.json:1:59: gpio.a.offset: set together with gpio.a.line; remove one.")]
    [InlineData("""{ "gpio": { "a": { "kind": "irCut", "line": "X", "outOffset": 3 } } }""", "agent.json:1:63: gpio.a.outOffset: needs gpio.a.chip as well.")]
    [InlineData("""{ "gpio": { "a": { "kind": "door", "line": "X", "atStop": "off" } } }""", "agent.json:1:59: gpio.a.atStop: does not go with door.")]
    [InlineData("""{ "gpio": { "a": { "kind": "relay", "line": "X", "debounce": 20 } } }""", "agent.json:1:62: gpio.a.debounce: does not go with relay.")]
    [InlineData("""{ "gpio": { "a": { "kind": "irCut", "line": "X", "outLine": "Y", "atStop": "on" } } }""", "agent.json:1:76: gpio.a.atStop: does not go with irCut on an H-bridge.")]
    [InlineData("""{ "gpio": { "a": { "kind": "irCut", "line": "X", "pulse": 100 } } }""", "agent.json:1:59: gpio.a.pulse: does not go with irCut.")]
    [InlineData("""{ "gpio": { "a": { "kind": "door", "line": "X", "deviceClass": "door" } } }""", "agent.json:1:64: gpio.a.deviceClass: does not go with door.")]
    [InlineData("""{ "gpio": { "a": { "kind": "door", "line": "X" }, "b": { "kind": "door", "line": "X" } } }""", "agent.json:1:82: gpio.b.line: GPIO line \"X\" is gpio.a's already.")]
    [InlineData("""{ "gpio": { "a": { "kind": "irCut", "line": "X", "outLine": "X" } } }""", "agent.json:1:61: gpio.a.outLine: GPIO line \"X\" is gpio.a's already.")]
    [InlineData("""{ "pwm": { "a": {} }, "gpio": { "a": { "kind": "door", "line": "X" } } }""", "agent.json:1:38: gpio.a: pwm has a \"a\" as well; rename one.")]
    [InlineData("""{ "gpio": { "a": { "kind": "privacySwitch", "line": "X", "cameras": ["mian"] } } }""", "agent.json:1:69: gpio.a.cameras: there is no camera \"mian\"; did you mean \"main\"?")]
    [InlineData("""{ "gpio": { "a": { "kind": "relay", "line": "X", "interlock": "m", "start": "on" }, "b": { "kind": "relay", "line": "Y", "interlock": "m", "start": "on" } } }""", "agent.json:1:149: gpio.b.start: a of the same interlock is on then already.")]
    public void What_is_wrong_is_said(string json, string expected)
    {
        Read(json, out var problems);
        Assert.Equal(expected, Assert.Single(problems));
    }
}
