using Agent.Devices.Pwm;
using Agent.Home;
using LightKey = Agent.Configuration.Key<Agent.Devices.Pwm.PwmLightOptions>;

namespace Agent.Configuration;

internal static partial class ConfigurationTable
{
    private const string EntityPattern = "^[a-z0-9_]{1,64}$";
    private const string EntityInWords = "1 to 64 lower-case letters, digits and '_', but not status, error, webrtc or response";
    private const string ChipDescription =
        "The PWM chip: its number as in /sys/class/pwm, or better the name of the device that it belongs to, such as \"fe20c000.pwm\", which stays the same.";

    private const int MaximumPwmChannel = 63;

    /// <summary>Hertz: slower is seen to flicker by everything, faster is beyond what the chips and transistors of hobbyists do.</summary>
    private const int MaximumPwmFrequency = 100_000;

    private static TextType<string> PwmChip =>
        new("a chip's number or its device's name in quotes, such as \"0\" or \"fe20c000.pwm\"", (string text, out string value) => IsPwmChip(value = text), v => v, "^[^/\\s]+$");

    private static MapType<PwmLightOptions> PwmLights => new(
        new SectionType<PwmLightOptions>(
            new PwmLightOptions(), null,
            LightKey.Of("chip", ChipDescription, PwmChip, o => o.Chip, (o, v) => o with { Chip = v }),
            LightKey.Of("channel", "The channel of the chip, from 0.", new IntegerType(0, MaximumPwmChannel), o => o.Channel, (o, v) => o with { Channel = v }),
            LightKey.Of("frequency", "Hertz. Low ones flicker in the camera's picture, high ones are more than some transistors and drivers follow.",
                new IntegerType(1, MaximumPwmFrequency), o => o.Frequency, (o, v) => o with { Frequency = v }),
            LightKey.Of("inverted", "true for a light that is lit while the output is low.", new BooleanType(), o => o.IsInverted, (o, v) => o with { IsInverted = v }),
            LightKey.Of("minimumDuty", "Percent of the time that the output is on at the least brightness; what some lamps need to be lit at all.",
                new IntegerType(0, 99), o => o.MinimumDuty, (o, v) => o with { MinimumDuty = v }),
            LightKey.Of("gamma", "How brightness becomes light: half the brightness is 0.5 to the power of this of the light, which 2.2 makes look half as bright; 1 is even.",
                new DecimalType(1, 4), o => o.Gamma, (o, v) => o with { Gamma = v }),
            LightKey.Of("fade", "Milliseconds that a change takes; 0 changes at once.", new IntegerType(0, 60_000), o => o.Fade, (o, v) => o with { Fade = v }),
            LightKey.Of("start", "What the light is at the start: as it was when the agent stopped (restore, which needs stateDirectory), or off or on each time.",
                new ChoiceType<LightAtStart>(("restore", LightAtStart.Restore), ("off", LightAtStart.Off), ("on", LightAtStart.On)), o => o.Start, (o, v) => o with { Start = v }),
            LightKey.Of("atStop", "What becomes of it when the agent stops: off, on as bright as last, or keep.",
                new ChoiceType<LightAtStop>(("off", LightAtStop.Off), ("on", LightAtStop.On), ("keep", LightAtStop.Keep)), o => o.AtStop, (o, v) => o with { AtStop = v })),
        (o, name) => o with { Name = name }, EntityPattern, IsEntityName, EntityInWords);

    private static bool IsEntityName(string text) => Entity.IsId(text);

    private static bool IsPwmChip(string text) => text.Length > 0 && !text.Any(static c => c == '/' || char.IsWhiteSpace(c));

    /// <summary>Two things on one channel would undo each other's work.</summary>
    private static void CheckPwmChannels(AgentOptions options, string path, ConfigBinding binding)
    {
        var taken = new Dictionary<PwmAddress, string>();
        foreach (var light in options.PwmLights) Take(light.Address, $"pwm.{light.Name}");
        foreach (var panTilt in options.PanTilts)
        {
            Take(panTilt.Pan.Address, $"panTilt.{panTilt.Name}.pan");
            Take(panTilt.Tilt.Address, $"panTilt.{panTilt.Name}.tilt");
        }

        void Take(PwmAddress address, string by)
        {
            if (!taken.TryAdd(address, by)) binding.Report(ConfigPath.Append(path, $"{by}.channel"), $"chip \"{address.Chip}\", channel {address.Channel} is {taken[address]}'s already.");
        }
    }
}
