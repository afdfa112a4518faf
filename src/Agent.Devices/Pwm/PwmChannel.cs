using System.Globalization;
using Agent.Interop.Libc;

namespace Agent.Devices.Pwm;

/// <summary>A PWM output.</summary>
/// <param name="Chip">Its chip's number or the name of the chip's device.</param>
/// <param name="Channel">From 0.</param>
public sealed record PwmAddress(string Chip, int Channel)
{
    public override string ToString() => $"PWM channel {Channel} of chip \"{Chip}\"";
}

/// <summary>A channel cannot be used; the message names it and the mend.</summary>
/// <param name="message">For the user.</param>
/// <param name="isPending">It was exported just now, and udev may not have come to its files yet.</param>
internal sealed class PwmException(string message, bool isPending = false) : Exception(message)
{
    public bool IsPending => isPending;
}

/// <summary>One channel in sysfs. The kernel checks after each write that the period is not 0 and not below the duty cycle.</summary>
/// <param name="sysfs">Where it is.</param>
/// <param name="address">Which it is.</param>
/// <param name="period">Nanoseconds from pulse to pulse.</param>
/// <param name="isInverted">Whether a pulse is low.</param>
internal sealed class PwmChannel(PwmSysfs sysfs, PwmAddress address, long period, bool isInverted)
{
    internal const long NanosecondsPerSecond = 1_000_000_000;

    private const string ExportAttribute = "export";
    private const string Normal = "normal";
    private const string Inversed = "inversed";

    private string _chip = "";
    private string _folder = "";
    private string _name = address.ToString();
    private long _duty;
    private bool _isEnabled;
    private bool _isOurs;

    public PwmAddress Address => address;

    public long Period => period;

    /// <summary>False once the chip is gone, or somebody has unexported the channel.</summary>
    public bool IsThere => Directory.Exists(_folder);

    /// <summary>Exports the channel, or takes it as somebody has left it, and sets period and polarity; the output goes on as it is.</summary>
    /// <exception cref="PwmException">It is missing, taken or forbidden, or does not do these settings.</exception>
    public void Open()
    {
        _chip = sysfs.FindChip(address.Chip) ?? throw new PwmException(sysfs.DescribeChips() is { Length: > 0 } chips
            ? $"{address} is not there; there are {chips}: correct \"chip\", or enable the chip in the device tree"
            : $"{address} is not there, nor any other PWM chip: enable one in the device tree, as docs/pwm.md says");
        _name = $"PWM channel {address.Channel} of {PwmSysfs.Describe(_chip)}";
        _folder = Path.Combine(_chip, $"pwm{address.Channel}");
        Do(() =>
        {
            var count = int.Parse(sysfs.Read(Path.Combine(_chip, "npwm")), CultureInfo.InvariantCulture);
            if (address.Channel >= count) throw new PwmException($"{_name} is not there: the chip has {count}, from 0 on; correct \"channel\"");
            if (!IsThere) Export();
            Configure();
        });
    }

    /// <summary>Pulses of this length from now on.</summary>
    /// <param name="duty">Nanoseconds, at most <see cref="Period"/>.</param>
    public void Set(long duty) => Do(() =>
    {
        SetDuty(duty);
        if (_isEnabled) return;
        Write("enable", 1);
        _isEnabled = true;
    });

    /// <summary>No pulses, and the output at its inactive level.</summary>
    public void TurnOff()
    {
        // A disabled output is low on most chips, which is the active level of an inverted one.
        if (isInverted) Set(0);
        else Do(() =>
        {
            SetDuty(0);
            DisableNow();
        });
    }

    /// <summary>No signal at all: a servo lets go.</summary>
    public void Disable() => Do(DisableNow);

    /// <summary>Gives the channel back if it was exported here, unless it has to go on driving its output.</summary>
    public void Close()
    {
        if (_isOurs && !_isEnabled && IsThere) Do(() => sysfs.Write(Path.Combine(_chip, "unexport"), address.Channel));
        Forget();
    }

    /// <summary>The channel is not used any more, as when it is gone.</summary>
    public void Forget() => _isOurs = false;

    private void Export()
    {
        try
        {
            sysfs.Write(Path.Combine(_chip, ExportAttribute), address.Channel);
            _isOurs = true;
        }
        catch (SysfsException e) when (e.ErrorNumber == Errno.EBUSY && IsThere)
        {
            // Another program was faster.
        }
    }

    private void Configure()
    {
        var isEnabled = Read("enable") != "0";
        var polarity = isInverted ? Inversed : Normal;
        var turns = Read("polarity") != polarity;
        // Polarity can be changed while the channel is disabled only (kernel document ABI/testing/sysfs-class-pwm).
        if (turns && isEnabled)
        {
            Write("enable", 0);
            isEnabled = false;
        }
        _duty = long.Parse(Read("duty_cycle"), CultureInfo.InvariantCulture);
        if (Read("period") != period.ToString(CultureInfo.InvariantCulture))
        {
            if (_duty > period) SetDuty(0);
            Write("period", period);
        }
        // After the period: up to Linux 6.8 nothing can be set while that is 0.
        if (turns) sysfs.Write(Path.Combine(_folder, "polarity"), polarity);
        _isEnabled = isEnabled;
    }

    private void SetDuty(long duty)
    {
        if (duty == _duty) return;
        Write("duty_cycle", duty);
        _duty = duty;
    }

    private void DisableNow()
    {
        if (!_isEnabled) return;
        Write("enable", 0);
        _isEnabled = false;
    }

    private string Read(string attribute) => sysfs.Read(Path.Combine(_folder, attribute));

    private void Write(string attribute, long value) => sysfs.Write(Path.Combine(_folder, attribute), value);

    private void Do(Action act)
    {
        try
        {
            act();
        }
        catch (SysfsException e)
        {
            throw new PwmException($"{_name}: {Explain(e)}", _isOurs && e.ErrorNumber == Errno.EACCES);
        }
    }

    private string Explain(SysfsException e) => (e.ErrorNumber, e.Attribute) switch
    {
        _ when !Directory.Exists(_chip) => "the chip is gone",
        _ when _folder.Length > 0 && !IsThere && e.Attribute != ExportAttribute => "another program has unexported it",
        (Errno.EACCES, _) => $"{e.Message}; give the agent's user the right to write there, with the udev rule in docs/pwm.md",
        (Errno.EROFS, _) => $"{e.Message}; the service's unit must not set ProtectKernelTunables",
        (Errno.EBUSY, ExportAttribute) => $"{e.Message}; a driver of the kernel has it, /sys/kernel/debug/pwm says which: take that one out of the device tree",
        (Errno.EBUSY, _) => $"{e.Message}; channels of one chip may have to share a frequency: set the same for all of them",
        (Errno.EINVAL, "polarity") => $"{e.Message}; the chip cannot invert: remove \"inverted\"",
        (Errno.EINVAL or Errno.ERANGE, "period") => $"{e.Message}; the chip does not do {NanosecondsPerSecond / period} Hz: set another frequency",
        _ => e.Message,
    };
}
