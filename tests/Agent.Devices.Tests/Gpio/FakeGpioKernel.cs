using Agent.Interop.Gpio;
using Agent.Interop.Libc;

namespace Agent.Devices.Tests.Gpio;

/// <summary>
/// Chips and lines with the rules of Linux 6.1's gpiolib-cdev.c: a line is one owner's, a line without a direction can be read and stays as it
/// is, and nothing can be done with lines of a chip that is gone. Every level that a driven line has had is kept.
/// </summary>
internal sealed class FakeGpioKernel : IGpioKernel
{
    private readonly SortedDictionary<string, FakeChip> _chips = [];

    public IReadOnlyList<string> Paths => [.. _chips.Keys];

    /// <summary>errno of opening nodes by path.</summary>
    public Dictionary<string, int> Refusals { get; } = [];

    /// <summary>Nodes that lead to another's chip.</summary>
    public Dictionary<string, string> Links { get; } = [];

    public FakeLine this[string name] => _chips.Values.SelectMany(chip => chip.Lines).First(line => line.Name == name);

    public FakeGpioKernel Plug(string path, string label, params string[] lines)
    {
        _chips.Add(path, new FakeChip(Path.GetFileName(Links.GetValueOrDefault(path, path)), label, [.. lines.Select((name, offset) => new FakeLine(offset, name))]));
        return this;
    }

    /// <summary>The chip is gone, also for who has lines of it.</summary>
    public void Unplug(string path)
    {
        _chips.Remove(path, out var chip);
        foreach (var line in chip!.Lines) line.IsGone = true;
    }

    public IGpioChip? TryOpen(string path, out int errno)
    {
        errno = Refusals.GetValueOrDefault(path, _chips.ContainsKey(path) ? 0 : Errno.ENOENT);
        return errno == 0 ? _chips[path] : null;
    }

    private sealed class FakeChip(string name, string label, FakeLine[] lines) : IGpioChip
    {
        public FakeLine[] Lines => lines;

        public int GetInfo(out GpioChipInfo info)
        {
            info = new GpioChipInfo(name, label, lines.Length);
            return 0;
        }

        public int GetLine(int offset, out GpioLineInfo info)
        {
            info = null!;
            if (offset >= lines.Length) return Errno.EINVAL;
            var line = lines[offset];
            info = new GpioLineInfo(offset, line.Name, line.Consumer ?? "", line.Consumer is not null || line.IsRequested, line.IsOutput);
            return 0;
        }

        public int Request(int offset, GpioLineSettings settings, out IGpioLine? line)
        {
            line = null;
            var one = lines[offset];
            if (one.Consumer is not null || one.IsRequested) return Errno.EBUSY;
            if (one.Refusal != 0) return one.Refusal;
            one.Request();
            var errno = one.Configure(settings);
            line = one;
            return errno;
        }

        public void Dispose()
        {
        }
    }
}

/// <summary>One line; levels are physical: true is high.</summary>
internal sealed class FakeLine(int offset, string name) : IGpioLine
{
    private readonly Queue<GpioEdge> _edges = [];
    private uint _number;

    public int Offset => offset;

    public string Name => name;

    /// <summary>Another program, or a driver, that has it.</summary>
    public string? Consumer { get; set; }

    /// <summary>errno of a request.</summary>
    public int Refusal { get; set; }

    public bool IsGone { get; set; }

    public bool IsRequested { get; private set; }

    public bool IsOutput { get; set; }

    public bool IsHigh { get; set; }

    public GpioLineSettings Settings { get; private set; }

    /// <summary>Every level that an owner has driven it to.</summary>
    public List<bool> Driven { get; } = [];

    public Action<bool>? BeforeDrive { get; set; }

    private int Errno => IsGone ? Agent.Interop.Libc.Errno.ENODEV : 0;

    public void Request() => (IsRequested, _number) = (true, 0);

    /// <summary>What is connected to an input changes it.</summary>
    public void Become(bool isHigh, TimeSpan time)
    {
        IsHigh = isHigh;
        if (IsRequested && Settings.Direction == GpioDirection.Input) _edges.Enqueue(new GpioEdge(time, isHigh != Settings.IsActiveLow, ++_number));
    }

    /// <summary>Changes that the kernel has no room for.</summary>
    public void LoseEdges(uint count) => _number += count;

    public int Configure(GpioLineSettings settings)
    {
        if (IsGone) return Errno;
        Settings = settings;
        if (settings.Direction == GpioDirection.Output) Drive(settings.IsActive);
        IsOutput = settings.Direction switch { GpioDirection.Output => true, GpioDirection.Input => false, _ => IsOutput };
        return 0;
    }

    public int Get(out bool isActive)
    {
        isActive = IsHigh != Settings.IsActiveLow;
        return Errno;
    }

    public int Set(bool isActive)
    {
        if (!IsGone) Drive(isActive);
        return Errno;
    }

    public int Read(Span<GpioEdge> edges, out int count)
    {
        for (count = 0; count < edges.Length && _edges.TryDequeue(out var edge); count++) edges[count] = edge;
        return Errno;
    }

    public void AddTo(GpioPoller poller)
    {
    }

    public void Dispose() => IsRequested = false;

    private void Drive(bool isActive)
    {
        IsHigh = isActive != Settings.IsActiveLow;
        BeforeDrive?.Invoke(IsHigh);
        Driven.Add(IsHigh);
    }
}
