using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Agent.Interop.Libc;
using static Agent.Interop.Gpio.GpioUapi;

namespace Agent.Interop.Gpio;

/// <summary>A chip of GPIO lines.</summary>
/// <param name="Name">The kernel's, as of its node: <c>gpiochip0</c>.</param>
/// <param name="Label">What its driver calls it: <c>pinctrl-bcm2711</c>.</param>
/// <param name="Lines">How many it has.</param>
public sealed record GpioChipInfo(string Name, string Label, int Lines);

/// <summary>One line of a chip.</summary>
/// <param name="Offset">From 0.</param>
/// <param name="Name">As the device tree names it, often empty.</param>
/// <param name="Consumer">Who uses it, where they have said.</param>
/// <param name="IsUsed">Whether it cannot be requested.</param>
/// <param name="IsOutput">Whether it is driven.</param>
public sealed record GpioLineInfo(int Offset, string Name, string Consumer, bool IsUsed, bool IsOutput);

/// <summary>An open chip. Methods return 0 or the errno.</summary>
public interface IGpioChip : IDisposable
{
    int GetInfo(out GpioChipInfo info);

    int GetLine(int offset, out GpioLineInfo info);

    /// <summary>Takes a line for this process; <paramref name="line"/> is <c>null</c> unless the result is 0.</summary>
    int Request(int offset, GpioLineSettings settings, out IGpioLine? line);
}

/// <summary>The chips of a machine.</summary>
public interface IGpioKernel
{
    /// <summary>Paths of nodes, in order; several can lead to one chip.</summary>
    IReadOnlyList<string> Paths { get; }

    /// <summary><c>null</c> and the errno of open(2) when that fails.</summary>
    IGpioChip? TryOpen(string path, out int errno);
}

/// <summary>The chips of this machine, at /dev/gpiochipN.</summary>
public sealed class GpioKernel : IGpioKernel
{
    private const string Prefix = "gpiochip";

    public IReadOnlyList<string> Paths => [.. Directory.EnumerateFileSystemEntries("/dev", Prefix + "*").Where(path => Number(path) >= 0).OrderBy(Number)];

    public IGpioChip? TryOpen(string path, out int errno) => GpioChip.TryOpen(path, out errno);

    private static int Number(string path) =>
        int.TryParse(Path.GetFileName(path.AsSpan())[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
}

/// <inheritdoc/>
public sealed unsafe class GpioChip : IGpioChip
{
    private const string Consumer = "camera-agent";

    /// <summary>Edges that wait in the kernel: about a second of a contact that bounces.</summary>
    private const int EventBufferSize = 64;

    private readonly FileDescriptor _descriptor;

    private GpioChip(FileDescriptor descriptor) => _descriptor = descriptor;

    /// <summary>Opens a node; <c>null</c> and the errno of open(2) when that fails.</summary>
    public static GpioChip? TryOpen(string path, out int errno)
    {
        var descriptor = Syscalls.open(path, Syscalls.O_RDWR | SpawnFunctions.O_CLOEXEC);
        errno = descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
        return errno == 0 ? new GpioChip(new FileDescriptor(descriptor)) : null;
    }

    public int GetInfo(out GpioChipInfo info)
    {
        gpiochip_info chip = default;
        var errno = Syscalls.Ioctl(_descriptor, GPIO_GET_CHIPINFO_IOCTL, ref chip);
        info = new GpioChipInfo(Text(chip.name), Text(chip.label), (int)chip.lines);
        return errno;
    }

    public int GetLine(int offset, out GpioLineInfo info)
    {
        var line = new gpio_v2_line_info { offset = (uint)offset };
        var errno = Syscalls.Ioctl(_descriptor, GPIO_V2_GET_LINEINFO_IOCTL, ref line);
        info = new GpioLineInfo(offset, Text(line.name), Text(line.consumer), (line.flags & GPIO_V2_LINE_FLAG_USED) != 0, (line.flags & GPIO_V2_LINE_FLAG_OUTPUT) != 0);
        return errno;
    }

    public int Request(int offset, GpioLineSettings settings, out IGpioLine? line)
    {
        var request = new gpio_v2_line_request { config = settings.ToConfig(), num_lines = 1, event_buffer_size = EventBufferSize };
        request.offsets[0] = (uint)offset;
        Encoding.ASCII.GetBytes(Consumer, new Span<byte>(request.consumer, GPIO_MAX_NAME_SIZE));
        var errno = Syscalls.Ioctl(_descriptor, GPIO_V2_GET_LINE_IOCTL, ref request);
        line = errno == 0 ? new GpioLine(new FileDescriptor(request.fd)) : null;
        return errno;
    }

    public void Dispose() => _descriptor.Dispose();

    private static string Text(byte* name)
    {
        var bytes = new ReadOnlySpan<byte>(name, GPIO_MAX_NAME_SIZE);
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
