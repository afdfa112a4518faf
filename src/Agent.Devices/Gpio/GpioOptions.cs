using Agent.Interop.Gpio;

namespace Agent.Devices.Gpio;

/// <summary>What is connected to a line.</summary>
public enum GpioKind
{
    /// <summary>Nothing said.</summary>
    None,
    Motion,
    Door,
    Window,
    Contact,
    Button,
    PrivacySwitch,
    Switch,
    Relay,
    Light,
    IrLed,
    IrCut,
    Pulse,
}

/// <summary>What an output is at the agent's start.</summary>
public enum OutputAtStart
{
    /// <summary>As it was.</summary>
    Restore,
    Off,
    On,
}

/// <summary>What becomes of an output when the agent stops.</summary>
public enum OutputAtStop
{
    Off,
    On,
    /// <summary>It stays as it is.</summary>
    Keep,
}

/// <summary>Something on a GPIO line.</summary>
public sealed record GpioOptions
{
    public string Name { get; init; } = "";

    public GpioKind Kind { get; init; }

    public string? Line { get; init; }

    public string? Chip { get; init; }

    public int? Offset { get; init; }

    /// <summary>The other line of an IR-cut filter's H-bridge, which takes the filter out; as <see cref="Line"/>.</summary>
    public string? OutLine { get; init; }

    /// <summary>As <see cref="OutLine"/>, on the same chip.</summary>
    public int? OutOffset { get; init; }

    /// <summary><c>null</c> for the kind's.</summary>
    public bool? ActiveLow { get; init; }

    /// <summary><c>null</c> for the kind's.</summary>
    public GpioBias? Bias { get; init; }

    public GpioDrive Drive { get; init; }

    /// <summary>Milliseconds.</summary>
    public int Debounce { get; init; } = 20;

    /// <summary>Home Assistant's class of a binary sensor, for contacts.</summary>
    public string? DeviceClass { get; init; }

    /// <summary>Milliseconds from which a button is held.</summary>
    public int LongPress { get; init; } = 600;

    /// <summary>Milliseconds from a button's release within which another press belongs to it; 0 knows single presses only.</summary>
    public int MultiPress { get; init; } = 300;

    /// <summary>Milliseconds between the repetitions of a held button; 0 has none.</summary>
    public int Repeat { get; init; }

    /// <summary>Cameras that a privacy switch turns off; empty for all.</summary>
    public IReadOnlyList<string> Cameras { get; init; } = [];

    public OutputAtStart Start { get; init; }

    public OutputAtStop AtStop { get; init; }

    /// <summary>Seconds after which an output goes off by itself; 0 for never.</summary>
    public int MaximumOn { get; init; }

    /// <summary>Of the outputs with the same word, one at a time can be on.</summary>
    public string? Interlock { get; init; }

    /// <summary>Milliseconds.</summary>
    public int Pulse { get; init; } = 300;

    public GpioAddress Address => new(Line, Chip, Offset);

    /// <summary>The H-bridge's other line; <c>null</c> without one.</summary>
    public GpioAddress? OutAddress => OutLine is null && OutOffset is null ? null : new(OutLine, Chip, OutOffset);

    public bool IsInput => Kind is GpioKind.Motion or GpioKind.Door or GpioKind.Window or GpioKind.Contact or GpioKind.Button or GpioKind.PrivacySwitch;

    /// <summary>Whether it stays on or off, as it was told last.</summary>
    public bool IsLatching => !IsInput && Kind != GpioKind.Pulse && OutAddress is null;

    internal GpioLineSettings Settings => new(IsInput ? GpioDirection.Input : GpioDirection.Output)
    {
        // A button closes to ground; so does a switch.
        IsActiveLow = ActiveLow ?? Kind is GpioKind.Button or GpioKind.PrivacySwitch,
        Bias = Bias ?? (!IsInput ? GpioBias.AsIs : Kind == GpioKind.Motion ? GpioBias.PullDown : GpioBias.PullUp),
        Drive = Drive,
        Debounce = IsInput ? TimeSpan.FromMilliseconds(Debounce) : TimeSpan.Zero,
    };
}
