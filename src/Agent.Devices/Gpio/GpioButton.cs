using Agent.Interop.Gpio;
using Microsoft.Extensions.Logging;

namespace Agent.Devices.Gpio;

/// <summary>A push button.</summary>
public sealed class GpioButton : GpioInput
{
    private readonly ButtonPresses _presses;

    /// <param name="options">What it is.</param>
    /// <param name="log">Says when its line cannot be used, and when it can again.</param>
    public GpioButton(GpioOptions options, ILogger log)
        : this(options, new GpioPort(new GpioKernel(), options.Address, options.Settings, log))
    {
    }

    internal GpioButton(GpioOptions options, GpioPort port)
        : base(port) =>
        _presses = new ButtonPresses(
            TimeSpan.FromMilliseconds(options.LongPress), TimeSpan.FromMilliseconds(options.MultiPress), TimeSpan.FromMilliseconds(options.Repeat),
            action => Acted?.Invoke(action));

    /// <summary>Somebody did something with it.</summary>
    public event Action<ButtonAction>? Acted;

    private protected override void Begin(bool isActive) => _presses.Reset(isActive);

    private protected override void Change(bool isActive, TimeSpan time) => _presses.Change(isActive, time);

    private protected override TimeSpan Continue(TimeSpan now)
    {
        var due = _presses.Advance(now);
        return due == TimeSpan.MaxValue ? due : due - now;
    }

    private protected override void End() => _presses.Reset(false);
}
