using System.Globalization;
using Agent.Devices.Probe;

namespace Agent.CommandLine;

/// <summary>What the machine has, for people.</summary>
internal static class ProbeText
{
    public static void Write(ProbeReport report, TextWriter output)
    {
        output.WriteLine(report.Cameras.Count == 0 ? "No cameras: no /dev/video node captures. Is the cable in, the overlay loaded?" : "Cameras");
        foreach (var camera in report.Cameras)
        {
            output.WriteLine(camera.Card.Length == 0 ? $"  {camera.Path}" : $"  {camera.Path}  {camera.Card} ({camera.Driver}, {camera.Bus})");
            if (camera.Problem is { } problem)
            {
                output.WriteLine($"    {problem}");
            }

            foreach (var format in camera.Formats)
            {
                output.WriteLine($"    {format.FourCc}  {format.Description}{(format.IsUsable ? "" : " (the agent cannot use it)")}");
                foreach (var size in format.Sizes)
                {
                    output.WriteLine($"      {Describe(size)}");
                }
            }

            foreach (var control in camera.Controls)
            {
                output.WriteLine($"    {Describe(control)}");
            }
        }

        output.WriteLine(report.Encoders.Count == 0 ? "No H.264 encoders: install libavcodec (Debian: libavcodec59 or libavcodec61)." : "H.264 encoders");
        foreach (var encoder in report.Encoders)
        {
            output.WriteLine($"  {encoder.Name} ({encoder.Kind}{(encoder.Path is { } path ? $", {path}" : "")})");
        }

        WriteSensors(report, output);
        WriteGpio(report, output);
        output.WriteLine("Configuration for these cameras ('camera-agent probe --config' prints only this)");
        output.WriteLine(ConfigurationSuggestion.Write(report));
    }

    private static void WriteSensors(ProbeReport report, TextWriter output)
    {
        if (report.Sensors.Count > 0) output.WriteLine("Sensors");
        foreach (var device in report.Sensors)
        {
            var where = device.Kind == "w1" ? "" : $" ({(device.Place.Length > 0 ? device.Place : device.Node)})";
            output.WriteLine($"  {device.Kind} {device.Name}{where}: {string.Join(", ", device.Channels.Select(Describe))}");
        }

        if (report.I2cBuses.Count > 0) output.WriteLine("I2C buses");
        foreach (var bus in report.I2cBuses)
        {
            output.WriteLine($"  {bus.Path}  {bus.Name}{(bus.Devices.Count > 0 ? $": {string.Join(", ", bus.Devices)}" : "")}");
        }
    }

    private static string Describe(SensorChannelReport channel)
    {
        var label = channel.Label.Length > 0 ? $" \"{channel.Label}\"" : "";
        return channel.Value is { } value
            ? string.Create(CultureInfo.InvariantCulture, $"{channel.Channel}{label} {value} {channel.Unit}").TrimEnd()
            : $"{channel.Channel}{label} ({channel.Problem})";
    }

    private static void WriteGpio(ProbeReport report, TextWriter output)
    {
        if (report.GpioChips.Count > 0) output.WriteLine("GPIO chips: offset and name of each line, and in brackets who uses it");
        foreach (var chip in report.GpioChips)
        {
            output.WriteLine(chip.Problem is { } problem ? $"  {chip.Path}  {problem}" : $"  {chip.Path}  {chip.Label} ({chip.Lines.Count} lines)");
            WriteLines(chip.Lines, output);
        }
    }

    /// <summary>As many in a row as a terminal shows; those of which there is nothing to tell as ranges.</summary>
    private static void WriteLines(IReadOnlyList<GpioLineReport> lines, TextWriter output)
    {
        const string Indentation = "    ";
        const int Width = 100;
        var row = "";
        for (var i = 0; i < lines.Count; i++)
        {
            var (first, last) = (i, i);
            while (IsPlain(lines[first]) && last + 1 < lines.Count && IsPlain(lines[last + 1])) last++;
            i = last;
            var line = lines[first];
            var text = $"{line.Offset}{(last > first ? $"-{lines[last].Offset}" : "")}{(line.Name.Length > 0 ? $" {line.Name}" : "")}{(line.UsedBy is { } user ? $" ({user})" : "")}";
            if (row.Length > 0 && row.Length + text.Length > Width)
            {
                output.WriteLine($"{Indentation}{row.TrimEnd()}");
                row = "";
            }

            row += last + 1 < lines.Count ? $"{text}, " : text;
        }

        if (row.Length > 0)
        {
            output.WriteLine($"{Indentation}{row}");
        }

        static bool IsPlain(GpioLineReport line) => line is { Name: "", UsedBy: null };
    }

    private static string Describe(ControlReport control)
    {
        var values = control.Type switch
        {
            "boolean" => "true or false",
            "menu" => string.Join(", ", control.Choices.Select(choice => $"{choice.Value} {choice.Name}")),
            "button" => "pressed when set",
            "bitmask" => $"bits of 0x{control.Maximum:x}",
            _ => $"{control.Minimum}..{control.Maximum}{(control.Step > 1 ? $" in steps of {control.Step}" : "")}",
        };
        var text = control.Type == "button" ? $"{control.Key}: {values}" : $"{control.Key} = {Value(control, control.Value)} (default {Value(control, control.Default)}): {values}";
        return control.Obstacle is { } obstacle ? $"{text}; {obstacle}" : text;
    }

    private static string Value(ControlReport control, long? value) =>
        value is null ? "?" : control.Type == "boolean" ? (value != 0 ? "true" : "false") : $"{value}";

    private static string Describe(SizeReport size)
    {
        var isRange = (size.Width, size.Height) != (size.MaxWidth, size.MaxHeight);
        var picture = isRange ? $"{size.Width}x{size.Height} to {size.MaxWidth}x{size.MaxHeight}" : $"{size.Width}x{size.Height}";
        var rates = string.Join(", ", size.FrameRates.Select(r => r.ToString("0.##", CultureInfo.InvariantCulture)));
        return rates.Length == 0 ? picture : $"{picture} at {rates} fps";
    }
}
