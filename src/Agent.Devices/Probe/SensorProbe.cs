using System.Globalization;
using Agent.Devices.Sensors;

namespace Agent.Devices.Probe;

/// <summary>Lists what the kernel's drivers measure, and the I2C buses; reads each value once and disturbs nobody.</summary>
public static class SensorProbe
{
    private const string BusPrefix = "i2c-";

    public static IReadOnlyList<SensorDeviceReport> Enumerate() => Enumerate(SensorSources.DefaultRoot);

    public static IReadOnlyList<I2cBusReport> EnumerateBuses() => EnumerateBuses(SensorSources.DefaultRoot);

    internal static IReadOnlyList<SensorDeviceReport> Enumerate(string root)
    {
        var iio = SysfsDevices.Iio(root).All.Select(device => Describe(root, device, SensorKind.Iio, IioSensor.ChannelsOf(device)
            .Select(channel => (channel, SysfsDevices.ReadText(Path.Combine(device, $"in_{channel}_label"))))));
        var hwmon = SysfsDevices.Hwmon(root).All.Select(chip => Describe(root, chip, SensorKind.Hwmon, HwmonSensor.ChannelsOf(chip)
            .Select(entry => (entry.Channel, HwmonSensor.LabelOf(chip, entry.Channel)))));
        var thermometers = W1Thermometer.FindAll(root).Select(path => Path.GetFileName(path))
            .Select(id => new SensorDeviceReport("w1", id, "", id, [Read(root, new SensorOptions { Kind = SensorKind.W1, Device = id }, "temp", "")]));
        return [.. iio.Concat(hwmon).Where(device => device.Channels.Count > 0), .. thermometers];
    }

    internal static IReadOnlyList<I2cBusReport> EnumerateBuses(string root)
    {
        var folder = Path.Combine(root, "class/i2c-dev");
        if (!Directory.Exists(folder)) return [];
        var devices = Path.Combine(root, "bus/i2c/devices");
        return
        [
            .. from path in Directory.EnumerateFileSystemEntries(folder, BusPrefix + "*")
               let number = Path.GetFileName(path)[BusPrefix.Length..]
               where int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out _)
               orderby number.Length, number
               select new I2cBusReport($"/dev/{BusPrefix}{number}", SysfsDevices.ReadText(Path.Combine(path, "name")),
               [
                   .. from device in Directory.Exists(devices) ? Directory.EnumerateFileSystemEntries(devices, $"{number}-*") : []
                      orderby device
                      select $"{SysfsDevices.ReadText(Path.Combine(device, "name"))} ({Path.GetFileName(device)})",
               ]),
        ];
    }

    private static SensorDeviceReport Describe(string root, string device, SensorKind kind, IEnumerable<(string Channel, string Label)> channels)
    {
        var folder = Path.GetFileName(device);
        var place = SysfsDevices.ParentOf(device);
        return new(kind == SensorKind.Iio ? "iio" : "hwmon", SysfsDevices.NameOf(device), place, folder,
            [.. channels.Select(entry => Read(root, new SensorOptions { Kind = kind, Device = folder, Channel = entry.Channel }, entry.Channel, entry.Label))]);
    }

    private static SensorChannelReport Read(string root, SensorOptions options, string channel, string label)
    {
        using var source = SensorSources.Make(options, root);
        var reading = source.Read();
        return new(channel, label, reading.Problem is null ? Math.Round(reading.Value, options.ShownPrecision) : null, options.ShownUnit ?? "", options.Quantity.DeviceClass, reading.Problem);
    }
}
