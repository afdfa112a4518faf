using Agent.Devices.Peripherals;
using Agent.Interop.Gpio;
using Microsoft.Extensions.Logging;

namespace Agent.Devices.Gpio;

/// <summary>An output that is on for a moment: a door opener, a bell, the button of some other device.</summary>
public sealed class GpioPulse : Peripheral
{
    private readonly GpioPort _port;
    private readonly TimeSpan _length;
    private TimeSpan _checkAt;
    private TimeSpan _offAt = TimeSpan.MaxValue;

    /// <param name="options">What it is.</param>
    /// <param name="log">Says when its line cannot be used, and when it can again.</param>
    public GpioPulse(GpioOptions options, ILogger log)
        : this(options, new GpioKernel(), log)
    {
    }

    internal GpioPulse(GpioOptions options, IGpioKernel kernel, ILogger log)
    {
        _port = new GpioPort(kernel, options.Address, options.Settings, log, static _ => false);
        _length = TimeSpan.FromMilliseconds(options.Pulse);
    }

    /// <summary>Has it on from now on for as long as configured, however often it is called meanwhile.</summary>
    /// <returns>Why it could not be done, otherwise <c>null</c>.</returns>
    public string? Press(TimeSpan now)
    {
        if (!_port.Set(true, now)) return _port.Problem;
        _offAt = now + _length;
        return null;
    }

    internal override TimeSpan Advance(TimeSpan now)
    {
        if (now >= _offAt)
        {
            _offAt = TimeSpan.MaxValue;
            _port.Set(false, now);
        }
        if (now >= _checkAt || !_port.IsOpen)
        {
            IsAvailable = _port.Check(now);
            if (!IsAvailable) return _port.RetryIn(now);
            _checkAt = now + GpioPort.CheckInterval;
        }
        return _offAt < _checkAt ? _offAt - now : _checkAt - now;
    }

    internal override void Stop(TimeSpan now)
    {
        _port.Set(false, now);
        _port.Close();
    }
}
