using Agent.Interop.Gpio;
using Agent.Interop.Libc;
using Microsoft.Extensions.Logging;

namespace Agent.Devices.Gpio;

/// <summary>
/// A line that may be missing, taken or go away: it is looked for again, ever less often, and the log says once what is the matter and once
/// that it is mended. Owned by one thread.
/// </summary>
/// <param name="kernel">Has the chips.</param>
/// <param name="address">Which line.</param>
/// <param name="settings">How to use it.</param>
/// <param name="log">Says what is the matter.</param>
/// <param name="handOver">Of outputs: what to be from the first moment on, given what the line is, <c>null</c> if nobody drives it.</param>
internal sealed partial class GpioPort(IGpioKernel kernel, GpioAddress address, GpioLineSettings settings, ILogger log, Func<bool?, bool>? handOver = null)
{
    /// <summary>How often a line at rest is looked after: up to Linux 6.5 nobody is woken when a chip goes away.</summary>
    internal static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(2);

    private readonly ReopenDelay _delay = new();
    private IGpioLine? _line;
    private string _name = address.ToString();
    private string? _problem;
    private TimeSpan _retryAt;
    private uint _lastNumber;

    /// <summary>Whether the line is ours.</summary>
    public bool IsOpen => _line is not null;

    /// <summary>What the line is, or was when it was looked at last.</summary>
    public bool IsActive { get; private set; }

    /// <summary>Changes of an input that the kernel had no room for.</summary>
    public long EdgesLost { get; private set; }

    /// <summary>What the log has said.</summary>
    public string Problem => _problem ?? $"{address} is not open yet";

    /// <summary>Opens the line if it is time to, or sees whether it is still there and what it is.</summary>
    public bool Check(TimeSpan now)
    {
        if (_line is { } line) return Succeed(now, "GPIO_V2_LINE_GET_VALUES_IOCTL", line.Get(out var isActive), isActive);
        if (now < _retryAt) return false;
        try
        {
            Open();
        }
        catch (GpioException e)
        {
            Fail(now, e.Message);
            return false;
        }
        if (_problem is not null) LogBack(address);
        _problem = null;
        _delay.Reset();
        return true;
    }

    /// <summary>Drives an open output.</summary>
    public bool Set(bool isActive, TimeSpan now) => _line is { } line && Succeed(now, "GPIO_V2_LINE_SET_VALUES_IOCTL", line.Set(isActive), isActive);

    /// <summary>Takes an open input's changes, as <see cref="IGpioLine.Read"/>; none if that fails.</summary>
    public int Read(Span<GpioEdge> edges, TimeSpan now)
    {
        if (_line is not { } line) return 0;
        var errno = line.Read(edges, out var count);
        for (var i = 0; i < count; i++)
        {
            // Wraps as the kernel's number does.
            EdgesLost += edges[i].Number - _lastNumber - 1;
            _lastNumber = edges[i].Number;
        }
        return Succeed(now, "read", errno, count > 0 ? edges[count - 1].IsActive : IsActive) ? count : 0;
    }

    /// <summary>When to look for the line again.</summary>
    public TimeSpan RetryIn(TimeSpan now) => _retryAt > now ? _retryAt - now : TimeSpan.Zero;

    public void AddTo(GpioPoller poller) => _line?.AddTo(poller);

    /// <summary>Gives the line back; what becomes of its level is the driver's.</summary>
    public void Close()
    {
        _line?.Dispose();
        _line = null;
    }

    private void Open()
    {
        _name = address.ToString();
        var found = GpioLookup.Find(kernel, address);
        _name = found.ToString();
        using var chip = kernel.TryOpen(found.Path, out var errno) ?? throw Failure("open", errno);
        // Without a direction nothing changes about the line, and its level can be read.
        errno = chip.Request(found.Line.Offset, handOver is null ? settings : new(GpioDirection.AsIs) { IsActiveLow = settings.IsActiveLow }, out var line);
        if (errno == Errno.EBUSY)
        {
            var isKnown = chip.GetLine(found.Line.Offset, out var taken) == 0 && taken.Consumer.Length > 0;
            throw new GpioException($"{_name} is in use by {(isKnown ? $"\"{taken.Consumer}\"" : "the kernel")}: stop that, or take it out of the device tree");
        }
        if (line is null) throw Failure("GPIO_V2_GET_LINE_IOCTL", errno);
        _lastNumber = 0;
        errno = line.Get(out var isActive);
        var call = "GPIO_V2_LINE_GET_VALUES_IOCTL";
        if (errno == 0 && handOver is not null)
        {
            isActive = handOver(found.Line.IsOutput ? isActive : null);
            errno = line.Configure(settings with { IsActive = isActive });
            call = "GPIO_V2_LINE_SET_CONFIG_IOCTL";
        }
        if (errno != 0)
        {
            line.Dispose();
            throw Failure(call, errno);
        }
        (_line, IsActive) = (line, isActive);
    }

    private bool Succeed(TimeSpan now, string call, int errno, bool isActive)
    {
        if (errno == 0) IsActive = isActive;
        else Fail(now, Failure(call, errno).Message);
        return errno == 0;
    }

    private GpioException Failure(string call, int errno) => new($"{_name}: {GpioLookup.Explain(call, errno)}");

    private void Fail(TimeSpan now, string problem)
    {
        Close();
        _retryAt = now + _delay.Next();
        if (_problem != problem) LogProblem(problem);
        _problem = problem;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}. It is looked for again")]
    private partial void LogProblem(string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Address} can be used again")]
    private partial void LogBack(GpioAddress address);
}
