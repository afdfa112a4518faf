using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Agent.Home;
using Microsoft.Extensions.Logging;

namespace Agent.Mqtt;

/// <summary>
/// Keeps the broker's retained messages equal to the registry: states, availability and, through <see cref="HomeAssistantDiscovery"/>, the
/// discovery configuration. Everything is published at each connection, and what the broker keeps of entities that are gone is emptied.
/// One task publishes; the registry, the broker and the timer only leave word of what has changed.
/// </summary>
internal sealed partial class EntityPublisher : IAsyncDisposable
{
    private const int AtLeastOnce = 1;

    /// <summary>Entities come and go in swarms, as a camera's controls do: one configuration serves them all.</summary>
    private static readonly TimeSpan s_settling = TimeSpan.FromMilliseconds(300);

    /// <summary>Every device of the home hears at once that Home Assistant has started.</summary>
    private static readonly TimeSpan s_longestJitter = TimeSpan.FromSeconds(1);

    private readonly IMqttConnection _connection;
    private readonly EntityRegistry _registry;
    private readonly EntityTopics _topics;
    private readonly HomeAssistantDiscovery? _discovery;
    private readonly ILogger _logger;
    private readonly PendingChanges _pending = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ITimer _announceLater;
    private readonly ITimer _publishAllLater;
    private readonly Task _worker;

