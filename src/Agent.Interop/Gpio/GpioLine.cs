using System.Runtime.InteropServices;
using Agent.Interop.Libc;
using static Agent.Interop.Gpio.GpioUapi;

namespace Agent.Interop.Gpio;

/// <summary>A change of an input.</summary>
/// <param name="Time">CLOCK_MONOTONIC since its zero, as the kernel saw it.</param>
/// <param name="IsActive">What it has become.</param>
/// <param name="Number">Counts the line's changes from 1; a gap is of changes that found the kernel's buffer full.</param>
public readonly record struct GpioEdge(TimeSpan Time, bool IsActive, uint Number);

/// <summary>A line that this process has; given back when disposed of. Methods return 0 or the errno. One thread at a time.</summary>
public interface IGpioLine : IDisposable
{
    /// <summary>Sets up the line anew, without letting go of it.</summary>
    int Configure(GpioLineSettings settings);

    int Get(out bool isActive);

    int Set(bool isActive);

    /// <summary>Takes changes that have happened, oldest first; waits for one if there is none, so <see cref="GpioPoller"/> is asked first.</summary>
    /// <param name="edges">Room for them.</param>
    /// <param name="count">How many there were.</param>
    int Read(Span<GpioEdge> edges, out int count);

    /// <summary>Has a poller wait for this line's changes; <see cref="GpioPoller.IsReady"/> goes by the order of these calls.</summary>
    void AddTo(GpioPoller poller);
}

/// <inheritdoc/>
public sealed unsafe class GpioLine : IGpioLine
{
    /// <summary>Bit masks of a request with a single line.</summary>
    internal const ulong Only = 1;

    private const int EventsAtOnce = 16;

    private readonly gpio_v2_line_event[] _events = new gpio_v2_line_event[EventsAtOnce];

    internal GpioLine(FileDescriptor descriptor) => Descriptor = descriptor;

    private FileDescriptor Descriptor { get; }

    public int Configure(GpioLineSettings settings)
    {
        var config = settings.ToConfig();
        return Syscalls.Ioctl(Descriptor, GPIO_V2_LINE_SET_CONFIG_IOCTL, ref config);
    }

    public int Get(out bool isActive)
    {
        var values = new gpio_v2_line_values { mask = Only };
        var errno = Syscalls.Ioctl(Descriptor, GPIO_V2_LINE_GET_VALUES_IOCTL, ref values);
        isActive = values.bits != 0;
        return errno;
    }

    public int Set(bool isActive)
    {
        var values = new gpio_v2_line_values { mask = Only, bits = isActive ? Only : 0 };
        return Syscalls.Ioctl(Descriptor, GPIO_V2_LINE_SET_VALUES_IOCTL, ref values);
    }

    public int Read(Span<GpioEdge> edges, out int count)
    {
        var wanted = Math.Min(edges.Length, _events.Length);
        nint length;
        fixed (gpio_v2_line_event* events = _events) length = Syscalls.read(Descriptor, events, (nuint)(wanted * sizeof(gpio_v2_line_event)));
        count = length < 0 ? 0 : (int)length / sizeof(gpio_v2_line_event);
        for (var i = 0; i < count; i++)
        {
            ref readonly var change = ref _events[i];
            var time = TimeSpan.FromTicks((long)(change.timestamp_ns / TimeSpan.NanosecondsPerTick));
            edges[i] = new GpioEdge(time, change.id == GPIO_V2_LINE_EVENT_RISING_EDGE, change.line_seqno);
        }
        return length < 0 ? Marshal.GetLastPInvokeError() : 0;
    }

    public void AddTo(GpioPoller poller) => poller.Add(Descriptor);

    public void Dispose() => Descriptor.Dispose();
}
