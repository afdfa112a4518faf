using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Agent.Devices.Sources;

namespace Agent.Devices.Probe;

/// <summary>A configuration that shows every camera the agent can use here.</summary>
public static class ConfigurationSuggestion
{
    /// <summary>Configuration keys take 64 characters; the rest is for a number.</summary>
    private const int LongestName = 60;

    /// <summary>JSON that <c>config check</c> accepts; an empty object, which means a test camera, if there is no usable camera.</summary>
    public static string Write(ProbeReport report)
    {
        var path = Environment.GetEnvironmentVariable("PATH");
        return Write(report, ExecutableFile.Find("rpicam-vid", path) is not null || ExecutableFile.Find("libcamera-vid", path) is not null);
    }

    /// <param name="report">What the machine has.</param>
    /// <param name="hasRpicam">Whether CSI cameras can be read through rpicam-vid or libcamera-vid.</param>
    internal static string Write(ProbeReport report, bool hasRpicam)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            var usable = report.Cameras.Where(camera => camera.Problem is null && camera.Formats.Any(format => format.IsUsable)).ToList();
            var csi = hasRpicam ? report.Cameras.Where(camera => camera.IsCsi && CsiCamera.IsReceiver(camera.Driver)).Select(camera => camera.Bus).Distinct().Count() : 0;
            if (usable.Count + csi > 0)
            {
                json.WriteStartObject("cameras");
                var names = new HashSet<string>();
                foreach (var camera in usable)
                {
                    WriteSource(json, Name(camera.Card, names), "v4l2", () => json.WriteString("path", camera.StablePath));
                }

                for (var index = 0; index < csi; index++)
                {
                    WriteSource(json, Name("csi", names), "rpicam", () => json.WriteNumber("camera", index));
                }

                json.WriteEndObject();
            }

            WriteSensors(json, report.Sensors);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

    /// <summary>Those that somebody has connected; hardware monitoring is mostly the board's own.</summary>
    private static void WriteSensors(Utf8JsonWriter json, IReadOnlyList<SensorDeviceReport> devices)
    {
        var found = devices.Where(device => device.Kind is "iio" or "w1").SelectMany(device => device.Channels, (device, channel) => (device, channel))
            .Where(entry => entry.channel.DeviceClass is not null).ToList();
        if (found.Count == 0) return;
        json.WriteStartObject("sensors");
        var names = new HashSet<string>();
        foreach (var (device, channel) in found)
        {
            var isThermometer = device.Kind == "w1";
            json.WriteStartObject(Name(isThermometer ? $"temperature {device.Name[^4..]}" : $"{device.Name} {channel.Channel}", names).Replace('-', '_'));
            json.WriteString("kind", device.Kind);
            // The name alone where it tells the device from the others.
            var isOnly = devices.Count(other => other.Kind == device.Kind && other.Name == device.Name) == 1;
            json.WriteString("device", isOnly ? device.Name : device.Place.Length > 0 ? device.Place : device.Node);
            if (!isThermometer) json.WriteString("channel", channel.Channel);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteSource(Utf8JsonWriter json, string name, string kind, Action writeWhich)
    {
        json.WriteStartObject(name);
        json.WriteStartObject("source");
        json.WriteString("kind", kind);
        writeWhich();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Made of what the camera calls itself; uvcvideo says it twice, with a colon between.</summary>
    private static string Name(string card, HashSet<string> taken)
    {
        var name = V4l2ControlAccess.Key(card.Split(':')[0]).Replace('_', '-');
        name = name.Length == 0 ? "camera" : name[..Math.Min(name.Length, LongestName)];
        var unique = name;
        for (var number = 2; !taken.Add(unique); number++)
        {
            unique = $"{name}-{number}";
        }

        return unique;
    }
}
