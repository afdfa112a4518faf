using Agent.Devices.Gpio;
using Agent.Interop.Gpio;
using GpioKey = Agent.Configuration.Key<Agent.Devices.Gpio.GpioOptions>;

namespace Agent.Configuration;

internal static partial class ConfigurationTable
{
    /// <summary>GPIO_MAX_NAME_SIZE of linux/gpio.h, less its NUL.</summary>
    private const int MaximumLineName = 31;

    private const int MaximumOffset = 1023;
    private const int MaximumMilliseconds = 60_000;
    private const int SecondsOfADay = 86_400;

    /// <summary>What Home Assistant knows (https://www.home-assistant.io/integrations/binary_sensor/#device-class) and a contact can be.</summary>
    private static string[] ContactClasses =>
    [
        "battery", "cold", "connectivity", "door", "garage_door", "gas", "heat", "light", "lock", "moisture", "motion", "occupancy", "opening", "plug", "power", "presence",
        "problem", "running", "safety", "smoke", "sound", "tamper", "vibration", "window",
    ];

    private static (string Word, GpioKind Kind)[] GpioKinds =>
    [
        ("motion", GpioKind.Motion), ("door", GpioKind.Door), ("window", GpioKind.Window), ("contact", GpioKind.Contact), ("button", GpioKind.Button),
        ("privacySwitch", GpioKind.PrivacySwitch), ("switch", GpioKind.Switch), ("relay", GpioKind.Relay), ("light", GpioKind.Light), ("irLed", GpioKind.IrLed),
        ("irCut", GpioKind.IrCut), ("pulse", GpioKind.Pulse),
    ];

    private static MapType<GpioOptions> GpioThings => new(
        new SectionType<GpioOptions>(
            new GpioOptions(), CheckGpio,
            GpioKey.Of("kind", "What is connected to the line.", new ChoiceType<GpioKind?>([.. GpioKinds.Select(kind => (kind.Word, (GpioKind?)kind.Kind))]),
                o => o.Kind == GpioKind.None ? null : o.Kind, (o, v) => o with { Kind = v ?? GpioKind.None }),
            GpioKey.Of("line", "The line by its name, such as \"GPIO17\", looked for on all chips.", GpioLineName, o => o.Line, (o, v) => o with { Line = v }),
            GpioKey.Of("chip", "The chip: its node (/dev/gpiochip0), its name or its label; needed with offset, and where several chips have a line of that name.",
                Text("a chip's node, name or label", IsWord), o => o.Chip, (o, v) => o with { Chip = v }),
            GpioKey.Of("offset", "The line by its number on the chip, from 0.", new OptionalType<int>(new IntegerType(0, MaximumOffset)), o => o.Offset, (o, v) => o with { Offset = v }),
            GpioKey.Of("outLine", "irCut on an H-bridge: the name of the line that moves the filter out; line then moves it in.", GpioLineName, o => o.OutLine, (o, v) => o with { OutLine = v }),
            GpioKey.Of("outOffset", "The same line by its number on the chip.", new OptionalType<int>(new IntegerType(0, MaximumOffset)), o => o.OutOffset, (o, v) => o with { OutOffset = v }),
            GpioKey.Of("activeLow", "Whether low is on; without it true for button and privacySwitch, which close to ground, and false for the rest.",
                new OptionalType<bool>(new BooleanType()), o => o.ActiveLow, (o, v) => o with { ActiveLow = v }),
            GpioKey.Of("bias", "The chip's own resistor; without it pull-down for motion, pull-up for other inputs, as-is for outputs.",
                new ChoiceType<GpioBias?>(("as-is", GpioBias.AsIs), ("pull-up", GpioBias.PullUp), ("pull-down", GpioBias.PullDown), ("disabled", GpioBias.Disabled)),
                o => o.Bias, (o, v) => o with { Bias = v }),
            GpioKey.Of("debounce", "Milliseconds that an input must keep a level to be believed; 0 believes at once.",
                new IntegerType(0, MaximumMilliseconds), o => o.Debounce, (o, v) => o with { Debounce = v }),
            GpioKey.Of("drive", "Which levels an output drives: both, low only (open-drain) or high only (open-source).",
                new ChoiceType<GpioDrive>(("push-pull", GpioDrive.PushPull), ("open-drain", GpioDrive.OpenDrain), ("open-source", GpioDrive.OpenSource)),
                o => o.Drive, (o, v) => o with { Drive = v }),
            GpioKey.Of("deviceClass", "contact only: what it tells, in Home Assistant's words.",
                new ChoiceType<string?>([.. ContactClasses.Select(word => (word, (string?)word))]), o => o.DeviceClass, (o, v) => o with { DeviceClass = v }),
            GpioKey.Of("longPress", "button only: milliseconds from which it is held.", new IntegerType(100, MaximumMilliseconds), o => o.LongPress, (o, v) => o with { LongPress = v }),
            GpioKey.Of("multiPress", "button only: milliseconds within which another press makes it double or triple; 0 knows single presses, at once.",
                new IntegerType(0, 5000), o => o.MultiPress, (o, v) => o with { MultiPress = v }),
            GpioKey.Of("repeat", "button only: milliseconds between the repetitions while it is held; 0 has none.",
                new IntegerType(0, MaximumMilliseconds), o => o.Repeat, (o, v) => o with { Repeat = v }),
            GpioKey.Of("cameras", "privacySwitch only: the cameras that it turns off; all without it.",
                new ListType<string>(new TextType<string>(NameInWords, (string text, out string value) => IsName(value = text), v => v, NamePattern), "an array of cameras' names"),
                o => o.Cameras, (o, v) => o with { Cameras = v }),
            GpioKey.Of("start", "What an output is at the start: as it was when the agent stopped (restore, which needs stateDirectory; without that as the line is), or off or on each time.",
                new ChoiceType<OutputAtStart>(("restore", OutputAtStart.Restore), ("off", OutputAtStart.Off), ("on", OutputAtStart.On)), o => o.Start, (o, v) => o with { Start = v }),
            GpioKey.Of("atStop", "What becomes of an output when the agent stops: off, on or keep.",
                new ChoiceType<OutputAtStop>(("off", OutputAtStop.Off), ("on", OutputAtStop.On), ("keep", OutputAtStop.Keep)), o => o.AtStop, (o, v) => o with { AtStop = v }),
            GpioKey.Of("maximumOn", "Seconds after which an output goes off by itself; 0 for never.", new IntegerType(0, SecondsOfADay), o => o.MaximumOn, (o, v) => o with { MaximumOn = v }),
            GpioKey.Of("interlock", "A word that outputs share of which one at a time may be on, such as the two directions of a motor.",
                Text("a word without control characters", IsWord), o => o.Interlock, (o, v) => o with { Interlock = v }),
            GpioKey.Of("pulse", "Milliseconds that the line of a pulse, or of an IR-cut filter's H-bridge, is on.",
                new IntegerType(1, MaximumMilliseconds), o => o.Pulse, (o, v) => o with { Pulse = v })),
        (o, name) => o with { Name = name }, EntityPattern, IsEntityName, EntityInWords);

