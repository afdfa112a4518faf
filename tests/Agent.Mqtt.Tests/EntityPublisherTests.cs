using Agent.Home;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Mqtt.Tests;

/// <summary>What is published, when, and what is not, over a connection in memory.</summary>
public sealed class EntityPublisherTests : IAsyncDisposable
{
    private const string Config = "homeassistant/device/camera-agent-Porch-1/config";

    private readonly FakeMqttConnection _connection = new();
    private readonly EntityRegistry _home = new();
    private readonly EntityPublisher _publisher;

    public EntityPublisherTests()
    {
        _home.Register(new SensorEntity("heat", "Heat"));
        _home.Register(new EventEntity("bell", "Bell", ["press"]));
        var topics = new EntityTopics("base");
        var discovery = new HomeAssistantDiscovery(_connection, new HomeAssistantOptions(), new DeviceDescription("1.0"), "Porch-1", topics);
        _publisher = new EntityPublisher(_connection, _home, topics, discovery, NullLogger.Instance, TimeProvider.System);
    }

    public async ValueTask DisposeAsync() => await _publisher.DisposeAsync();

    /// <summary>Everything that a connection is told at its beginning.</summary>
    private async Task ConnectAsync()
    {
        _connection.Connect();
        await ExpectAllAsync();
    }

    private async Task ExpectAllAsync(string heat = "")
    {
        Assert.Equal(Config, (await _connection.NextAsync()).Topic);
        await ExpectAsync("base/heat", heat);
        await ExpectAsync("base/heat/availability", "online");
        await ExpectAsync("base/bell", "");
        await ExpectAsync("base/bell/availability", "online");
    }

    private async Task ExpectAsync(string topic, string payload, bool retain = true)
    {
        var published = await _connection.NextAsync();
        Assert.Equal((topic, payload, 1, retain), (published.Topic, published.Payload, published.Qos, published.Retain));
    }

    [Fact]
    public async Task Nothing_leaves_before_a_connection_and_everything_at_each()
    {
        _home.Publish("heat", "20");
        _home.Publish("bell", "press");
        Assert.False(_connection.TryNext(out _));
        _connection.Connect();
        await ExpectAllAsync("20");
        _connection.Disconnect();
        _home.Publish("heat", "21");
        _connection.Connect();
        await ExpectAllAsync("21");
        Assert.False(_connection.TryNext(out _));
    }

    [Fact]
    public async Task Changes_are_published_retained_and_events_are_not()
    {
        await ConnectAsync();
        _home.Publish("heat", "20");
        await ExpectAsync("base/heat", "20");
        _home.SetAvailable("heat", false);
        await ExpectAsync("base/heat/availability", "offline");
        _home.Publish("bell", "press");
        await ExpectAsync("base/bell", """{"event_type":"press"}""", retain: false);
        _home.Publish("bell", "press");
        await ExpectAsync("base/bell", """{"event_type":"press"}""", retain: false);
    }

    [Fact]
    public async Task Under_congestion_the_newest_value_wins_and_of_events_the_oldest_are_dropped()
    {
        await ConnectAsync();
        _connection.IsCongested = true;
        for (var i = 0; i <= 1000; i++) _home.Publish("heat", $"{i}");
        for (var i = 0; i < PendingChanges.MaxHappenings + 5; i++) _home.Publish("bell", $"{i}");
        _connection.Relieve();

        for (var i = 5; i < PendingChanges.MaxHappenings + 5; i++) await ExpectAsync("base/bell", $$"""{"event_type":"{{i}}"}""", retain: false);
        await ExpectAsync("base/heat", "1000");
        Assert.Equal(5, _publisher.Dropped);
        _home.Publish("heat", "last");
        await ExpectAsync("base/heat", "last");
    }

    [Fact]
    public async Task A_new_entity_is_published_and_then_announced_and_a_removed_one_leaves_nothing()
    {
        await ConnectAsync();
        _home.Register(new SwitchEntity("relay", "Relay"));
        await ExpectAsync("base/relay", "");
        await ExpectAsync("base/relay/availability", "online");
        Assert.Contains("base/relay/set", (await _connection.NextAsync()).Payload);
        _home.Remove("relay");
        await ExpectAsync("base/relay", "");
        await ExpectAsync("base/relay/availability", "");
        Assert.Contains("""relay":{"p":"switch"}""", (await _connection.NextAsync()).Payload);
        Assert.DoesNotContain("relay", (await _connection.NextAsync()).Payload);
    }

    [Fact]
    public async Task What_the_broker_keeps_of_entities_that_are_gone_is_emptied_and_nothing_else()
    {
        await ConnectAsync();
        _connection.Receive("base/old/availability", "online", retained: true);
        await ExpectAsync("base/old", "");
        await ExpectAsync("base/old/availability", "");
        foreach (var topic in new[] { "base/heat/availability", "base/webrtc/availability", "base/a/b/availability", "base/Bad/availability", "base//availability", "other/old/availability" })
        {
            _connection.Receive(topic, "online", retained: true);
        }

        _connection.Receive("base/echo/availability", "online");
        _connection.Receive("base/old/availability", "", retained: true);
        _home.Publish("heat", "20");
        await ExpectAsync("base/heat", "20");
    }

    [Fact]
    public async Task The_brokers_former_configuration_is_reconciled()
    {
        await ConnectAsync();
        _connection.Receive(Config, """{"cmps":{"gone":{"p":"button"}}}""", retained: true);
        Assert.Contains("""gone":{"p":"button"}""", (await _connection.NextAsync()).Payload);
        Assert.DoesNotContain("gone", (await _connection.NextAsync()).Payload);
    }

    [Fact]
    public async Task Home_Assistants_start_brings_everything_again()
    {
        await ConnectAsync();
        _connection.Receive("homeassistant/status", "offline");
        _connection.Receive("homeassistant/status", "online", retained: true);
        _connection.Receive("homeassistant/status", "online");
        await ExpectAllAsync();
        Assert.False(_connection.TryNext(out _));
    }

    [Fact]
    public async Task An_acknowledgement_publishes_an_unchanged_state()
    {
        await ConnectAsync();
        _publisher.Acknowledge("heat");
        await ExpectAsync("base/heat", "");
    }
}
