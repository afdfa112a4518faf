namespace Agent.Devices.Sensors;

/// <summary>A channel of a hardware monitoring chip (kernel document hwmon/sysfs-interface).</summary>
/// <param name="root">"/sys", or a test's folder.</param>
/// <param name="chip">Which, <c>null</c> for the only one that has the channel.</param>
/// <param name="channel">Type and number, such as <c>temp1</c>; with a label the type.</param>
/// <param name="label">The channel's label, or <c>null</c>.</param>
internal sealed class HwmonSensor(string root, string? chip, string channel, string? label) : ISensorSource
{
    private const string Label = "_label";

    private readonly SysfsDevices _chips = SysfsDevices.Hwmon(root);
    private readonly double _factor = FactorOf(channel);
    private SysfsAttribute? _value;
    private SysfsAttribute? _fault;

    public SensorReading Read()
    {
        if (_value is null && !TryOpen(out var failure)) return failure;
        var fault = 0.0;
        if ((_fault is null || _fault.TryReadNumber(out fault, out failure)) && _value!.TryReadNumber(out var value, out failure))
        {
            return fault == 0 ? SensorReading.Of(value * _factor) : SensorReading.Failed($"{_fault!.Path} says that the sensor is faulty: is it connected?");
        }
        Dispose();
        return failure;
    }

    public void Dispose()
    {
        _value?.Dispose();
        _fault?.Dispose();
        _value = _fault = null;
    }

    /// <summary>Every channel of a chip that can be read, with the attribute that holds its value.</summary>
    public static IEnumerable<(string Channel, string Path)> ChannelsOf(string chip) =>
        from path in Directory.EnumerateFiles(chip).Order(StringComparer.Ordinal)
        let name = Path.GetFileName(path)
        let bar = name.LastIndexOf('_')
        where bar > 0 && SensorQuantity.OfHwmon(name[..bar], out _) is not null
        // A chip that averages may have no momentary power.
        where name[bar..] == "_input" || (name[bar..] == "_average" && name.StartsWith("power", StringComparison.Ordinal) && !File.Exists(Path.Combine(chip, name[..bar] + "_input")))
        select (name[..bar], path);

    /// <summary>What a channel is called by its chip, empty if nothing.</summary>
    public static string LabelOf(string chip, string channel) => SysfsDevices.ReadText(Path.Combine(chip, channel + Label));

    private static double FactorOf(string channel)
    {
        SensorQuantity.OfHwmon(channel, out var factor);
        return factor;
    }

    private (string Channel, string Path) FindChannel(string folder) => ChannelsOf(folder).FirstOrDefault(entry =>
        label is null ? entry.Channel == channel : SensorQuantity.TypeOf(entry.Channel) == SensorQuantity.TypeOf(channel) && LabelOf(folder, entry.Channel) == label);

    private bool TryOpen(out SensorReading failure)
    {
        if (!_chips.TryFind(chip, folder => FindChannel(folder).Path is not null, out var found, out failure)) return false;
        var (name, path) = FindChannel(found);
        if (path is null)
        {
            var wanted = label is null ? $"channel {channel}" : $"{channel} channel labelled \"{label}\"";
            failure = SensorReading.Absent($"{SysfsDevices.Describe(found)} has no {wanted}; it has {string.Join(", ", ChannelsOf(found).Select(entry => entry.Channel))}");
            return false;
        }
        _value = new SysfsAttribute(path);
        var fault = Path.Combine(found, $"{name}_fault");
        _fault = File.Exists(fault) ? new SysfsAttribute(fault) : null;
        return true;
    }
}
