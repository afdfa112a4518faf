using System.Runtime.InteropServices;
using Agent.Devices.Gpio;
using Agent.Interop.Gpio;
using Agent.Interop.Libc;

namespace Agent.Devices.Probe;

/// <summary>Lists the GPIO chips of this machine with their lines; requests none.</summary>
internal static class GpioProbe
{
    public static IReadOnlyList<GpioChipReport> Enumerate(IGpioKernel kernel)
    {
        var chips = new List<GpioChipReport>();
        var closed = GpioLookup.Visit(kernel, (path, chip, info) =>
        {
            var lines = new List<GpioLineReport>();
            for (var offset = 0; offset < info.Lines; offset++)
            {
                if (chip.GetLine(offset, out var line) == 0) lines.Add(new GpioLineReport(offset, line.Name, line.IsUsed ? line.Consumer is { Length: > 0 } user ? user : "kernel" : null));
            }
            chips.Add(new GpioChipReport(path, info.Label, null, lines));
        });
        chips.AddRange(closed.Select(node => new GpioChipReport(node.Path, "", Problem(node.Errno), [])));
        return chips;
    }

    private static string Problem(int errno) =>
        errno == Errno.EACCES ? "permission denied: add the user to group gpio, as docs/gpio.md says" : $"cannot be opened: {Marshal.GetPInvokeErrorMessage(errno)}";
}
