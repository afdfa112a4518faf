using System.Runtime.InteropServices;
using Agent.Interop.Gpio;
using Agent.Interop.Libc;

namespace Agent.Devices.Gpio;

/// <summary>A line that has been found.</summary>
/// <param name="Path">Its chip's node.</param>
/// <param name="Chip">Its chip.</param>
/// <param name="Line">What it is.</param>
internal sealed record FoundLine(string Path, GpioChipInfo Chip, GpioLineInfo Line)
{
    public override string ToString() => $"GPIO line {Line.Offset}{(Line.Name.Length > 0 ? $" \"{Line.Name}\"" : "")} of {Path} ({Chip.Label})";
}

/// <summary>Finds lines on all chips.</summary>
internal static class GpioLookup
{
    /// <summary>Calls for each chip that can be opened, once even if several nodes lead to it.</summary>
    /// <param name="kernel">Has the chips.</param>
    /// <param name="visit">Gets the node's path, the chip and what it is; the chip is closed afterwards.</param>
    /// <returns>The nodes that cannot be opened, with the errno.</returns>
    public static List<(string Path, int Errno)> Visit(IGpioKernel kernel, Action<string, IGpioChip, GpioChipInfo> visit)
    {
        var closed = new List<(string, int)>();
        var seen = new HashSet<string>();
        foreach (var path in kernel.Paths)
        {
            using var chip = kernel.TryOpen(path, out var errno);
            GpioChipInfo? info = null;
            if (chip is null || (errno = chip.GetInfo(out info)) != 0) closed.Add((path, errno));
            // Raspberry Pi OS has links beside the nodes, for programs that go by an older kernel's numbers.
            else if (seen.Add(info!.Name)) visit(path, chip, info);
        }
        return closed;
    }

    /// <exception cref="GpioException">There is no such line, or there are several.</exception>
    public static FoundLine Find(IGpioKernel kernel, GpioAddress address)
    {
        var found = new List<FoundLine>();
        var chips = new List<string>();
        var hasChip = false;
        var closed = Visit(kernel, (path, chip, info) =>
        {
            chips.Add($"{path} ({info.Label}, {info.Lines} lines)");
            if (address.Chip is { } wanted && wanted != path && wanted != info.Name && wanted != info.Label && LinkTarget(wanted) != path) return;
            hasChip = true;
            for (var offset = address.Offset ?? 0; offset < info.Lines && (address.Offset is null || offset == address.Offset); offset++)
            {
                if (chip.GetLine(offset, out var line) == 0 && (address.Line is null || line.Name == address.Line)) found.Add(new FoundLine(path, info, line));
            }
        });
        if (found is [var one]) return one;
        if (found.Count > 1) throw new GpioException(
            $"{address} can be {string.Join(" or ", found)}: say which by \"chip\" with {(found.Select(line => line.Path).Distinct().Count() > 1 ? "its node's path" : "\"offset\" in place of \"line\"")}");
        if (closed.Find(node => node.Errno is Errno.EACCES) is { Path: { } denied })
            throw new GpioException($"{address} is not among the lines that may be used, and {denied} may not: add the agent's user to group gpio, as docs/gpio.md says");
        if (chips.Count == 0) throw new GpioException($"{address} is not there, nor any GPIO chip");
        throw new GpioException($"{address} is not there{(address.Chip is not null && !hasChip ? ", nor is the chip" : "")}; there are {string.Join(", ", chips)}: 'camera-agent probe' lists their lines");
    }

    /// <summary>What an errno of a chip or a line means.</summary>
    public static string Explain(string call, int errno) => errno switch
    {
        Errno.ENODEV => "the chip is gone",
        Errno.ENXIO => "the chip gives no interrupts, so that changes of its inputs go unseen: use a line of another chip, or connect the chip's interrupt",
        Errno.EINVAL => $"{call}: the driver does not do these settings",
        _ => $"{call}: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})",
    };

    /// <summary>Where a link such as /dev/expander, which udev makes, leads.</summary>
    private static string? LinkTarget(string path)
    {
        if (!path.StartsWith('/')) return null;
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName;
        }
        catch (IOException)
        {
            // Not there, as while the chip is away.
            return null;
        }
    }
}
