namespace Agent.Devices.Sensors;

/// <summary>The devices of one class or bus in sysfs, such as iio:device0 and iio:device1, found by what stays the same.</summary>
/// <param name="folder">Where they are.</param>
/// <param name="prefix">What their folders' names begin with, before the number.</param>
/// <param name="what">For messages.</param>
internal sealed class SysfsDevices(string folder, string prefix, string what)
{
    public static SysfsDevices Iio(string root) => new(Path.Combine(root, "bus/iio/devices"), "iio:device", "IIO device");

    public static SysfsDevices Hwmon(string root) => new(Path.Combine(root, "class/hwmon"), "hwmon", "hwmon chip");

    /// <summary>Every device's folder in the order of the numbers.</summary>
    public IEnumerable<string> All => Directory.Exists(folder)
        ? Directory.EnumerateFileSystemEntries(folder, prefix + "*").OrderBy(path => path.Length).ThenBy(path => path, StringComparer.Ordinal)
        : [];

    /// <summary>Finds one device.</summary>
    /// <param name="wanted">Its name, label, number, parent's name or path in the device tree; <c>null</c> for the only one that will do.</param>
    /// <param name="willDo">Whether a device will do if none is named.</param>
    /// <param name="path">Its folder.</param>
    /// <param name="failure">Why there is none, if the result is false.</param>
    public bool TryFind(string? wanted, Func<string, bool> willDo, out string path, out SensorReading failure)
    {
        var found = All.Where(device => wanted is null ? willDo(device) : IsNamed(device, wanted)).Take(2).ToList();
        (path, failure) = (found.FirstOrDefault() ?? "", default);
        if (found.Count == 1) return true;
        var there = string.Join(", ", All.Select(Describe));
        failure = (found.Count, wanted) switch
        {
            (0, _) when there.Length == 0 => SensorReading.Absent($"there is no {what} at all: enable the sensor in the device tree, as docs/sensors.md says"),
            (0, null) => SensorReading.Absent($"no {what} has that channel; there are {there}"),
            (0, _) => SensorReading.Absent($"there is no {what} \"{wanted}\"; there are {there}"),
            (_, null) => SensorReading.Failed($"several have that channel: write \"device\", one of {there}"),
            _ => SensorReading.Failed($"several are called \"{wanted}\": write into \"device\" what stands in brackets, of {there}"),
        };
        return false;
    }

    /// <summary>What the driver calls it.</summary>
    public static string NameOf(string device) => ReadText(Path.Combine(device, "name"));

    /// <summary>The device that it belongs to, such as 1-0076, which is the same after each start; empty if it cannot be told.</summary>
    public static string ParentOf(string device)
    {
        var link = Path.Combine(device, "device");
        if (new FileInfo(link).LinkTarget is { } target) return Path.GetFileName(target);
        return Path.GetFileName(Path.GetDirectoryName(new FileInfo(device).LinkTarget)) ?? "";
    }

    public static string Describe(string device) => $"{NameOf(device)} ({(ParentOf(device) is { Length: > 0 } parent ? parent : Path.GetFileName(device))})";

    internal static string ReadText(string path)
    {
        using var attribute = new SysfsAttribute(path);
        return attribute.TryRead(out var text, out _) ? System.Text.Encoding.UTF8.GetString(text) : "";
    }

    private bool IsNamed(string device, string wanted)
    {
        var directory = Path.GetFileName(device);
        return wanted == directory || wanted == directory[prefix.Length..] || wanted == NameOf(device) || wanted == ReadText(Path.Combine(device, "label"))
            || wanted == ParentOf(device) || (wanted.StartsWith('/') && new FileInfo(Path.Combine(device, "of_node")).LinkTarget?.EndsWith(wanted, StringComparison.Ordinal) == true);
    }
}
