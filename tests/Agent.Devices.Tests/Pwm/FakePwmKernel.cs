using System.Globalization;
using Agent.Devices.Pwm;
using Agent.Interop.Libc;

namespace Agent.Devices.Tests.Pwm;

/// <summary>
/// /sys/class/pwm as a folder of its own, with the rules of Linux 6.1's drivers/pwm/sysfs.c and core.c: after each write the period is not 0
/// and not below the duty cycle; and of the ABI document: polarity only while disabled. Every state that an output has had is kept.
/// </summary>
internal sealed class FakePwmKernel : PwmSysfs, IDisposable
{
    private readonly string _folder;

    public FakePwmKernel()
        : this(Directory.CreateTempSubdirectory("pwm-").FullName)
    {
    }

    private FakePwmKernel(string folder)
        : base(folder) => _folder = folder;

    /// <summary>Every accepted write to a channel, such as <c>duty_cycle=500</c>, of all channels.</summary>
    public List<string> Writes { get; } = [];

    /// <summary>errno for writes of attributes by name.</summary>
    public Dictionary<string, int> Refusals { get; } = [];

    /// <summary>Values of an exported channel.</summary>
    public string this[string chip, int channel, string attribute] => File.ReadAllText(Path.Combine(_folder, chip, $"pwm{channel}", attribute)).Trim();

    public bool IsExported(string chip, int channel) => Directory.Exists(Path.Combine(_folder, chip, $"pwm{channel}"));

    public string State(int channel, string chip = "pwmchip0") =>
        $"{this[chip, channel, "duty_cycle"]}/{this[chip, channel, "period"]} {this[chip, channel, "polarity"]} {(this[chip, channel, "enable"] == "1" ? "enabled" : "disabled")}";

    public FakePwmKernel Plug(string chip, string device, int channels = 2)
    {
        var path = Path.Combine(_folder, chip);
        Directory.CreateDirectory(path);
        Directory.CreateSymbolicLink(Path.Combine(path, "device"), $"../../../{device}");
        File.WriteAllText(Path.Combine(path, "npwm"), $"{channels}\n");
        File.WriteAllText(Path.Combine(path, "export"), "");
        File.WriteAllText(Path.Combine(path, "unexport"), "");
        return this;
    }

    public void Unplug(string chip) => Directory.Delete(Path.Combine(_folder, chip), recursive: true);

    public void Export(string chip, int channel, long period = 0, long duty = 0, string polarity = "normal", bool isEnabled = false)
    {
        var path = Path.Combine(_folder, chip, $"pwm{channel}");
        Directory.CreateDirectory(path);
        foreach (var (name, value) in new[] { ("period", $"{period}"), ("duty_cycle", $"{duty}"), ("polarity", polarity), ("enable", isEnabled ? "1" : "0") })
        {
            File.WriteAllText(Path.Combine(path, name), $"{value}\n");
        }
    }

    public override void Write(string path, string value)
    {
        var (parent, attribute) = (Path.GetDirectoryName(path)!, Path.GetFileName(path));
        if (Refusals.TryGetValue(attribute, out var errno)) throw Refuse(path, errno);
        if (!File.Exists(path)) throw Refuse(path, Errno.ENOENT);
        if (attribute is "export" or "unexport")
        {
            var channel = int.Parse(value, CultureInfo.InvariantCulture);
            var isExported = IsExported(Path.GetFileName(parent), channel);
            if (attribute == "export" == isExported) throw Refuse(path, isExported ? Errno.EBUSY : Errno.ENODEV);
            if (isExported) Directory.Delete(Path.Combine(parent, $"pwm{channel}"), recursive: true);
            else Export(Path.GetFileName(parent), channel);
            return;
        }
        string Now(string name) => attribute == name ? value : File.ReadAllText(Path.Combine(parent, name)).Trim();
        var period = long.Parse(Now("period"), CultureInfo.InvariantCulture);
        var wasEnabled = File.ReadAllText(Path.Combine(parent, "enable")).Trim() == "1";
        if (period == 0 || long.Parse(Now("duty_cycle"), CultureInfo.InvariantCulture) > period) throw Refuse(path, Errno.EINVAL);
        if (attribute == "polarity" && wasEnabled) throw Refuse(path, Errno.EBUSY);
        File.WriteAllText(path, $"{value}\n");
        Writes.Add($"{attribute}={value}");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static SysfsException Refuse(string path, int errno) => new("write", path, errno, "refused");
}
