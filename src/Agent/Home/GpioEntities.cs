using Agent.Configuration;
using Agent.Devices.Gpio;
using Agent.Devices.Peripherals;
using Agent.Http;

namespace Agent.Home;

/// <summary>How GPIO lines have done since the start.</summary>
/// <param name="Refused">Commands refused because too many were waiting.</param>
/// <param name="Edges">Changes of inputs that were seen.</param>
/// <param name="EdgesLost">Changes that the kernel had no room for.</param>
internal readonly record struct GpioCounters(long Refused, long Edges, long EdgesLost);

/// <summary>What hangs on GPIO lines as a smart home sees and operates it.</summary>
internal sealed class GpioEntities : IDisposable
{
    /// <summary>A light's values.</summary>
    private const string Dark = "0", Bright = "100";

    /// <summary>By <see cref="ButtonAction"/>.</summary>
    private static readonly string[] ButtonActions = ["press", "release", "single", "double", "triple", "long", "repeat"];

    private readonly EntityRegistry _entities;
    private readonly PersistentState _state;
    private readonly ILogger _log;
    private readonly Dictionary<string, Interlock> _interlocks = [];
    private readonly List<Peripheral> _devices = [];
    private readonly PeripheralThread _thread;

    private GpioEntities(AgentOptions options, EntityRegistry entities, PersistentState state, IReadOnlyDictionary<string, CameraUnit> cameras, ILoggerFactory loggers)
    {
        (_entities, _state, _log) = (entities, state, loggers.CreateLogger<GpioEntities>());
        foreach (var thing in options.Gpio)
        {
            var isPrivacySwitch = thing.Kind == GpioKind.PrivacySwitch;
            var isFree = EntityNames.AreFree(_entities, _log, isPrivacySwitch ? $"the entity of gpio.{thing.Name}" : $"gpio.{thing.Name}", thing.Name);
            if (isPrivacySwitch) AddPrivacySwitch(thing, cameras.Values, isFree);
            else if (isFree) Add(thing);
        }
        _thread = new PeripheralThread(_devices, "gpio", TimeProvider.System, loggers);
    }

    public GpioCounters Counters =>
        new(_thread.Refused, _devices.OfType<GpioInput>().Sum(static input => input.Edges), _devices.OfType<GpioInput>().Sum(static input => input.EdgesLost));

    /// <summary>Registers what the configuration has; <c>null</c>, and no thread, if it has none.</summary>
    public static GpioEntities? Create(
        AgentOptions options, EntityRegistry entities, PersistentState state, IReadOnlyDictionary<string, CameraUnit> cameras, ILoggerFactory loggers) =>
        options.Gpio.Count == 0 ? null : new GpioEntities(options, entities, state, cameras, loggers);

    public void Start() => _thread.Start();

    public void Dispose() => _thread.Dispose();

    private void Add(GpioOptions thing)
    {
        if (thing.Kind == GpioKind.Button) AddButton(thing);
        else if (thing.Kind == GpioKind.Pulse) AddPulse(thing);
        else if (thing.OutAddress is not null) AddBridge(thing);
        else if (thing.IsInput) AddSensor(thing);
        else AddOutput(thing);
    }

    private void AddButton(GpioOptions thing)
    {
        var button = new GpioButton(thing, _log);
        Show(button, new EventEntity(thing.Name, EntityNames.ToWords(thing.Name), ButtonActions) { DeviceClass = "button" });
        button.Acted += action => _entities.Publish(thing.Name, ButtonActions[(int)action]);
    }

    private void AddPulse(GpioOptions thing)
    {
        var pulse = new GpioPulse(thing, _log);
        Show(pulse, new ButtonEntity(thing.Name, EntityNames.ToWords(thing.Name)), (_, now) => pulse.Press(now));
    }

    private void AddBridge(GpioOptions thing)
    {
        var isIn = thing.Start switch { OutputAtStart.On => true, OutputAtStart.Off => false, _ => Remembered(thing.Name) ?? true };
        var bridge = new IrCutBridge(thing, isIn, _log);
        Show(bridge, IrCutEntity(thing), (command, now) => bridge.Set(command == SwitchEntity.On, now));
        PublishSwitch(thing.Name, isIn);
        bridge.StateChanged += moved => Keep(thing.Name, moved);
        bridge.StateChanged += moved => PublishSwitch(thing.Name, moved);
    }

