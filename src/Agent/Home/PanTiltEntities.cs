using System.Globalization;
using Agent.Devices.Peripherals;
using Agent.Devices.Pwm;

namespace Agent.Home;

/// <summary>One camera on two servos as a smart home sees and operates it.</summary>
internal sealed class PanTiltEntities
{
    private const string HomeName = "home";

    /// <summary>Degrees between what a slider can choose; a hobby servo is no finer.</summary>
    private const double Step = 0.5;

    private readonly PanTiltOptions _options;
    private readonly EntityRegistry _entities;
    private readonly PersistentState _state;
    private readonly Func<PanTilt, Func<TimeSpan, string?>, Task<string?>> _do;
    private readonly List<string> _whileAvailable = [];

    /// <param name="options">What it is.</param>
    /// <param name="entities">Gets the entities, before this returns.</param>
    /// <param name="state">Remembers where it looks, and presets that are stored.</param>
    /// <param name="log">For its channels.</param>
    /// <param name="run">Has the device's thread do something (<see cref="PeripheralThread.DoAsync"/>).</param>
    public PanTiltEntities(PanTiltOptions options, EntityRegistry entities, PersistentState state, ILogger log, Func<PanTilt, Func<TimeSpan, string?>, Task<string?>> run)
    {
        (_options, _entities, _state, _do) = (options, entities, state, run);
        Device = new PanTilt(options, Find(PositionKey) ?? PresetOrDefault(HomeName, options.Home), log);
        var name = EntityNames.ToWords(options.Name);
        RegisterAngle("pan", options.Pan, (angle, now) => Device.MoveTo(angle, null, now));
        RegisterAngle("tilt", options.Tilt, (angle, now) => Device.MoveTo(null, angle, now));
        Register(new ButtonEntity(Id("stop"), $"{name} stop") { Icon = "mdi:stop" }, _ => Device.Halt);
        RegisterPreset(HomeName, options.Home, Id(HomeName), $"{name} home", "mdi:home");
        foreach (var preset in options.Presets)
        {
            RegisterPreset(preset.Name, preset.Angles, Id($"preset_{preset.Name}"), $"{name} to {EntityNames.ToWords(preset.Name)}", "mdi:crosshairs-gps");
        }
        _entities.Register(new BinarySensorEntity(Id("moving"), $"{name} moving") { DeviceClass = "moving" });
        _whileAvailable.Add(Id("moving"));
        foreach (var id in _whileAvailable) _entities.SetAvailable(id, false);
        Publish(Device.State);
        Device.AvailabilityChanged += isAvailable => _whileAvailable.ForEach(id => _entities.SetAvailable(id, isAvailable));
        Device.StateChanged += Publish;

        void RegisterAngle(string axis, ServoOptions servo, Func<double, TimeSpan, string?> move) =>
            Register(
                new NumberEntity(Id(axis), $"{name} {axis}", servo.Lowest, servo.Highest, Step) { Unit = "°", Icon = axis == "pan" ? "mdi:pan-horizontal" : "mdi:pan-vertical" },
                value => now => move(double.Parse(value, CultureInfo.InvariantCulture), now));

        void RegisterPreset(string preset, PanTiltAngles configured, string id, string words, string icon)
        {
            Register(new ButtonEntity(id, words) { Icon = icon }, _ => now =>
            {
                var (pan, tilt) = PresetOrDefault(preset, configured);
                return Device.MoveTo(pan, tilt, now);
            });
            Register(
                new ButtonEntity(Id($"store_{preset}"), $"{name} store {EntityNames.ToWords(preset)}") { Icon = "mdi:content-save", Category = EntityCategory.Config, IsEnabledByDefault = false },
                _ => _ =>
                {
                    Keep(PresetKey(preset), Device.State.Target);
                    return null;
                });
        }
    }

    /// <summary>For the thread that owns it.</summary>
    public PanTilt Device { get; }

    private string PositionKey => $"panTilt.{_options.Name}.position";

    /// <summary>Every entity's id that a device of this configuration has.</summary>
    public static IEnumerable<string> Ids(PanTiltOptions options) =>
    [
        .. new[] { "pan", "tilt", "stop", "moving", HomeName, $"store_{HomeName}" }
            .Concat(options.Presets.SelectMany(static preset => new[] { $"preset_{preset.Name}", $"store_{preset.Name}" })).Select(what => $"{options.Name}_{what}"),
    ];

    private string PresetKey(string preset) => $"panTilt.{_options.Name}.preset.{preset}";

    private string Id(string what) => $"{_options.Name}_{what}";

    private void Register(Entity entity, Func<string, Func<TimeSpan, string?>> command)
    {
        _entities.Register(entity, async (value, cancellation) => CommandOutcome.Of(await _do(Device, command(value)).WaitAsync(cancellation)));
        _whileAvailable.Add(entity.Id);
    }

    /// <summary>On the device's thread, but for the first.</summary>
    private void Publish(PanTiltState state)
    {
        _entities.Publish(Id("pan"), Text(state.Target.Pan));
        _entities.Publish(Id("tilt"), Text(state.Target.Tilt));
        _entities.Publish(Id("moving"), state.IsMoving ? SwitchEntity.On : SwitchEntity.Off);
        Keep(PositionKey, state.Target);
    }

    private PanTiltAngles PresetOrDefault(string preset, PanTiltAngles configured) => Find(PresetKey(preset)) ?? configured;

    private void Keep(string key, PanTiltAngles angles) => _state.Keep(key, $"{Text(angles.Pan)} {Text(angles.Tilt)}");

    /// <summary>What was kept, within today's limits; <c>null</c> if nothing was, or nothing that makes sense.</summary>
    private PanTiltAngles? Find(string key) =>
        _state.Find(key)?.Split(' ') is [var pan, var tilt] && TryRead(pan, _options.Pan, out var panAngle) && TryRead(tilt, _options.Tilt, out var tiltAngle)
            ? new PanTiltAngles(panAngle, tiltAngle) : null;

    private static bool TryRead(string text, ServoOptions servo, out double angle)
    {
        var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out angle) && double.IsFinite(angle);
        angle = Math.Clamp(angle, servo.Lowest, servo.Highest);
        return isNumber;
    }

    private static string Text(double angle) => Math.Round(angle, 1).ToString(CultureInfo.InvariantCulture);
}
