namespace Agent.Devices.Sensors;

/// <summary>
/// A 1-Wire thermometer of the kernel's w1_therm driver. The attribute <c>temperature</c> gives the value; two that can be mistakes, 0 °C of
/// a short circuit and 85 °C of a conversion that never was, count only if <c>w1_slave</c> shows that they are none.
/// </summary>
/// <param name="root">"/sys", or a test's folder.</param>
/// <param name="id">Such as 28-0123456789ab; <c>null</c> for the only one.</param>
internal sealed class W1Thermometer(string root, string? id) : ISensorSource
{
    /// <summary>What the DS18B20 and its kin can measure (data sheet, "Absolute maximum ratings").</summary>
    private const double Lowest = -55;
    private const double Highest = 125;

    private const double DegreesPerMillidegree = 1e-3;

    private readonly string _folder = Path.Combine(root, "bus/w1/devices");
    private SysfsAttribute? _temperature;
    private SysfsAttribute? _scratchpad;

    public SensorReading Read()
    {
        if (_temperature is null && _scratchpad is null && !TryOpen(out var failure)) return failure;
        var millidegrees = 0.0;
        if (_temperature is null || _temperature.TryReadNumber(out millidegrees, out failure))
        {
            var isDoubtful = _temperature is null || millidegrees is 0 or W1Scratchpad.PowerOnMillidegrees;
            if (!isDoubtful || TryReadScratchpad(out millidegrees, out failure)) return Judge(millidegrees * DegreesPerMillidegree);
        }
        Dispose();
        return failure;
    }

    public void Dispose()
    {
        _temperature?.Dispose();
        _scratchpad?.Dispose();
        _temperature = _scratchpad = null;
    }

    /// <summary>The folders of all thermometers.</summary>
    public static IEnumerable<string> FindAll(string root)
    {
        var folder = Path.Combine(root, "bus/w1/devices");
        return Directory.Exists(folder) ? Directory.EnumerateFileSystemEntries(folder, "??-*").Where(IsThermometer).Order(StringComparer.Ordinal) : [];
    }

    private static bool IsThermometer(string path) => File.Exists(Path.Combine(path, "temperature")) || File.Exists(Path.Combine(path, "w1_slave"));

    private static SensorReading Judge(double degrees) => degrees is >= Lowest and <= Highest
        ? SensorReading.Of(degrees)
        : SensorReading.Failed(FormattableString.Invariant($"the thermometer says {degrees} °C, and measures from {Lowest} to {Highest} only"));

    private bool TryReadScratchpad(out double millidegrees, out SensorReading failure)
    {
        millidegrees = double.NaN;
        if (_scratchpad is null)
        {
            failure = SensorReading.Failed($"{_temperature!.Path} says what thermometers say that have measured nothing");
            return false;
        }
        if (!_scratchpad.TryRead(out var text, out failure)) return false;
        if (W1Scratchpad.TryParse(text, out var scratchpad) is { } problem)
        {
            failure = SensorReading.Failed($"{_scratchpad.Path}: {problem}");
            return false;
        }
        if (scratchpad.IsPowerOnValue)
        {
            failure = SensorReading.Failed($"{_scratchpad.Path} says 85 °C, the power-on value: the thermometer measures nothing; is its supply good?");
            return false;
        }
        millidegrees = scratchpad.Millidegrees;
        return true;
    }

    private bool TryOpen(out SensorReading failure)
    {
        failure = default;
        var all = FindAll(root).ToList();
        var ids = string.Join(", ", all.Select(Path.GetFileName));
        if (id is null && all.Count > 1) failure = SensorReading.Failed($"there are several 1-Wire thermometers: write \"device\", one of {ids}");
        var path = id is null ? all.FirstOrDefault() : Path.Combine(_folder, id);
        if (path is null || !IsThermometer(path))
        {
            failure = SensorReading.Absent(ids.Length > 0
                ? $"there is no 1-Wire thermometer {id}; there are {ids}"
                : "there is no 1-Wire thermometer: is dtoverlay=w1-gpio set, the thermometer connected?");
        }
        if (failure.Problem is not null) return false;
        _temperature = Open(path!, "temperature");
        _scratchpad = Open(path!, "w1_slave");
        return true;
    }

    private static SysfsAttribute? Open(string folder, string attribute) => Path.Combine(folder, attribute) is var path && File.Exists(path) ? new SysfsAttribute(path) : null;
}