    private void AddSensor(GpioOptions thing)
    {
        var sensor = new GpioSensor(thing, _log);
        Show(sensor, new BinarySensorEntity(thing.Name, EntityNames.ToWords(thing.Name))
        {
            DeviceClass = thing.Kind switch { GpioKind.Motion => "motion", GpioKind.Door => "door", GpioKind.Window => "window", _ => thing.DeviceClass },
        });
        sensor.StateChanged += isOn => PublishSwitch(thing.Name, isOn);
    }

    private void AddOutput(GpioOptions thing)
    {
        Interlock? interlock = null;
        if (thing.Interlock is { } word && !_interlocks.TryGetValue(word, out interlock)) _interlocks.Add(word, interlock = new Interlock());
        var output = new GpioOutput(thing, Remembered(thing.Name), interlock, _log);
        Entity entity = thing.Kind switch
        {
            GpioKind.Light => new LightEntity(thing.Name, EntityNames.ToWords(thing.Name)),
            GpioKind.IrCut => IrCutEntity(thing),
            GpioKind.IrLed => new SwitchEntity(thing.Name, EntityNames.ToWords(thing.Name)) { Icon = "mdi:led-on" },
            GpioKind.Relay => new SwitchEntity(thing.Name, EntityNames.ToWords(thing.Name)) { Icon = "mdi:electric-switch" },
            _ => new SwitchEntity(thing.Name, EntityNames.ToWords(thing.Name)) { DeviceClass = "switch" },
        };
        // A light takes a brightness, too.
        Show(output, entity, (command, now) => output.Set(command is not (SwitchEntity.Off or Dark), now));
        Publish(output.IsOn);
        output.StateChanged += isOn => Keep(thing.Name, isOn);
        output.StateChanged += Publish;

        void Publish(bool isOn)
        {
            if (thing.Kind == GpioKind.Light) _entities.Publish(thing.Name, isOn ? Bright : Dark);
            else PublishSwitch(thing.Name, isOn);
        }
    }

    /// <summary>While the switch is on, and while that cannot be read, its cameras are private.</summary>
    private void AddPrivacySwitch(GpioOptions thing, IEnumerable<CameraUnit> cameras, bool isShown)
    {
        var own = cameras.Where(camera => thing.Cameras.Count == 0 || thing.Cameras.Contains(camera.Pipeline.Options.Name)).Select(camera => camera.Privacy).ToArray();
        var sensor = new GpioSensor(thing, _log);
        Enforce(true);
        sensor.StateChanged += Enforce;
        sensor.AvailabilityChanged += isAvailable =>
        {
            if (!isAvailable) Enforce(true);
        };
        if (isShown)
        {
            Show(sensor, new BinarySensorEntity(thing.Name, EntityNames.ToWords(thing.Name)) { Icon = "mdi:eye-off" });
            sensor.StateChanged += isOn => PublishSwitch(thing.Name, isOn);
        }
        else
        {
            _devices.Add(sensor);
        }

        void Enforce(bool isOn)
        {
            foreach (var privacy in own) privacy.Enforce(thing.Name, isOn);
        }
    }

    private void Show(Peripheral device, Entity entity, Func<string, TimeSpan, string?>? run = null)
    {
        _devices.Add(device);
        _entities.Register(entity, run is null ? null : async (command, cancellation) =>
            CommandOutcome.Of(await _thread!.DoAsync(device, now => run(command, now)).WaitAsync(cancellation)));
        _entities.SetAvailable(entity.Id, false);
        device.AvailabilityChanged += isAvailable => _entities.SetAvailable(entity.Id, isAvailable);
    }

    private static SwitchEntity IrCutEntity(GpioOptions thing) => new(thing.Name, EntityNames.ToWords(thing.Name)) { Icon = "mdi:weather-sunny" };

    private static string Key(string name) => $"gpio.{name}.on";

    private bool? Remembered(string name) => _state.Find(Key(name)) switch { SwitchEntity.On => true, SwitchEntity.Off => false, _ => null };

    private void Keep(string name, bool isOn) => _state.Keep(Key(name), isOn ? SwitchEntity.On : SwitchEntity.Off);

    private void PublishSwitch(string name, bool isOn) => _entities.Publish(name, isOn ? SwitchEntity.On : SwitchEntity.Off);
}