    /// <param name="connection">The broker.</param>
    /// <param name="registry">What is to be published.</param>
    /// <param name="topics">Where.</param>
    /// <param name="discovery">Announces it; <c>null</c> if nothing is announced.</param>
    /// <param name="logger">For bugs.</param>
    /// <param name="time">Gathers changes that come in swarms.</param>
    public EntityPublisher(
        IMqttConnection connection, EntityRegistry registry, EntityTopics topics, HomeAssistantDiscovery? discovery, ILogger logger, TimeProvider time)
    {
        (_connection, _registry, _topics, _discovery, _logger) = (connection, registry, topics, discovery, logger);
        _announceLater = time.CreateTimer(_ => Announce(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _publishAllLater = time.CreateTimer(_ => PublishAll(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        // Without No Local: a broker may hold back by it what this client's former session left retained. Echoes are not retained, and ignored.
        connection.MessageReceived += Receive;
        connection.Subscribe(topics.AvailabilityFilter, AtLeastOnce, noLocal: false);
        if (discovery is not null) connection.Subscribe(discovery.ConfigTopic, AtLeastOnce, noLocal: false);
        if (discovery?.StatusTopic is { } status) connection.Subscribe(status, AtLeastOnce, noLocal: false);
        connection.Connected += Reconnect;
        connection.Relieved += Wake;
        registry.Changed += Note;
        _worker = Task.Run(WorkAsync);
    }

    /// <summary>Events that were never published.</summary>
    public long Dropped => _pending.Dropped;

    /// <summary>Publishes an entity's state though it may not have changed, which acknowledges a command.</summary>
    public void Acknowledge(string id)
    {
        _pending.AddEntity(id, EntityParts.State);
        Wake();
    }

    public async ValueTask DisposeAsync()
    {
        _registry.Changed -= Note;
        _connection.Connected -= Reconnect;
        _connection.Relieved -= Wake;
        _connection.MessageReceived -= Receive;
        await _announceLater.DisposeAsync().ConfigureAwait(false);
        await _publishAllLater.DisposeAsync().ConfigureAwait(false);
        _wake.Writer.TryComplete();
        await _worker.ConfigureAwait(false);
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    private void Reconnect()
    {
        _pending.DropHappenings();
        PublishAll();
    }

    private void PublishAll()
    {
        _pending.AddAnnouncement();
        foreach (var state in _registry.All) _pending.AddEntity(state.Entity.Id, EntityParts.All);
        Wake();
    }

    private void Announce()
    {
        _pending.AddAnnouncement();
        Wake();
    }

    private void Note(EntityState state, EntityChange change)
    {
        var id = state.Entity.Id;
        switch (change)
        {
            case EntityChange.State when state.Entity is EventEntity:
                _pending.AddHappening(id, state.Value!);
                break;
            case EntityChange.State:
                _pending.AddEntity(id, EntityParts.State);
                break;
            case EntityChange.Availability:
                _pending.AddEntity(id, EntityParts.Availability);
                break;
            default:
                _pending.AddEntity(id, EntityParts.All);
                _announceLater.Change(s_settling, Timeout.InfiniteTimeSpan);
                break;
        }

        Wake();
    }

    private void Receive(MqttMessage message)
    {
        if (message.Topic == _discovery?.StatusTopic)
        {
            // A retained one is old news: at the connection everything is published anyway.
            if (!message.Retained && message.Payload.Span.SequenceEqual("online"u8))
            {
                _publishAllLater.Change(Random.Shared.NextDouble() * s_longestJitter, Timeout.InfiniteTimeSpan);
            }
        }
        else if (message.Retained && message.Payload.Length > 0)
        {
            if (message.Topic == _discovery?.ConfigTopic)
            {
                _pending.AddReadBack(message.Payload);
                Wake();
            }
            else if (_topics.TryParseAvailability(message.Topic, out var id) && _registry.Find(id) is null)
            {
                _pending.AddEntity(id, EntityParts.All);
                Wake();
            }
        }
    }

    private async Task WorkAsync()
    {
        await foreach (var _ in _wake.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                while (_connection.IsConnected && !_connection.IsCongested && _pending.TryTake(out var change))
                {
                    // Not taken: the connection has ended, and all is published at the next; or the queue is full, and its relief wakes this task.
                    if (!TryPublish(change)) break;
                }

                if (!_connection.IsConnected) _pending.DropHappenings();
            }
            catch (Exception failure)
            {
                // A bug met by one entity must not silence all the others.
                LogFailure(failure);
            }
        }
    }

    private bool TryPublish(PendingChange change)
    {
        switch (change.Kind)
        {
            case PendingKind.Announcement:
                var isAnnounced = _discovery?.TryAnnounce(_registry.All) ?? true;
                if (!isAnnounced) _pending.AddAnnouncement();
                return isAnnounced;
            case PendingKind.ReadBack:
                return _discovery?.TryReconcile(change.ReadBack.Span, _registry.All) ?? true;
            case PendingKind.Happening:
                return _connection.Publish(_topics.State(change.Id), Happening(change.Type), AtLeastOnce, retain: false);
            default:
                return TryPublishEntity(change);
        }
    }

    /// <summary>An empty retained message makes the broker forget the topic (MQTT 5 §3.3.1.3).</summary>
    private bool TryPublishEntity(PendingChange change)
    {
        var state = _registry.Find(change.Id);
        var isPublished = true;
        if (change.Parts.HasFlag(EntityParts.State))
        {
            isPublished = _connection.Publish(_topics.State(change.Id), Payload(state).Span, AtLeastOnce, retain: true);
        }

        if (change.Parts.HasFlag(EntityParts.Availability))
        {
            var availability = state is null ? default : state.IsAvailable ? "online"u8 : "offline"u8;
            isPublished &= _connection.Publish(_topics.Availability(change.Id), availability, AtLeastOnce, retain: true);
        }

        if (!isPublished) _pending.AddEntity(change.Id, change.Parts);
        return isPublished;
    }

    private static byte[] Happening(string type) => JsonSerializer.SerializeToUtf8Bytes(new EventEnvelope(type), EntityJson.Default.EventEnvelope);

    private static ReadOnlyMemory<byte> Payload(EntityState? state) => state switch
    {
        null or { Entity: EventEntity or ButtonEntity } => default,
        { Entity: PictureEntity } => state.Picture,
        { Value: null } => default,
        { Entity: UpdateEntity } => JsonSerializer.SerializeToUtf8Bytes(new UpdateEnvelope(state.Value), EntityJson.Default.UpdateEnvelope),
        _ => Encoding.UTF8.GetBytes(state.Value),
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "Publishing the entities' state failed; this is a bug")]
    private partial void LogFailure(Exception failure);
}
