using Agent.Devices.Peripherals;
using Microsoft.Extensions.Logging;

namespace Agent.Devices.Pwm;

/// <summary>What a light is at the agent's start.</summary>
public enum LightAtStart
{
    /// <summary>As it was.</summary>
    Restore,
    Off,
    On,
}

/// <summary>What becomes of a light when the agent stops.</summary>
public enum LightAtStop
{
    Off,
    On,
    /// <summary>It stays as it is.</summary>
    Keep,
}

/// <summary>A dimmable light on a PWM channel.</summary>
public sealed record PwmLightOptions
{
    public string Name { get; init; } = "";

    public string Chip { get; init; } = "0";

    public int Channel { get; init; }

    /// <summary>Hertz. Above what eyes and cameras see, below what a MOSFET without a driver follows.</summary>
    public int Frequency { get; init; } = 1000;

    /// <summary>Whether the light is lit while the output is low.</summary>
    public bool IsInverted { get; init; }

    /// <summary>Percent of the period at which the light begins to be lit.</summary>
    public int MinimumDuty { get; init; }

    /// <summary>The exponent from brightness as people see it to light; 1 is none.</summary>
    public double Gamma { get; init; } = 2.2;

    /// <summary>Milliseconds from one brightness to another.</summary>
    public int Fade { get; init; } = 500;

    public LightAtStart Start { get; init; }

    public LightAtStop AtStop { get; init; }

    public PwmAddress Address => new(Chip, Channel);
}

/// <summary>A light's state.</summary>
/// <param name="IsOn">Whether it is lit.</param>
/// <param name="Brightness">Percent, 1 to 100: how bright it is, or was last.</param>
public readonly record struct LightState(bool IsOn, int Brightness)
{
    public const int Brightest = 100;

    /// <summary>Percent, 0 while it is off.</summary>
    public int Level => IsOn ? Brightness : 0;
}

/// <summary>A light that fades from one brightness to the next.</summary>
public sealed class PwmLight : Peripheral
{
    private readonly PwmLightOptions _options;
    private readonly PwmOutput _output;
    private BrightnessFade _fade;

    /// <param name="options">What it is.</param>
    /// <param name="start">What to be at the start.</param>
    /// <param name="log">Says when its channel cannot be used, and when it can again.</param>
    public PwmLight(PwmLightOptions options, LightState start, ILogger log)
        : this(options, PwmOutput.OfKernel(options.Address, PwmChannel.NanosecondsPerSecond / options.Frequency, options.IsInverted, log), start)
    {
    }

    internal PwmLight(PwmLightOptions options, PwmOutput output, LightState start)
    {
        (_options, _output, State) = (options, output, start);
        _fade = BrightnessFade.None(start.Level);
    }

    /// <summary>The light is, or is on the way to, another state.</summary>
    public event Action<LightState>? StateChanged;

    public LightState State { get; private set; }

    /// <summary>Fades to a brightness; the same again changes nothing.</summary>
    /// <param name="percent">0 is off; <c>null</c> is on, as bright as it was last.</param>
    /// <param name="now">The time.</param>
    /// <returns>Why it could not be done, otherwise <c>null</c>.</returns>
    public string? Set(int? percent, TimeSpan now)
    {
        if (!_output.IsOpen) return _output.Problem;
        var state = percent == 0 ? State with { IsOn = false } : new LightState(true, percent ?? State.Brightness);
        if (state == State) return null;
        var before = State;
        _fade = new BrightnessFade(_fade.At(now), state.Level, now, TimeSpan.FromMilliseconds(_options.Fade));
        State = state;
        Advance(now);
        if (!_output.IsOpen)
        {
            // What was refused must not be done later, when the channel is back.
            State = before;
            _fade = BrightnessFade.None(before.Level);
            return _output.Problem;
        }
        StateChanged?.Invoke(state);
        return null;
    }

    internal override TimeSpan Advance(TimeSpan now)
    {
        IsAvailable = _output.Check(now) && _output.Try(now, channel => Apply(channel, _fade.At(now)));
        if (IsAvailable) return _fade.IsOver(now) ? PwmOutput.CheckInterval : PwmOutput.UpdateInterval;
        // It comes back as it is to be, not on the way there.
        _fade = BrightnessFade.None(State.Level);
        return _output.RetryIn(now);
    }

    internal override void Stop(TimeSpan now)
    {
        if (!_output.IsOpen) return;
        var level = _options.AtStop switch { LightAtStop.Off => 0, LightAtStop.On => State.Brightness, _ => State.Level };
        if (_output.Try(now, channel => Apply(channel, level))) _output.Close(now);
    }

    private void Apply(PwmChannel channel, double level)
    {
        if (level <= 0) channel.TurnOff();
        else channel.Set(BrightnessCurve.ToDuty(level, channel.Period, _options.Gamma, _options.MinimumDuty));
    }
}
