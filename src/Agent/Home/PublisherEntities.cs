using Agent.Configuration;
using Agent.Transport;
using Agent.Whip;

namespace Agent.Home;

/// <summary>Publishes streams to the servers of the configuration, with a switch for each and whether it is connected.</summary>
internal sealed class PublisherEntities : IAsyncDisposable
{
    private readonly EntityRegistry _entities;
    private readonly PersistentState _state;
    private readonly (WhipOptions Options, WhipPublisher Publisher)[] _publishers;

    private PublisherEntities(AgentOptions options, ViewerRegistry viewers, EntityRegistry entities, PersistentState state, ILoggerFactory loggers)
    {
        (_entities, _state) = (entities, state);
        var log = loggers.CreateLogger<PublisherEntities>();
        var publisherLog = loggers.CreateLogger<WhipPublisher>();
        _publishers = [.. options.Whip.Where(whip => EntityNames.AreFree(entities, log, $"whip.{whip.Name}", Id(whip.Name), ConnectedId(whip.Name))).Select(whip => (whip, new WhipPublisher(whip, viewers, new WhipClient(whip), TimeProvider.System, publisherLog)))];
        foreach (var (whip, publisher) in _publishers) Show(whip.Name, publisher);
    }

    public IReadOnlyList<WhipStatus> Status => [.. _publishers.Select(one => one.Publisher.Status)];

    /// <summary>Registers what the configuration has; <c>null</c> if it has none.</summary>
    public static PublisherEntities? Create(
        AgentOptions options, ViewerRegistry viewers, EntityRegistry entities, PersistentState state, ILoggerFactory loggers) =>
        options.Whip.Count == 0 ? null : new PublisherEntities(options, viewers, entities, state, loggers);

    public void Start()
    {
        foreach (var (whip, publisher) in _publishers)
        {
            var isWanted = whip.Start == PublishAtStart.On || (whip.Start == PublishAtStart.Restore && _state.Find(Key(whip.Name)) == SwitchEntity.On);
            Set(whip.Name, publisher, isWanted);
        }
    }

    public async ValueTask DisposeAsync() => await Task.WhenAll(_publishers.Select(one => one.Publisher.DisposeAsync().AsTask()));

    private static string Key(string name) => $"whip.{name}.on";

    private static string Id(string name) => $"publish_{name}";

    private static string ConnectedId(string name) => $"{Id(name)}_connected";

    private static string ToState(bool isOn) => isOn ? SwitchEntity.On : SwitchEntity.Off;

    private void Show(string name, WhipPublisher publisher)
    {
        var connected = ConnectedId(name);
        _entities.Register(new SwitchEntity(Id(name), $"Publish {EntityNames.ToWords(name)}") { Icon = "mdi:broadcast" }, (command, _) =>
        {
            Set(name, publisher, command == SwitchEntity.On);
            _state.Keep(Key(name), command);
            return new(CommandOutcome.Done);
        });
        _entities.Register(new BinarySensorEntity(connected, $"Publish {EntityNames.ToWords(name)} connected")
        {
            DeviceClass = "connectivity", Category = EntityCategory.Diagnostic,
        });
        _entities.Publish(Id(name), SwitchEntity.Off);
        _entities.Publish(connected, SwitchEntity.Off);
        publisher.ConnectedChanged += isConnected => _entities.Publish(connected, ToState(isConnected));
    }

    private void Set(string name, WhipPublisher publisher, bool isWanted)
    {
        publisher.SetWanted(isWanted);
        _entities.Publish(Id(name), ToState(isWanted));
    }
}
