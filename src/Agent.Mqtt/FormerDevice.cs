using Agent.Home;
using Microsoft.Extensions.Logging;

namespace Agent.Mqtt;

/// <summary>What a device was, or is, called at the broker.</summary>
/// <param name="BaseTopic">What its topics begin with.</param>
/// <param name="DeviceId">mqtt.device.</param>
/// <param name="DiscoveryPrefix">What Home Assistant's topics begin with.</param>
public sealed record MqttIdentity(string BaseTopic, string DeviceId, string DiscoveryPrefix);

/// <summary>
/// Takes back what this device left at the broker under a name that it no longer has: Home Assistant would go on showing it. Where another device
/// has taken the name meanwhile nothing is touched: only a status that has stayed <c>offline</c> is nobody's.
/// </summary>
internal sealed partial class FormerDevice : IAsyncDisposable
{
    private const int AtLeastOnce = 1;

    private readonly IMqttConnection _connection;
    private readonly MqttIdentity _former;
    private readonly EntityTopics _topics;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;

    /// <summary>An announcement that is not the present one's; <c>null</c> if it is.</summary>
    private readonly string? _configuration;

    /// <summary>Of a home without entities: it empties whatever the broker keeps of them.</summary>
    private volatile EntityPublisher? _emptying;
    private bool _isDecided;

    /// <param name="connection">Not started yet.</param>
    /// <param name="former">What the device was called.</param>
    /// <param name="present">What it is called now.</param>
    /// <param name="logger">Says what is done.</param>
    /// <param name="time">For the publisher.</param>
    public FormerDevice(IMqttConnection connection, MqttIdentity former, MqttIdentity present, ILogger logger, TimeProvider time)
    {
        (_connection, _former, _logger, _time) = (connection, former, logger, time);
        _topics = new EntityTopics(former.BaseTopic);
        _configuration = ConfigTopic(former) == ConfigTopic(present) ? null : ConfigTopic(former);
        if (former.BaseTopic == present.BaseTopic)
        {
            // The topics go on; an announcement under the other name or prefix does not.
            connection.Connected += TakeAnnouncementBack;
            return;
        }

        connection.MessageReceived += Receive;
        connection.Subscribe(_topics.Status, AtLeastOnce, noLocal: false);
    }

    public async ValueTask DisposeAsync()
    {
        _connection.Connected -= TakeAnnouncementBack;
        _connection.MessageReceived -= Receive;
        if (_emptying is { } emptying) await emptying.DisposeAsync().ConfigureAwait(false);
    }

    private static string ConfigTopic(MqttIdentity identity) => HomeAssistantDiscovery.ConfigTopicOf(identity.DiscoveryPrefix, identity.DeviceId);

    /// <summary>An empty configuration removes the device from Home Assistant.</summary>
    private void TakeAnnouncementBack()
    {
        if (_configuration is { } topic) _connection.Publish(topic, default, AtLeastOnce, retain: true);
    }

    private void Receive(MqttMessage message)
    {
        if (_isDecided || !message.Retained || message.Topic != _topics.Status) return;
        _isDecided = true;
        if (!message.Payload.Span.SequenceEqual("offline"u8))
        {
            LogTaken(_former.BaseTopic);
            return;
        }

        LogTakenBack(_former.BaseTopic);
        TakeAnnouncementBack();
        _emptying = new EntityPublisher(_connection, new EntityRegistry(), _topics, null, _logger, _time);
        _connection.Publish(_topics.Status, default, AtLeastOnce, retain: true);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "This device was {BaseTopic} at the broker before; what is left of that is taken back")]
    private partial void LogTakenBack(string baseTopic);

    [LoggerMessage(Level = LogLevel.Warning, Message = "This device was {BaseTopic} at the broker before, and another device is now; nothing of that is taken back")]
    private partial void LogTaken(string baseTopic);
}
