namespace Agent.Devices.Pwm;

/// <summary>Something on one or several PWM channels. Times are those of one monotonic clock; every call is <see cref="PwmThread"/>'s.</summary>
public abstract class PwmDevice
{
    /// <summary>How often a moving thing is given its next value.</summary>
    internal static readonly TimeSpan UpdateInterval = TimeSpan.FromMilliseconds(20);

    private protected PwmDevice()
    {
    }

    /// <summary>Whether it can be operated; it cannot before the first call of <see cref="Advance"/>.</summary>
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

    /// <summary>Leaves the outputs as they are to be without the agent.</summary>
    internal abstract void Stop(TimeSpan now);
}
