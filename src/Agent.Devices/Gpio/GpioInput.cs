using Agent.Devices.Peripherals;
using Agent.Interop.Gpio;

namespace Agent.Devices.Gpio;

/// <summary>Something whose changes are waited for.</summary>
public abstract class GpioInput : Peripheral
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
            _checkAt = now + GpioPort.CheckInterval;
        }
        var due = Continue(now);
        return due < _checkAt - now ? due : _checkAt - now;
    }

    internal sealed override bool TryAddTo(GpioPoller poller)
    {
        if (!Port.IsOpen) return false;
        Port.AddTo(poller);
        return true;
    }

    internal sealed override void Read(TimeSpan now)
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
