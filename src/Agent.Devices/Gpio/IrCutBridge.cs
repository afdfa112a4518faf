using Agent.Devices.Peripherals;
using Agent.Interop.Gpio;
using Microsoft.Extensions.Logging;

namespace Agent.Devices.Gpio;

/// <summary>
/// An IR-cut filter whose coil hangs on an H-bridge: a pulse on one line moves the filter in, a pulse on the other out, where it stays. The
/// lines are never active together, and never for longer than the pulse.
/// </summary>
public sealed class IrCutBridge : Peripheral
{
    private readonly GpioPort _in;
    private readonly GpioPort _out;
    private readonly TimeSpan _length;
    private TimeSpan _checkAt;
    private TimeSpan _offAt = TimeSpan.MaxValue;

    /// <param name="options">What it is.</param>
    /// <param name="isIn">What to be at the start.</param>
    /// <param name="log">Says when a line cannot be used, and when it can again.</param>
    public IrCutBridge(GpioOptions options, bool isIn, ILogger log)
        : this(options, isIn, new GpioKernel(), log)
    {
    }

    internal IrCutBridge(GpioOptions options, bool isIn, IGpioKernel kernel, ILogger log)
    {
        _in = new GpioPort(kernel, options.Address, options.Settings, log, static _ => false);
        _out = new GpioPort(kernel, options.OutAddress!, options.Settings, log, static _ => false);
        _length = TimeSpan.FromMilliseconds(options.Pulse);
        IsIn = isIn;
    }

    /// <summary>The filter has moved, or is about to.</summary>
    public event Action<bool>? StateChanged;

    /// <summary>Whether the filter keeps infrared out.</summary>
    public bool IsIn { get; private set; }

    /// <summary>Moves the filter; the same again moves it again, in case that somebody has moved it by hand.</summary>
    /// <returns>Why it could not be done, otherwise <c>null</c>.</returns>
    public string? Set(bool isIn, TimeSpan now)
    {
        if (!_in.IsOpen || !_out.IsOpen) return Problem;
        if (!Move(isIn, now)) return Problem;
        if (isIn == IsIn) return null;
        IsIn = isIn;
        StateChanged?.Invoke(isIn);
        return null;
    }

    internal override TimeSpan Advance(TimeSpan now)
    {
        if (now >= _offAt) Release(now);
        if (now >= _checkAt || !_in.IsOpen || !_out.IsOpen)
        {
            var isNew = !_in.IsOpen || !_out.IsOpen;
            // One line that is away does not keep the other from being let go of.
            var hasIn = _in.Check(now);
            var hasOut = _out.Check(now);
            // Where the filter is after it was out of reach, or at the start, nobody knows.
            if (!hasIn || !hasOut || (isNew && !Move(IsIn, now)))
            {
                Release(now);
                IsAvailable = false;
                return hasIn ? _out.RetryIn(now) : _in.RetryIn(now);
            }
            _checkAt = now + GpioPort.CheckInterval;
        }
        IsAvailable = true;
        return _offAt < _checkAt ? _offAt - now : _checkAt - now;
    }

    internal override void Stop(TimeSpan now)
    {
        Release(now);
        _in.Close();
        _out.Close();
    }

    private string Problem => _in.IsOpen ? _out.Problem : _in.Problem;

    private bool Move(bool isIn, TimeSpan now)
    {
        var (active, other) = isIn ? (_in, _out) : (_out, _in);
        if (!other.Set(false, now)) return false;
        _offAt = now + _length;
        return active.Set(true, now);
    }

    private void Release(TimeSpan now)
    {
        _offAt = TimeSpan.MaxValue;
        _in.Set(false, now);
        _out.Set(false, now);
    }
}
