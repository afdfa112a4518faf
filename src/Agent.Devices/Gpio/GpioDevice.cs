using Agent.Interop.Gpio;

namespace Agent.Devices.Gpio;

/// <summary>
/// Something on one or several GPIO lines. Times are CLOCK_MONOTONIC since its zero, as the kernel stamps changes; every call is
/// <see cref="GpioThread"/>'s.
/// </summary>
public abstract class GpioDevice
{
    /// <summary>How often a line at rest is looked after: up to Linux 6.5 nobody is woken when a chip goes away.</summary>
    internal static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(2);

    private protected GpioDevice()
    {
    }

    /// <summary>Whether it can be used; it cannot before the first call of <see cref="Advance"/>.</summary>
    public event Action<bool>? AvailabilityChanged;

    public bool IsAvailable
    {
        get;
        private protected set
        {
            if (value == field) return;
            field = value;
            AvailabilityChanged?.Invoke(value);
        }
    }

    /// <summary>Does what is due.</summary>
    /// <returns>How long it can be left alone.</returns>
    internal abstract TimeSpan Advance(TimeSpan now);

    /// <summary>Leaves the lines as they are to be without the agent, and gives them back.</summary>
    internal abstract void Stop(TimeSpan now);
}

/// <summary>Something whose changes are waited for.</summary>
public abstract class GpioInput : GpioDevice
{
    private readonly GpioEdge[] _edges = new GpioEdge[16];
    private TimeSpan _checkAt;
    private long _edgeCount;
    private long _edgesLost;

    private protected GpioInput(GpioPort port) => Port = port;

    /// <summary>Changes seen; any thread.</summary>
    public long Edges => Interlocked.Read(ref _edgeCount);

    /// <summary>Changes that the kernel had no room for; any thread.</summary>
    public long EdgesLost => Interlocked.Read(ref _edgesLost);

    internal GpioPort Port { get; }

    internal sealed override TimeSpan Advance(TimeSpan now)
    {
        if (now >= _checkAt || !Port.IsOpen)
        {
            var isNew = !Port.IsOpen;
            if (!Port.Check(now)) return Lose(now);
            if (isNew) Begin(Port.IsActive);
            // What no change told of, if ever.
            else Change(Port.IsActive, now);
            IsAvailable = true;
            _checkAt = now + CheckInterval;
        }
        var due = Continue(now);
        return due < _checkAt - now ? due : _checkAt - now;
    }

    /// <summary>Takes the changes that the poller has seen.</summary>
    internal void Read(TimeSpan now)
    {
        var count = Port.Read(_edges, now);
        Interlocked.Add(ref _edgeCount, count);
        Interlocked.Exchange(ref _edgesLost, Port.EdgesLost);
        for (var i = 0; i < count; i++) Change(_edges[i].IsActive, _edges[i].Time);
    }

    internal override void Stop(TimeSpan now) => Port.Close();

    /// <summary>It can be read again, and is this.</summary>
    private protected abstract void Begin(bool isActive);

    /// <summary>It is this since then; may be what it was already.</summary>
    private protected abstract void Change(bool isActive, TimeSpan time);

    /// <summary>Does what is due; returns when to do so again.</summary>
    private protected abstract TimeSpan Continue(TimeSpan now);

    /// <summary>It cannot be read any more.</summary>
    private protected abstract void End();

    private TimeSpan Lose(TimeSpan now)
    {
        if (IsAvailable) End();
        IsAvailable = false;
        return Port.RetryIn(now);
    }
}
