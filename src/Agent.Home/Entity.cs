namespace Agent.Home;

/// <summary>Where a smart home shows an entity.</summary>
public enum EntityCategory
{
    /// <summary>Among the things that the device is there for.</summary>
    Primary,
    /// <summary>Among its settings.</summary>
    Config,
    /// <summary>Among what tells how it is doing.</summary>
    Diagnostic,
}

/// <summary>
/// One thing about the device that a smart home can see or operate: the one model behind MQTT, Home Assistant discovery, the HTTP API and
/// the automations. Values travel as text; each kind of entity says which.
/// </summary>
/// <param name="Id">Part of topics and URLs, unique in the device: see <see cref="IsId"/>.</param>
/// <param name="Name">For people.</param>
public abstract record Entity(string Id, string Name)
{
    private const int MaximumIdLength = 64;

    public EntityCategory Category { get; init; }

    /// <summary>Home Assistant's device class for this kind of entity, such as <c>temperature</c> or <c>motion</c>.</summary>
    public string? DeviceClass { get; init; }

    /// <summary>A Material Design icon, such as <c>mdi:shield</c>, where the device class brings none.</summary>
    public string? Icon { get; init; }

    /// <summary>False for what most homes do not want to see.</summary>
    public bool IsEnabledByDefault { get; init; } = true;

    /// <summary>
    /// 1 to 64 lower-case letters, digits and '_'; <c>status</c>, <c>error</c>, <c>webrtc</c> and <c>response</c> are topics of their own.
    /// </summary>
    public static bool IsId(string text) =>
        text.Length is > 0 and <= MaximumIdLength && text.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_')
        && text is not ("status" or "error" or "webrtc" or "response");

    /// <summary>The canonical form of a command for this entity, or what is wrong with it and what would be right.</summary>
    /// <param name="command">As it came over MQTT, HTTP or from an automation.</param>
    /// <param name="value">Canonical, if the result is true.</param>
    /// <param name="problem">In words, if it is false.</param>
    public virtual bool TryRead(string command, out string value, out string problem)
    {
        value = "";
        problem = $"{Id} takes no commands";
        return false;
    }
}

/// <summary>A measured value: text, or a number with '.' as decimal point.</summary>
public sealed record SensorEntity(string Id, string Name) : Entity(Id, Name)
{
    /// <summary>As Home Assistant writes units: °C, %, hPa, lx, V, kbit/s …</summary>
    public string? Unit { get; init; }

    /// <summary><c>measurement</c>, <c>total</c>, <c>total_increasing</c>, or none for text.</summary>
    public string? StateClass { get; init; }

    /// <summary>Digits after the decimal point to show.</summary>
    public int? Precision { get; init; }

    /// <summary>What text values can be, for the device class <c>enum</c>.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];
}

/// <summary>A yes or no that the device senses: <c>ON</c> or <c>OFF</c>.</summary>
public sealed record BinarySensorEntity(string Id, string Name) : Entity(Id, Name);

/// <summary>Something that is on or off and can be switched: <c>ON</c> or <c>OFF</c>.</summary>
public sealed record SwitchEntity(string Id, string Name) : Entity(Id, Name)
{
    public const string On = "ON";
    public const string Off = "OFF";

    public override bool TryRead(string command, out string value, out string problem) => TryReadOnOff(Id, command, out value, out problem);

    internal static bool TryReadOnOff(string id, string command, out string value, out string problem)
    {
        value = command.Trim().ToUpperInvariant();
        problem = $"{id} takes {On} or {Off}, not \"{command}\"";
        return value is On or Off;
    }
}

/// <summary>A lamp. Its value is its brightness in percent, 0 when it is off; ON as a command means as bright as it was last.</summary>
public sealed record LightEntity(string Id, string Name) : Entity(Id, Name)
{
    public const int Brightest = 100;

    /// <summary>False for a lamp that knows only 0 and 100.</summary>
    public bool HasBrightness { get; init; }

    public override bool TryRead(string command, out string value, out string problem)
    {
        if (SwitchEntity.TryReadOnOff(Id, command, out value, out problem)) return true;
        value = command.Trim();
        problem = $"{Id} takes ON, OFF or a brightness from 0 to {Brightest}, not \"{command}\"";
        return int.TryParse(value, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var percent) && percent <= Brightest;
    }
}

/// <summary>A number that can be set, from Minimum to Maximum in steps of Step.</summary>
public sealed record NumberEntity(string Id, string Name, double Minimum, double Maximum, double Step = 1) : Entity(Id, Name)
{
    public string? Unit { get; init; }

    public override bool TryRead(string command, out string value, out string problem)
    {
        var invariant = System.Globalization.CultureInfo.InvariantCulture;
        problem = string.Create(invariant, $"{Id} takes a number from {Minimum} to {Maximum}, not \"{command}\"");
        var isNumber = double.TryParse(command, System.Globalization.NumberStyles.Float, invariant, out var number)
            && number >= Minimum && number <= Maximum;
        var steps = Math.Round((number - Minimum) / Step);
        value = isNumber ? Math.Round(Math.Min(Minimum + (steps * Step), Maximum), 9).ToString(invariant) : "";
        return isNumber;
    }
}

/// <summary>One of several words.</summary>
public sealed record SelectEntity(string Id, string Name, IReadOnlyList<string> Options) : Entity(Id, Name)
{
    public override bool TryRead(string command, out string value, out string problem)
    {
        value = Options.FirstOrDefault(option => option.Equals(command.Trim(), StringComparison.OrdinalIgnoreCase)) ?? "";
        problem = $"{Id} takes one of {string.Join(", ", Options)}, not \"{command}\"";
        return value.Length > 0;
    }
}

/// <summary>Something to be set off; it has no value, and any command presses it.</summary>
public sealed record ButtonEntity(string Id, string Name) : Entity(Id, Name)
{
    public const string Press = "PRESS";

    public override bool TryRead(string command, out string value, out string problem)
    {
        (value, problem) = (Press, "");
        return true;
    }
}

/// <summary>Something that happens: its value is the type of the last happening, and the same type twice is two happenings.</summary>
public sealed record EventEntity(string Id, string Name, IReadOnlyList<string> Types) : Entity(Id, Name);

/// <summary>A picture, JPEG; <see cref="IsLive"/> for the camera's present view, otherwise of something that happened.</summary>
public sealed record PictureEntity(string Id, string Name) : Entity(Id, Name)
{
    public bool IsLive { get; init; }
}

/// <summary>The version that is installed: its value is that version.</summary>
public sealed record UpdateEntity(string Id, string Name) : Entity(Id, Name);
