using Agent.Devices.Sensors;

namespace Agent.Devices.Tests.Sensors;

/// <summary>/sys as a folder of its own, laid out as the kernel does: devices, and links to them from buses and classes.</summary>
internal sealed class FakeSysfs : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("sysfs-").FullName;

    /// <summary>Adds an IIO device; each attribute is a name and its content.</summary>
    /// <returns>Its folder.</returns>
    public string AddIio(int number, string name, string place, params (string Attribute, string Content)[] attributes)
    {
        var path = AddDevice($"devices/platform/{place}/iio:device{number}", [("name", name), .. attributes]);
        Link($"bus/iio/devices/iio:device{number}", $"../../../devices/platform/{place}/iio:device{number}");
        Link($"devices/platform/{place}/iio:device{number}/of_node", $"../../../../firmware/devicetree/base/soc/i2c@7e804000/{name}@{place[^2..]}");
        return path;
    }

    public string AddHwmon(int number, string name, string place, params (string Attribute, string Content)[] attributes)
    {
        var path = AddDevice($"devices/platform/{place}/hwmon/hwmon{number}", [("name", name), .. attributes]);
        Link($"class/hwmon/hwmon{number}", $"../../devices/platform/{place}/hwmon/hwmon{number}");
        Link($"devices/platform/{place}/hwmon/hwmon{number}/device", $"../../../{place}");
        return path;
    }

    public string AddThermometer(string id, params (string Attribute, string Content)[] attributes)
    {
        var path = AddDevice($"devices/w1_bus_master1/{id}", attributes);
        Link($"bus/w1/devices/{id}", $"../../../devices/w1_bus_master1/{id}");
        return path;
    }

    public void AddI2cBus(int number, string name, params (string Place, string Chip)[] chips)
    {
        AddDevice($"class/i2c-dev/i2c-{number}", [("name", name)]);
        foreach (var (place, chip) in chips) AddDevice($"bus/i2c/devices/{place}", [("name", chip)]);
    }

    public static void Set(string device, string attribute, string content) => File.WriteAllText(Path.Combine(device, attribute), content);

    public void RemoveIio(int number, string place)
    {
        File.Delete(Path.Combine(Root, $"bus/iio/devices/iio:device{number}"));
        Directory.Delete(Path.Combine(Root, $"devices/platform/{place}"), recursive: true);
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private string AddDevice(string path, IEnumerable<(string Attribute, string Content)> attributes)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Root, path)).FullName;
        foreach (var (attribute, content) in attributes) Set(folder, attribute, content);
        return folder;
    }

    private void Link(string path, string target)
    {
        var full = Path.Combine(Root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        Directory.CreateSymbolicLink(full, target);
    }
}

internal static class SensorReadingAssertions
{
    public static void Is(this SensorReading reading, double expected)
    {
        Assert.Null(reading.Problem);
        Assert.Equal(expected, reading.Value, 1e-6);
    }

    public static void Fails(this SensorReading reading, string problem, bool isAbsent)
    {
        Assert.NotNull(reading.Problem);
        Assert.Contains(problem, reading.Problem, StringComparison.Ordinal);
        Assert.Equal(isAbsent, reading.IsAbsent);
        Assert.True(double.IsNaN(reading.Value));
    }
}
