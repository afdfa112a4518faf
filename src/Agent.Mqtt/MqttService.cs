using Agent.Transport;
using Microsoft.Extensions.Logging;

namespace Agent.Mqtt;

/// <summary>
/// Everything the agent does over MQTT: the connection, its retained <c>online</c>/<c>offline</c> on <c>{base}/status</c>, WebRTC
/// signalling, and the entities with their commands and their discovery by Home Assistant. Make one, <see cref="Start"/> it, and <see cref="StopAsync"/> it before the media loop ends.
/// </summary>
public sealed class MqttService : IAsyncDisposable
{
    private const int AtLeastOnce = 1;

    /// <summary>Opening or closing a camera takes seconds.</summary>
    private static readonly TimeSpan s_commandTimeout = TimeSpan.FromSeconds(10);

    private readonly IMqttConnection _connection;
    private readonly Func<MqttStatus>? _connectionStatus;
    private readonly IViewerGateway _gateway;
    private readonly MqttHome? _home;
    private readonly string _baseTopic;
    private readonly string _defaultCamera;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private MqttSignaling? _signaling;
    private EntityPublisher? _publisher;
    private EntityCommands? _commands;
    private FormerDevice? _former;
    private bool _stopped;

    /// <param name="options">The broker; its host must be set.</param>
    /// <param name="gateway">Where viewers are opened.</param>
    /// <param name="defaultCamera">The camera of an offer that names none: the first one.</param>
    /// <param name="loggers">For the log.</param>
    /// <param name="home">What a smart home sees of the device; <c>null</c> leaves it at signalling.</param>
    public MqttService(MqttOptions options, IViewerGateway gateway, string defaultCamera, ILoggerFactory loggers, MqttHome? home = null)
        : this(
            new MqttSession(options, loggers.CreateLogger<MqttSession>()), gateway, options.EffectiveBaseTopic, defaultCamera, loggers, TimeProvider.System,
            home)
    {
        _connectionStatus = ((MqttSession)_connection).GetStatus;
    }

    internal MqttService(
        IMqttConnection connection, IViewerGateway gateway, string baseTopic, string defaultCamera, ILoggerFactory loggers, TimeProvider time,
        MqttHome? home = null)
    {
        _connection = connection;
        _gateway = gateway;
        _home = home;
        _baseTopic = baseTopic;
        _defaultCamera = defaultCamera;
        _loggers = loggers;
        _time = time;
    }

    /// <summary>The broker is there, from now on. On the connection's thread: must only enqueue.</summary>
    public event Action? Connected
    {
        add => _connection.Connected += value;
        remove => _connection.Connected -= value;
    }

    private string StatusTopic => $"{_baseTopic}/status";

    /// <summary>The connection's state and counters; <c>null</c> only over a substituted connection.</summary>
    public MqttStatus? GetStatus()
    {
        var status = _connectionStatus?.Invoke();
        return status is null ? null : status with
        {
            PublishDropped = status.PublishDropped + (_publisher?.Dropped ?? 0),
            ReceiveDropped = status.ReceiveDropped + (_signaling?.Dropped ?? 0) + (_commands?.Dropped ?? 0),
        };
    }

    /// <summary>Begins to connect, in the background and for ever; returns at once.</summary>
    /// <exception cref="InvalidOperationException">The options name no host.</exception>
    /// <exception cref="FileNotFoundException">A file for TLS does not exist.</exception>
    public void Start()
    {
        _connection.Connected += PublishOnline;
        _signaling = new MqttSignaling(
            _connection, _gateway, _baseTopic, _defaultCamera, _loggers.CreateLogger<MqttSignaling>(), _time);
        if (_home is { } home)
        {
            var identity = new MqttIdentity(_baseTopic, home.DeviceId, home.HomeAssistant.DiscoveryPrefix);
            if (home.Former is { } former && former != identity)
            {
                _former = new FormerDevice(_connection, former, identity, _loggers.CreateLogger<FormerDevice>(), _time);
            }

            var topics = new EntityTopics(_baseTopic);
            var discovery = new HomeAssistantDiscovery(_connection, home.HomeAssistant, home.Description, home.DeviceId, topics);
            _publisher = new EntityPublisher(_connection, home.Entities, topics, discovery, _loggers.CreateLogger<EntityPublisher>(), _time);
            _commands = new EntityCommands(
                _connection, home.Entities, topics, _publisher.Acknowledge, s_commandTimeout, _loggers.CreateLogger<EntityCommands>(), _time);
        }

        _connection.Start(StatusTopic, "offline"u8);
    }

    /// <summary>Publishes a message of somebody else's, at least once; false while the broker is away or its queue is full.</summary>
    public bool TryPublish(string topic, ReadOnlySpan<byte> payload, bool retain) =>
        _connection.IsConnected && _connection.Publish(topic, payload, AtLeastOnce, retain);

    /// <summary>Ends the viewers that came over MQTT, publishes <c>offline</c> and disconnects. A second call does nothing.</summary>
    public async Task StopAsync()
    {
        if (_stopped)
        {
            return;
        }

        _stopped = true;
        _connection.Connected -= PublishOnline;
        if (_signaling is not null)
        {
            await _signaling.DisposeAsync().ConfigureAwait(false);
        }

        if (_commands is not null)
        {
            await _commands.DisposeAsync().ConfigureAwait(false);
        }

        if (_former is not null)
        {
            await _former.DisposeAsync().ConfigureAwait(false);
        }

        if (_publisher is not null)
        {
            await _publisher.DisposeAsync().ConfigureAwait(false);
        }

        // A clean DISCONNECT makes the broker forget the will, so the status is published by hand.
        if (_connection.IsConnected)
        {
            _connection.Publish(StatusTopic, "offline"u8, AtLeastOnce, retain: true);
        }

        _connection.Dispose();
    }

    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    private void PublishOnline() => _connection.Publish(StatusTopic, "online"u8, AtLeastOnce, retain: true);
}
