using System.Globalization;
using Agent.Configuration;
using Agent.Devices.Peripherals;
using Agent.Devices.Pwm;

namespace Agent.Home;

/// <summary>What is on PWM channels, lights and servos, as a smart home sees and operates them.</summary>
internal sealed class PwmEntities : IDisposable
{
    private readonly EntityRegistry _entities;
    private readonly PersistentState _state;
    private readonly ILogger _log;
    private readonly PeripheralThread _thread;

    private PwmEntities(AgentOptions options, EntityRegistry entities, PersistentState state, ILoggerFactory loggers)
    {
        (_entities, _state, _log) = (entities, state, loggers.CreateLogger<PwmEntities>());
        var lights = options.PwmLights.Where(light => EntityNames.AreFree(entities, _log, $"pwm.{light.Name}", light.Name)).ToDictionary(light => light.Name, light => new PwmLight(light, Remembered(light), _log));
        var panTilts = options.PanTilts.Where(panTilt => EntityNames.AreFree(entities, _log, $"panTilt.{panTilt.Name}", [.. PanTiltEntities.Ids(panTilt)])).Select(panTilt => new PanTiltEntities(panTilt, entities, state, _log, DoAsync)).ToList();
        _thread = new PeripheralThread([.. lights.Values, .. panTilts.Select(panTilt => panTilt.Device)], "pwm", TimeProvider.System, loggers);
        foreach (var (name, light) in lights) Show(name, light);
    }

    /// <summary>Commands refused because too many were waiting.</summary>
    public long Refused => _thread.Refused;

    /// <summary>Registers what the configuration has; <c>null</c>, and no thread, if it has none.</summary>
    public static PwmEntities? Create(AgentOptions options, EntityRegistry entities, PersistentState state, ILoggerFactory loggers) =>
        options.PwmLights.Count + options.PanTilts.Count == 0 ? null : new PwmEntities(options, entities, state, loggers);

    public void Start() => _thread.Start();

    public void Dispose() => _thread.Dispose();

    private Task<string?> DoAsync(Peripheral device, Func<TimeSpan, string?> run) => _thread.DoAsync(device, run);

    private static string BrightnessKey(string name) => $"pwm.{name}.brightness";

    private static string OnKey(string name) => $"pwm.{name}.on";

    private LightState Remembered(PwmLightOptions light)
    {
        var brightness = int.TryParse(_state.Find(BrightnessKey(light.Name)), NumberStyles.None, CultureInfo.InvariantCulture, out var kept)
            ? Math.Clamp(kept, 1, LightState.Brightest) : LightState.Brightest;
        var isOn = light.Start switch
        {
            LightAtStart.On => true,
            LightAtStart.Off => false,
            _ => _state.Find(OnKey(light.Name)) == SwitchEntity.On,
        };
        return new LightState(isOn, brightness);
    }

    private void Show(string name, PwmLight light)
    {
        _entities.Register(new LightEntity(name, EntityNames.ToWords(name)) { HasBrightness = true }, async (command, cancellation) =>
        {
            int? percent = command switch
            {
                SwitchEntity.On => null,
                SwitchEntity.Off => 0,
                _ => int.Parse(command, CultureInfo.InvariantCulture),
            };
            return CommandOutcome.Of(await DoAsync(light, now => light.Set(percent, now)).WaitAsync(cancellation));
        });
        _entities.SetAvailable(name, false);
        Publish(light.State);
        light.AvailabilityChanged += isAvailable => _entities.SetAvailable(name, isAvailable);
        light.StateChanged += state =>
        {
            _state.Keep(OnKey(name), state.IsOn ? SwitchEntity.On : SwitchEntity.Off);
            _state.Keep(BrightnessKey(name), state.Brightness.ToString(CultureInfo.InvariantCulture));
            Publish(state);
        };

        void Publish(LightState state) => _entities.Publish(name, state.Level.ToString(CultureInfo.InvariantCulture));
    }
}
