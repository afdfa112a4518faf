using System.Globalization;
using Agent.Configuration;
using Agent.Devices.Pwm;

namespace Agent.Home;

/// <summary>What is on PWM channels, lights and servos, as a smart home sees and operates them.</summary>
internal sealed partial class PwmEntities : IDisposable
{
    private readonly EntityRegistry _entities;
    private readonly PersistentState _state;
    private readonly ILogger _log;
    private readonly PwmThread _thread;

    private PwmEntities(AgentOptions options, EntityRegistry entities, PersistentState state, ILoggerFactory loggers)
    {
        (_entities, _state, _log) = (entities, state, loggers.CreateLogger<PwmEntities>());
        var lights = options.PwmLights.Where(light => IsFree(light.Name, $"pwm.{light.Name}")).ToDictionary(light => light.Name, light => new PwmLight(light, Remembered(light), _log));
        var panTilts = options.PanTilts.Where(panTilt => PanTiltEntities.Ids(panTilt).All(id => IsFree(id, $"panTilt.{panTilt.Name}"))).Select(panTilt => new PanTiltEntities(panTilt, entities, state, _log, DoAsync)).ToList();
        _thread = new PwmThread([.. lights.Values, .. panTilts.Select(panTilt => panTilt.Device)], TimeProvider.System, loggers);
        foreach (var (name, light) in lights) Show(name, light);
    }

    /// <summary>Commands refused because too many were waiting.</summary>
    public long Refused => _thread.Refused;

    /// <summary>Registers what the configuration has; <c>null</c>, and no thread, if it has none.</summary>
    public static PwmEntities? Create(AgentOptions options, EntityRegistry entities, PersistentState state, ILoggerFactory loggers) =>
        options.PwmLights.Count + options.PanTilts.Count == 0 ? null : new PwmEntities(options, entities, state, loggers);

    public void Start() => _thread.Start();

    public void Dispose() => _thread.Dispose();

    private Task<string?> DoAsync(PwmDevice device, Func<TimeSpan, string?> run) => _thread.DoAsync(device, run);

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
        _entities.Register(new LightEntity(name, ToWords(name)) { HasBrightness = true }, async (command, cancellation) =>
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

    /// <summary>Cameras and other devices have ids too, which the configuration's check of one section cannot know.</summary>
    private bool IsFree(string id, string section)
    {
        if (_entities.Find(id) is null) return true;
        LogSameId(section, id);
        return false;
    }

    private static string ToWords(string name) => name.Replace('_', ' ');

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Section} is left out: something else is called \"{Id}\"; rename one")]
    private partial void LogSameId(string section, string id);
}
