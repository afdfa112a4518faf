using Agent.Devices.Peripherals;
using Agent.Interop.Gpio;
using Microsoft.Extensions.Logging;

namespace Agent.Devices.Gpio;

/// <summary>Outputs of which one at a time may be on, as for the two directions of a motor. Owned by one thread.</summary>
public sealed class Interlock
{
    private readonly List<GpioOutput> _outputs = [];

    internal void Add(GpioOutput output) => _outputs.Add(output);

    /// <summary>Another output that is on, <c>null</c> if none is.</summary>
    internal GpioOutput? FindOther(GpioOutput output) => _outputs.Find(other => other != output && other.IsOn);
}

/// <summary>An output that is on or off: a relay, a lamp, an IR-cut filter on one line.</summary>
public sealed partial class GpioOutput : Peripheral
{
    private readonly GpioOptions _options;
    private readonly GpioPort _port;
    private readonly Interlock? _interlock;
    private readonly ILogger _log;
    private bool _takesPresentLevel;
    private TimeSpan _checkAt;
    private TimeSpan _offAt = TimeSpan.MaxValue;

    /// <param name="options">What it is.</param>
    /// <param name="remembered">What it was when the agent stopped, <c>null</c> if that is not known.</param>
    /// <param name="interlock">What it shares with others, if anything.</param>
    /// <param name="log">Says when its line cannot be used, and when it can again.</param>
    public GpioOutput(GpioOptions options, bool? remembered, Interlock? interlock, ILogger log)
        : this(options, remembered, interlock, new GpioKernel(), log)
    {
    }

    internal GpioOutput(GpioOptions options, bool? remembered, Interlock? interlock, IGpioKernel kernel, ILogger log)
    {
        (_options, _interlock, _log) = (options, interlock, log);
        _port = new GpioPort(kernel, options.Address, options.Settings, log, TakeOver);
        IsOn = options.Start switch { OutputAtStart.On => true, OutputAtStart.Off => false, _ => remembered ?? false };
        _takesPresentLevel = options.Start == OutputAtStart.Restore && remembered is null;
        interlock?.Add(this);
        IsOn &= FindObstacle() is null;
    }

    /// <summary>The output has changed.</summary>
    public event Action<bool>? StateChanged;

    public bool IsOn { get; private set; }

    /// <summary>Switches it; the same again changes nothing.</summary>
    /// <returns>Why it could not be done, otherwise <c>null</c>.</returns>
    public string? Set(bool isOn, TimeSpan now)
    {
        if (!_port.IsOpen) return _port.Problem;
        if (isOn == IsOn) return null;
        if (isOn && FindObstacle() is { } other) return $"{other._options.Name} is on, and both must not be: switch that off first";
        if (!_port.Set(isOn, now)) return _port.Problem;
        Become(isOn, now);
        return null;
    }

    internal override TimeSpan Advance(TimeSpan now)
    {
        if (now >= _offAt)
        {
            LogMaximumOn(_options.Name, _options.MaximumOn);
            // Without the line it is off when that comes back.
            _port.Set(false, now);
            Become(false, now);
        }
        if (now >= _checkAt || !_port.IsOpen)
        {
            var isNew = !_port.IsOpen;
            if (!_port.Check(now))
            {
                IsAvailable = false;
                return Earlier(_port.RetryIn(now), _offAt - now);
            }
            if (isNew && IsOn && _offAt == TimeSpan.MaxValue) SetOffTime(now);
            _checkAt = now + GpioPort.CheckInterval;
        }
        IsAvailable = _port.IsOpen;
        return Earlier(_checkAt - now, _offAt - now);
    }

    internal override void Stop(TimeSpan now)
    {
        if (_options.AtStop != OutputAtStop.Keep) _port.Set(_options.AtStop == OutputAtStop.On, now);
        _port.Close();
    }

    private static TimeSpan Earlier(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private GpioOutput? FindObstacle() => _interlock?.FindOther(this);

    /// <summary>What the line is to be now that it is ours.</summary>
    private bool TakeOver(bool? present)
    {
        if (_takesPresentLevel && present == true && FindObstacle() is null)
        {
            IsOn = true;
            StateChanged?.Invoke(true);
        }
        _takesPresentLevel = false;
        return IsOn;
    }

    private void Become(bool isOn, TimeSpan now)
    {
        IsOn = isOn;
        _offAt = TimeSpan.MaxValue;
        if (isOn) SetOffTime(now);
        StateChanged?.Invoke(isOn);
    }

    private void SetOffTime(TimeSpan now)
    {
        if (_options.MaximumOn > 0) _offAt = now + TimeSpan.FromSeconds(_options.MaximumOn);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Name} has been on for {Seconds} s, its maximumOn, and is switched off")]
    private partial void LogMaximumOn(string name, int seconds);
}