    private static TextType<string?> GpioLineName =>
        Text($"a line's name of 1 to {MaximumLineName} characters, such as \"GPIO17\"", text => text.Length is > 0 and <= MaximumLineName);

    private static void CheckGpio(GpioOptions thing, string path, ConfigBinding binding)
    {
        if (thing.Kind == GpioKind.None)
        {
            binding.Report(path, $"needs kind, one of {string.Join(", ", GpioKinds.Select(kind => kind.Word))}.");
            return;
        }
        CheckGpioLine(thing.Line, thing.Offset, "line", "offset", thing.Chip, path, binding);
        if (thing.OutAddress is not null) CheckGpioLine(thing.OutLine, thing.OutOffset, "outLine", "outOffset", thing.Chip, path, binding);
        var isBridge = thing.OutAddress is not null;
        Only(thing.Kind == GpioKind.IrCut, "outLine", "outOffset");
        Only(thing.IsInput, "debounce");
        Only(!thing.IsInput, "drive");
        Only(thing.Kind == GpioKind.Contact, "deviceClass");
        Only(thing.Kind == GpioKind.Button, "longPress", "multiPress", "repeat");
        Only(thing.Kind == GpioKind.PrivacySwitch, "cameras");
        Only(thing.IsLatching || isBridge, "start");
        Only(thing.IsLatching, "atStop", "maximumOn", "interlock");
        Only(thing.Kind == GpioKind.Pulse || isBridge, "pulse");

        void Only(bool fits, params ReadOnlySpan<string> only)
        {
            if (fits) return;
            foreach (var key in only)
            {
                if (binding.IsSet($"{path}.{key}")) binding.Report($"{path}.{key}", $"does not go with {Array.Find(GpioKinds, kind => kind.Kind == thing.Kind).Word}{(isBridge ? " on an H-bridge" : "")}.");
            }
        }
    }

    private static void CheckGpioLine(string? line, int? offset, string lineKey, string offsetKey, string? chip, string path, ConfigBinding binding)
    {
        if (line is null && offset is null) binding.Report(path, $"needs {lineKey}, the line's name, or chip and {offsetKey}; 'camera-agent probe' lists them.");
        else if (line is not null && offset is not null) binding.Report($"{path}.{offsetKey}", $"set together with {path}.{lineKey}; remove one.");
        else if (offset is not null && chip is null) binding.Report($"{path}.{offsetKey}", $"needs {path}.chip as well.");
    }

    /// <summary>Between the things: each line is one's, interlocked outputs are not on together, and privacy switches know their cameras.</summary>
    private static void CheckGpioLines(AgentOptions options, string path, ConfigBinding binding)
    {
        var lines = new Dictionary<GpioAddress, string>();
        var isOn = new Dictionary<string, string>();
        foreach (var thing in options.Gpio)
        {
            var at = ConfigPath.Append(path, $"gpio.{thing.Name}");
            foreach (var (address, key) in new[] { (thing.Address, thing.Line is null ? "offset" : "line"), (thing.OutAddress, thing.OutLine is null ? "outOffset" : "outLine") })
            {
                if (address is not null && !lines.TryAdd(address, $"gpio.{thing.Name}")) binding.Report($"{at}.{key}", $"{address} is {lines[address]}'s already.");
            }
            if (options.PwmLights.Any(light => light.Name == thing.Name)) binding.Report(at, $"pwm has a \"{thing.Name}\" as well; rename one.");
            foreach (var camera in thing.Cameras.Where(name => options.Cameras.All(camera => camera.Name != name)))
            {
                binding.Report($"{at}.cameras", $"there is no camera \"{camera}\"; {ConfigPath.Suggest(camera, options.Cameras.Select(one => one.Name))}");
            }
            if (thing.Interlock is not { } interlock) continue;
            foreach (var (key, on) in new[] { ("start", thing.Start == OutputAtStart.On), ("atStop", thing.AtStop == OutputAtStop.On) })
            {
                if (on && !isOn.TryAdd($"{key} {interlock}", thing.Name)) binding.Report($"{at}.{key}", $"{isOn[$"{key} {interlock}"]} of the same interlock is on then already.");
            }
        }
    }
}
