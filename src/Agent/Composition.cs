using Agent.Channels;
using Agent.Configuration;
using Agent.Devices;
using Agent.Home;
using Agent.Http;
using Agent.Mqtt;
using Agent.Transport;

namespace Agent;

/// <summary>The parts of a running agent and the order in which they start and stop.</summary>
internal sealed partial class Composition : IAsyncDisposable
{
    private readonly CameraPipeline[] _cameras;
    private readonly ViewerRegistry _viewers;
    private readonly EntityRegistry _entities = new();
    private readonly PersistentState _state;
    private readonly MqttService? _mqtt;
    private readonly HomeUpdates _home;
    private readonly PwmEntities? _pwm;
    private readonly SensorEntities? _sensors;
    private readonly GpioEntities? _gpio;
    private readonly PublisherEntities? _publishers;
    private readonly AutomationHome? _automations;
    private readonly HomeMotion _motion;
    private readonly ViewerConversations? _conversations;

    /// <summary>Opens the media port; nothing is captured or announced before <see cref="Start"/>.</summary>
    /// <param name="options">What there is.</param>
    /// <param name="loggers">For the log.</param>
    /// <param name="restart">Ends the agent so that it is started anew; <c>null</c> if nobody would start it.</param>
    /// <exception cref="InvalidOperationException">The media port cannot be opened.</exception>
    public Composition(AgentOptions options, ILoggerFactory loggers, Action? restart)
    {
        _cameras = [.. options.Cameras.Select(camera => new CameraPipeline(camera, loggers))];
        // systemd.exec(5), StateDirectory=: several are separated by ':'.
        var stateDirectory = options.StateDirectory ?? Environment.GetEnvironmentVariable("STATE_DIRECTORY")?.Split(':')[0];
        _state = new PersistentState(stateDirectory, loggers.CreateLogger<PersistentState>());
        // Of one number, the TCP port is HTTP's.
        var webRtc = options.WebRtc with { Tcp = options.WebRtc.Tcp && options.WebRtc.UdpPort != options.Http.Listen.Port };
        _viewers = ViewerRegistry.Open(webRtc, _cameras.ToDictionary(c => c.Options.Name, c => c.Hub), loggers);
        var broker = options.Mqtt.Connection;
        var home = new MqttHome(_entities, options.HomeAssistant, HostDescription.Read(options.Http.Listen), broker.Device, RememberedIdentity.Find(_state));
        _mqtt = broker.Host is null ? null : new MqttService(broker, _viewers, options.Cameras[0].Name, loggers, home);
        if (_mqtt is null) LogNoBroker(loggers.CreateLogger<Composition>());
        else _mqtt.Connected += () => RememberedIdentity.Keep(_state, new(broker.EffectiveBaseTopic, broker.Device, options.HomeAssistant.DiscoveryPrefix));
        _automations = options.Automations.Count == 0 ? null : new AutomationHome(options, _entities, _state, _mqtt, loggers);
        var units = _cameras.ToDictionary(c => c.Options.Name, c => new CameraUnit(c, new CameraPrivacy(c, _state)));
        _motion = new HomeMotion(units.Values, _entities, _state, loggers);
        State = new AgentState(_viewers, () => [.. _cameras.Select(c => c.GetStatus())], () => _mqtt?.GetStatus(), TimeProvider.System)
        {
            Entities = _entities,
            PwmCommandsRefused = () => _pwm?.Refused,
            Sensors = () => _sensors,
            Gpio = () => _gpio?.Counters,
            Publishers = () => _publishers?.Status,
            Automations = _automations,
            Units = units,
            Motion = _motion.Cameras,
        };
        _home = new HomeUpdates(
            _entities, State.Units.Values, _viewers, _state, () => _mqtt?.GetStatus()?.Connected == true, restart, TimeProvider.System, loggers.CreateLogger<HomeUpdates>());
        _pwm = PwmEntities.Create(options, _entities, _state, loggers);
        _sensors = SensorEntities.Create(options.Sensors, _entities, TimeProvider.System, loggers);
        _gpio = GpioEntities.Create(options, _entities, _state, State.Units, loggers);
        _publishers = PublisherEntities.Create(options, _viewers, _entities, _state, loggers);
        _automations?.Register();
        _conversations = options.WebRtc.DataChannels ? new ViewerConversations(options, _entities, _viewers.Channels, _cameras, TimeProvider.System, loggers) : null;
    }

    public AgentState State { get; }

    public void Start()
    {
        // A privacy switch keeps its cameras private until it has been read.
        _gpio?.Start();
        foreach (var camera in _cameras)
        {
            camera.Start();
        }

        _pwm?.Start();
        _sensors?.Start();
        _publishers?.Start();
        _mqtt?.Start();
        _automations?.Start();
    }

    /// <summary>Whether every camera's thread and the media loop get on; each says in the log if it does not.</summary>
    public async ValueTask<bool> GetsOnAsync()
    {
        var getsOn = await _viewers.CheckProgressAsync();
        foreach (var camera in _cameras)
        {
            getsOn &= camera.CheckProgress();
        }

        return getsOn;
    }

    /// <summary>Says offline to the broker, BYE to the viewers, then joins the cameras' threads.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_automations is not null)
        {
            await _automations.DisposeAsync();
        }

        if (_conversations is not null)
        {
            await _conversations.DisposeAsync();
        }

        if (_publishers is not null)
        {
            await _publishers.DisposeAsync();
        }

        await _motion.DisposeAsync();
        await _home.DisposeAsync();
        if (_mqtt is not null)
        {
            await _mqtt.StopAsync();
        }

        _viewers.Dispose();
        // Each waits for its device; together they wait for the slowest.
        await Task.WhenAll(_cameras.Select(camera => Task.Run(camera.Dispose)));
        _pwm?.Dispose();
        _sensors?.Dispose();
        _gpio?.Dispose();
        await _state.DisposeAsync();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "No MQTT broker is configured (mqtt.host): everything works over HTTP alone")]
    private static partial void LogNoBroker(ILogger logger);
}
