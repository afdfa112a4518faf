using System.Globalization;

namespace Agent.Home;

/// <summary>How the machine that the agent runs on is doing, as the kernel tells; each is <c>null</c> where it does not.</summary>
/// <param name="root">The file system's root.</param>
internal sealed class DeviceHealth(string root = "/")
{
    /// <summary>Zones of a thermal driver that measures the processor, the surest first: Raspberry Pi, Intel, and what other boards call it.</summary>
    private static readonly string[] ProcessorZones = ["cpu-thermal", "x86_pkg_temp", "cpu", "soc", "acpitz"];

    /// <summary>The hwmon driver raspberrypi-hwmon (kernel document hwmon/raspberrypi-hwmon.rst): in0_lcrit_alarm is 1 after under-voltage.</summary>
    private const string PowerSupervisor = "rpi_volt";

    private const string WirelessTable = "proc/net/wireless";

    private readonly string? _temperature = FindTemperature(root);
    private readonly string? _power = FindPower(root);

    /// <summary>The board has a sensor for its processor's temperature.</summary>
    public bool HasTemperature => _temperature is not null;

    /// <summary>The board watches its supply voltage; Raspberry Pis do.</summary>
    public bool HasPower => _power is not null;

    /// <summary>There was a wireless network adapter at the start.</summary>
    public bool HasWifi { get; } = FindWifi(root);

    /// <summary>Of the processor, °C.</summary>
    public double? ReadTemperature()
    {
        const double MilliDegrees = 1000;
        return _temperature is { } path && int.TryParse(ReadText(path), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value / MilliDegrees : null;
    }

    /// <summary>Whether the supply voltage was too low within the last two seconds, which is how often the driver asks the firmware.</summary>
    public bool? IsPowerLow() => _power is { } path && ReadText(path) is { } text ? text != "0" : null;

    /// <summary>
    /// Of the strongest connection, dBm. From the kernel's table for wireless extensions, which cfg80211 fills for all drivers but those of
    /// multi-link (Wi-Fi 7) adapters.
    /// </summary>
    public int? ReadWifiSignal()
    {
        int? best = null;
        foreach (var line in ReadLines(WirelessTable))
        {
            if (TryReadSignal(line, out var signal) && (best is null || signal > best)) best = signal;
        }
        return best;
    }

    /// <summary>Bytes that programs can have without swapping.</summary>
    public long? ReadMemoryAvailable()
    {
        const int Kibibyte = 1024;
        const string Name = "MemAvailable:";
        var line = ReadLines("proc/meminfo").FirstOrDefault(static line => line.StartsWith(Name, StringComparison.Ordinal));
        return line?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var number, "kB"]
            && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value * Kibibyte : null;
    }

    /// <summary>Bytes that can be written to the file system of a folder.</summary>
    public static long? ReadDiskFree(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A line of /proc/net/wireless: "wlan0: 0000   54.  -56.  -256 …"; a full stop marks what has been measured anew.</summary>
    internal static bool TryReadSignal(ReadOnlySpan<char> line, out int dbm)
    {
        const int LevelColumn = 2;
        dbm = 0;
        var colon = line.IndexOf(':');
        if (colon < 0) return false;
        var rest = line[(colon + 1)..];
        Span<Range> columns = stackalloc Range[LevelColumn + 2];
        if (rest.Split(columns, ' ', StringSplitOptions.RemoveEmptyEntries) <= LevelColumn) return false;
        // -256 and 0 stand for nothing measured (struct iw_quality without IW_QUAL_LEVEL_UPDATED).
        return int.TryParse(rest[columns[LevelColumn]].TrimEnd('.'), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out dbm) && dbm is < 0 and > -256;
    }

    private static string? FindTemperature(string root)
    {
        var folder = Path.Combine(root, "sys/class/thermal");
        if (!Directory.Exists(folder)) return null;
        var zones = Directory.EnumerateDirectories(folder, "thermal_zone*").OrderBy(static path => path.Length).ThenBy(static path => path, StringComparer.Ordinal)
            .Select(static path => (Path: path, Type: ReadText(Path.Combine(path, "type")) ?? "")).ToList();
        return ProcessorZones.SelectMany(wanted => zones.Where(zone => zone.Type.StartsWith(wanted, StringComparison.Ordinal)))
            .Select(static zone => Path.Combine(zone.Path, "temp")).FirstOrDefault(static path => ReadText(path) is not null);
    }

    private static string? FindPower(string root)
    {
        var folder = Path.Combine(root, "sys/class/hwmon");
        return !Directory.Exists(folder) ? null : Directory.EnumerateDirectories(folder)
            .Where(static path => ReadText(Path.Combine(path, "name")) == PowerSupervisor).Select(static path => Path.Combine(path, "in0_lcrit_alarm")).FirstOrDefault(File.Exists);
    }

    private static bool FindWifi(string root)
    {
        var folder = Path.Combine(root, "sys/class/net");
        return Directory.Exists(folder) && File.Exists(Path.Combine(root, WirelessTable))
            && Directory.EnumerateDirectories(folder).Any(static adapter => Directory.Exists(Path.Combine(adapter, "phy80211")));
    }

    private string[] ReadLines(string path) => ReadText(Path.Combine(root, path))?.Split('\n') ?? [];

    private static string? ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A driver without a value answers with an error, as does one that is going.
            return null;
        }
    }
}
