using System.Globalization;
using System.Text;

namespace Agent.Devices.Pwm;

/// <summary>
/// The PWM chips as the kernel shows them (kernel document driver-api/pwm.rst, "Using PWMs with the sysfs interface"): one folder a chip,
/// one value a file.
/// </summary>
/// <param name="folder">Where the chips are.</param>
internal class PwmSysfs(string folder = PwmSysfs.DefaultFolder)
{
    internal const string DefaultFolder = "/sys/class/pwm";

    private const string ChipPrefix = "pwmchip";

    /// <summary>The folder of a chip, <c>null</c> if it is not there.</summary>
    /// <param name="chip">Its number, or the name of the device that it belongs to; a number is another chip's after some kernel updates.</param>
    public string? FindChip(string chip)
    {
        if (chip.All(char.IsAsciiDigit))
        {
            var numbered = Path.Combine(folder, ChipPrefix + chip);
            return Directory.Exists(numbered) ? numbered : null;
        }
        return ListChips().FirstOrDefault(path => DeviceOf(path) == chip);
    }

    /// <summary>Every chip in words, for messages.</summary>
    public string DescribeChips() => string.Join(", ", ListChips().Select(Describe));

    /// <summary>A chip's number with its device's name.</summary>
    public static string Describe(string chip) => $"{Path.GetFileName(chip)} ({DeviceOf(chip)})";

    /// <exception cref="SysfsException">The kernel or the file's permissions forbid it, or it is gone.</exception>
    public virtual string Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw SysfsException.Of("read", path, e);
        }
    }

    /// <exception cref="SysfsException">As for <see cref="Read"/>; EINVAL and EBUSY are a driver's way to refuse a value.</exception>
    public virtual void Write(string path, string value)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            RandomAccess.Write(file, Encoding.ASCII.GetBytes(value), 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw SysfsException.Of("write", path, e);
        }
    }

    public void Write(string path, long value) => Write(path, value.ToString(CultureInfo.InvariantCulture));

    private IEnumerable<string> ListChips() =>
        Directory.Exists(folder) ? Directory.EnumerateFileSystemEntries(folder, ChipPrefix + "*").OrderBy(path => path.Length).ThenBy(path => path, StringComparer.Ordinal) : [];

    /// <summary>Where the link <c>device</c> leads, such as <c>fe20c000.pwm</c>.</summary>
    private static string? DeviceOf(string chip) => Path.GetFileName(new FileInfo(Path.Combine(chip, "device")).LinkTarget);
}
