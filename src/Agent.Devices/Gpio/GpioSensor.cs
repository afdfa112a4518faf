using Agent.Interop.Gpio;
using Microsoft.Extensions.Logging;

namespace Agent.Devices.Gpio;

/// <summary>An input that is on or off: a motion sensor, a contact, a switch.</summary>
public sealed class GpioSensor : GpioInput
{
    /// <param name="options">What it is.</param>
    /// <param name="log">Says when its line cannot be used, and when it can again.</param>
    public GpioSensor(GpioOptions options, ILogger log)
        : this(new GpioPort(new GpioKernel(), options.Address, options.Settings, log))
    {
    }

    internal GpioSensor(GpioPort port)
        : base(port)
    {
    }

    /// <summary>What it is now; comes before it is said to be available.</summary>
    public event Action<bool>? StateChanged;

    /// <summary><c>null</c> while that is not known.</summary>
    public bool? IsActive { get; private set; }

    private protected override void Begin(bool isActive) => Change(isActive, default);

    private protected override void Change(bool isActive, TimeSpan time)
    {
        if (IsActive == isActive) return;
        IsActive = isActive;
        StateChanged?.Invoke(isActive);
    }

    private protected override TimeSpan Continue(TimeSpan now) => TimeSpan.MaxValue;

    private protected override void End() => IsActive = null;
}
