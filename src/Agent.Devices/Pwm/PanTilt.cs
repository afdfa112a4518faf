using Agent.Devices.Peripherals;
using Microsoft.Extensions.Logging;

namespace Agent.Devices.Pwm;

/// <summary>Where a camera on two servos looks at the agent's start.</summary>
public enum PanTiltAtStart
{
    /// <summary>Where it looked last.</summary>
    Restore,
    /// <summary>To its home position.</summary>
    Home,
    /// <summary>It is not moved before the first command.</summary>
    Keep,
}

/// <summary>What becomes of the servos when the agent stops.</summary>
public enum ServosAtStop
{
    /// <summary>They let go.</summary>
    Release,
    /// <summary>They are held where they are.</summary>
    Hold,
}

/// <summary>Where a camera looks.</summary>
/// <param name="Pan">Degrees.</param>
/// <param name="Tilt">Degrees.</param>
public readonly record struct PanTiltAngles(double Pan, double Tilt);

/// <summary>Where a camera can be sent by one word.</summary>
public sealed record PanTiltPreset(string Name, PanTiltAngles Angles);

/// <summary>A camera on two servos.</summary>
public sealed record PanTiltOptions
{
    public string Name { get; init; } = "";

    public ServoOptions Pan { get; init; } = new();

    public ServoOptions Tilt { get; init; } = new() { Channel = 1 };

    public PanTiltAngles Home { get; init; }

    public IReadOnlyList<PanTiltPreset> Presets { get; init; } = [];

    public PanTiltAtStart Start { get; init; }

    public ServosAtStop AtStop { get; init; }

    /// <summary>Milliseconds of standing still after which the servos let go; 0 holds them.</summary>
    public int ReleaseAfter { get; init; }
}

/// <summary>What a camera on two servos is doing.</summary>
/// <param name="Target">Where it looks, or is on the way to.</param>
/// <param name="IsMoving">Whether it is on the way.</param>
public readonly record struct PanTiltState(PanTiltAngles Target, bool IsMoving);

/// <summary>A camera on two servos, each moved evenly to where it is told to be.</summary>
public sealed class PanTilt : Peripheral
{
    private readonly PanTiltOptions _options;
    private readonly TimeSpan _releaseAfter;
    private readonly Servo _pan, _tilt;
    private bool _hasBegun;

    /// <param name="options">What it is.</param>
    /// <param name="last">Where it looked last, as far as is known.</param>
    /// <param name="log">Says when a channel cannot be used, and when it can again.</param>
    public PanTilt(PanTiltOptions options, PanTiltAngles last, ILogger log)
        : this(options, Open(options.Pan, log), Open(options.Tilt, log), last)
    {
    }

    internal PanTilt(PanTiltOptions options, PwmOutput pan, PwmOutput tilt, PanTiltAngles last)
    {
        (_options, _releaseAfter) = (options, TimeSpan.FromMilliseconds(options.ReleaseAfter));
        (_pan, _tilt) = (new Servo(options.Pan, pan, last.Pan), new Servo(options.Tilt, tilt, last.Tilt));
        State = new PanTiltState(last, false);
    }

    /// <summary>It is on the way elsewhere, or has arrived.</summary>
    public event Action<PanTiltState>? StateChanged;

    public PanTiltState State { get; private set; }

    private string? Problem => !_pan.Output.IsOpen ? _pan.Output.Problem : !_tilt.Output.IsOpen ? _tilt.Output.Problem : null;

    /// <summary>Sends it elsewhere; the same again changes nothing.</summary>
    /// <param name="pan">Degrees, kept within the limits; <c>null</c> is where it is sent already.</param>
    /// <param name="tilt">The same.</param>
    /// <param name="now">The time.</param>
    /// <returns>Why it could not be done, otherwise <c>null</c>.</returns>
    public string? MoveTo(double? pan, double? tilt, TimeSpan now)
    {
        if (Problem is { } problem) return problem;
        var before = State.Target;
        _pan.MoveTo(pan ?? before.Pan, now);
        _tilt.MoveTo(tilt ?? before.Tilt, now);
        Advance(now);
        if (Problem is not { } failure) return null;
        // What was refused must not be done later, when the channel is back.
        _pan.MoveTo(before.Pan, now);
        _tilt.MoveTo(before.Tilt, now);
        Show(now);
        return failure;
    }

    /// <summary>Has it slow down and stand still.</summary>
    /// <returns>Why it could not be done, otherwise <c>null</c>.</returns>
    public string? Halt(TimeSpan now)
    {
        if (Problem is { } problem) return problem;
        _pan.Halt(now);
        _tilt.Halt(now);
        Advance(now);
        return Problem;
    }

    internal override TimeSpan Advance(TimeSpan now)
    {
        if (!_hasBegun) Begin(now);
        var isPanThere = _pan.Apply(now, _releaseAfter);
        IsAvailable = _tilt.Apply(now, _releaseAfter) && isPanThere;
        Show(now);
        var (pan, tilt) = (_pan.RestsFor(now, _releaseAfter), _tilt.RestsFor(now, _releaseAfter));
        return pan < tilt ? pan : tilt;
    }

    internal override void Stop(TimeSpan now)
    {
        _pan.Stop(now, _options.AtStop == ServosAtStop.Hold);
        _tilt.Stop(now, _options.AtStop == ServosAtStop.Hold);
        Show(now);
    }

    private static PwmOutput Open(ServoOptions servo, ILogger log) => PwmOutput.OfKernel(servo.Address, Servo.Period, false, log);

    private void Begin(TimeSpan now)
    {
        _hasBegun = true;
        if (_options.Start == PanTiltAtStart.Keep) return;
        var (pan, tilt) = _options.Start == PanTiltAtStart.Home ? _options.Home : State.Target;
        _pan.MoveTo(pan, now);
        _tilt.MoveTo(tilt, now);
    }

    private void Show(TimeSpan now)
    {
        var state = new PanTiltState(new(_pan.Target, _tilt.Target), _pan.IsMoving(now) || _tilt.IsMoving(now));
        if (state == State) return;
        State = state;
        StateChanged?.Invoke(state);
    }
}
