using System.Globalization;
using Agent.Devices.Probe;

namespace Agent.Devices.Sources;

/// <summary>Turns what somebody wrote for a control into a value that the control can take.</summary>
internal static class V4l2ControlWish
{
    private const int NamesSuggested = 3;

    /// <summary>False if the text is no value of this control.</summary>
    /// <param name="control">Its type, range and entries decide.</param>
    /// <param name="text">An integer (0x… for a bitmask), <c>true</c> or <c>false</c>, or a menu's entry by number or by name.</param>
    /// <param name="value">Within range and on a step.</param>
    /// <param name="message">What is wrong, or what was made of the wish; <c>null</c> if it is met as it is.</param>
    public static bool TryRead(ControlReport control, string text, out long value, out string? message)
    {
        message = null;
        var isNumber = TryParse(text, out value);
        switch (control.Type)
        {
            case "button":
                value = 1;
                return true;
            case "boolean" when bool.TryParse(text, out var isOn):
                value = isOn ? 1 : 0;
                return true;
            case "boolean" when isNumber && value is 0 or 1:
                return true;
            case "boolean":
                message = $"{control.Key}: found \"{text}\"; expected true or false";
                return false;
            case "menu":
                return TryChoose(control, text, isNumber ? value : null, out value, out message);
            case "integer" or "bitmask" when !isNumber:
                message = $"{control.Key}: found \"{text}\"; expected an integer {Range(control)}";
                return false;
            case "bitmask":
                var wished = value;
                value &= control.Maximum;
                message = value == wished ? null : $"{control.Key}: 0x{wished:x} has bits beyond 0x{control.Maximum:x}; set to 0x{value:x}";
                return true;
            case "integer":
                Clamp(control, ref value, out message);
                return true;
            default:
                message = $"{control.Key}: the agent cannot set this type of control";
                return false;
        }
    }

    /// <summary>What to say about a name that no control has.</summary>
    public static string Unknown(string name, IReadOnlyList<ControlReport> controls)
    {
        var nearest = controls.Select(control => control.Key).OrderBy(key => Distance(key, name)).Take(NamesSuggested).ToList();
        return $"{name}: the camera has no such control; "
            + (nearest.Count == 0 ? "it has none at all" : $"the nearest are {string.Join(", ", nearest)} ('camera-agent probe' lists all)");
    }

    private static bool TryParse(string text, out long value) =>
        text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
            : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    private static bool TryChoose(ControlReport control, string text, long? number, out long value, out string? message)
    {
        message = null;
        // The number comes first, as with v4l2-ctl: the entries of an integer menu have numbers for names.
        var chosen = control.Choices.FirstOrDefault(choice => choice.Value == number)
            ?? control.Choices.FirstOrDefault(choice => choice.Name.Equals(text, StringComparison.OrdinalIgnoreCase))
            ?? control.Choices.FirstOrDefault(choice => V4l2ControlAccess.Key(choice.Name) is { Length: > 0 } key && key == V4l2ControlAccess.Key(text));
        value = chosen?.Value ?? 0;
        if (chosen is null)
        {
            message = $"{control.Key}: found \"{text}\"; expected one of "
                + string.Join(", ", control.Choices.Select(choice => $"{choice.Value} ({choice.Name})"));
        }

        return chosen is not null;
    }

    private static void Clamp(ControlReport control, ref long value, out string? message)
    {
        var wished = value;
        var (step, inRange) = (Math.Max(control.Step, 1), Math.Clamp(value, control.Minimum, control.Maximum));
        // In 128 bits, since the range of a 64-bit control may be all of them.
        var steps = ((Int128)inRange - control.Minimum + (step / 2)) / step;
        var onStep = control.Minimum + (steps * step);
        value = (long)(onStep > control.Maximum ? onStep - step : onStep);
        message = value == wished ? null
            : $"{control.Key}: {wished} is {(wished == inRange ? "between the steps of" : "outside")} {Range(control)}; set to {value}";
    }

    private static string Range(ControlReport control) =>
        control.Type == "bitmask" ? $"from 0 to 0x{control.Maximum:x}"
        : $"{control.Minimum}..{control.Maximum}{(control.Step > 1 ? $" in steps of {control.Step}" : "")}";

    /// <summary>Levenshtein distance.</summary>
    private static int Distance(string a, string b)
    {
        var row = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
