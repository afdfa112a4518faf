namespace Agent.Devices.Sensors;

/// <summary>
/// A channel of an IIO device (kernel document ABI/testing/sysfs-bus-iio): its processed value if it has one, else (raw + offset) × scale.
/// </summary>
/// <param name="root">"/sys", or a test's folder.</param>
/// <param name="device">Which, <c>null</c> for the only one that has the channel.</param>
/// <param name="channel">What stands between <c>in_</c> and <c>_raw</c> or <c>_input</c>; with a label its type.</param>
/// <param name="label">The channel's label, or <c>null</c>.</param>
internal sealed class IioSensor(string root, string? device, string channel, string? label) : ISensorSource
{
    private const string Processed = "_input";
    private const string Raw = "_raw";

    private readonly SysfsDevices _devices = SysfsDevices.Iio(root);
    private readonly double _factor = FactorOf(channel);
    private SysfsAttribute? _value;
    private SysfsAttribute? _scale;
    private SysfsAttribute? _offset;

    public SensorReading Read()
    {
        if (_value is null && !TryOpen(out var failure)) return failure;
        var offset = 0.0;
        var scale = 1.0;
        if (_value!.TryReadNumber(out var value, out failure)
            && (_offset is null || _offset.TryReadNumber(out offset, out failure)) && (_scale is null || _scale.TryReadNumber(out scale, out failure)))
        {
            return SensorReading.Of((value + offset) * scale * _factor);
        }
        Dispose();
        return failure;
    }

    public void Dispose()
    {
        _value?.Dispose();
        _scale?.Dispose();
        _offset?.Dispose();
        _value = _scale = _offset = null;
    }

    /// <summary>Every channel of a device that can be read.</summary>
    public static IEnumerable<string> ChannelsOf(string device) =>
        from path in Directory.EnumerateFiles(device, "in_*").Order(StringComparer.Ordinal)
        let name = Path.GetFileName(path)["in_".Length..]
        let suffix = name.EndsWith(Processed, StringComparison.Ordinal) ? Processed : Raw
        where name.EndsWith(suffix, StringComparison.Ordinal) && (suffix == Processed || !File.Exists(AttributeOf(device, name[..^Raw.Length], Processed)))
        select name[..^suffix.Length];

    private static double FactorOf(string channel)
    {
        SensorQuantity.OfIio(channel, out var factor);
        return factor;
    }

    private static string AttributeOf(string device, string channel, string suffix) => Path.Combine(device, $"in_{channel}{suffix}");

    private static bool Has(string device, string channel) =>
        File.Exists(AttributeOf(device, channel, Processed)) || File.Exists(AttributeOf(device, channel, Raw));

    private string? FindChannel(string folder)
    {
        if (label is null) return Has(folder, channel) ? channel : null;
        return ChannelsOf(folder).FirstOrDefault(name => SensorQuantity.TypeOf(name) == SensorQuantity.TypeOf(channel)
            && SysfsDevices.ReadText(AttributeOf(folder, name, "_label")) == label);
    }

    private bool TryOpen(out SensorReading failure)
    {
        if (!_devices.TryFind(device, folder => FindChannel(folder) is not null, out var found, out failure)) return false;
        if (FindChannel(found) is not { } name)
        {
            var wanted = label is null ? $"channel {channel}" : $"{channel} channel labelled \"{label}\"";
            failure = SensorReading.Absent($"{SysfsDevices.Describe(found)} has no {wanted}; it has {string.Join(", ", ChannelsOf(found))}");
            return false;
        }
        if (File.Exists(AttributeOf(found, name, Processed)))
        {
            _value = new SysfsAttribute(AttributeOf(found, name, Processed));
            return true;
        }
        _value = new SysfsAttribute(AttributeOf(found, name, Raw));
        _scale = OpenShared(found, name, "_scale");
        _offset = OpenShared(found, name, "_offset");
        return true;
    }

    /// <summary>An attribute of the channel's own, or one that it shares with those of its kind: in_voltage0_scale or in_voltage_scale.</summary>
    private static SysfsAttribute? OpenShared(string device, string channel, string suffix)
    {
        var withoutNumbers = string.Concat(channel.Where(c => !char.IsAsciiDigit(c)));
        foreach (var name in new[] { channel, withoutNumbers, SensorQuantity.TypeOf(channel) })
        {
            if (File.Exists(AttributeOf(device, name, suffix))) return new SysfsAttribute(AttributeOf(device, name, suffix));
        }
        return null;
    }
}
