using Agent.Interop.Gpio;

namespace Agent.Devices.Peripherals;

/// <summary>
/// Something on one or several GPIO lines or PWM channels. Times are CLOCK_MONOTONIC since its zero, as the kernel stamps changes; every
/// call is <see cref="PeripheralThread"/>'s.
/// </summary>
public abstract class Peripheral
{
    private protected Peripheral()
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

    /// <summary>Leaves lines and channels as they are to be without the agent, and gives them back.</summary>
    internal abstract void Stop(TimeSpan now);

    /// <summary>Whether the poller now waits for a change of it.</summary>
    internal virtual bool TryAddTo(GpioPoller poller) => false;

    /// <summary>Takes the changes that the poller has seen.</summary>
    internal virtual void Read(TimeSpan now)
    {
    }
}
