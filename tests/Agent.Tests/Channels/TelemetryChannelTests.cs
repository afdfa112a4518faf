using System.Text.Json;
using Agent.Channels;
using Agent.Home;
using Agent.Transport.Channels;

namespace Agent.Tests.Channels;

public sealed class TelemetryChannelTests : IDisposable
{
    private readonly EntityRegistry _entities = new();
    private readonly FakeChannels _channels = new();
    private readonly StillClock _clock = new();
    private readonly TelemetryChannel _telemetry;

    public TelemetryChannelTests()
    {
        _entities.Register(new SensorEntity("early", "Early"));
        _entities.Publish("early", "1");
        _telemetry = new TelemetryChannel(_entities, _channels, [], _clock);
    }

    public void Dispose() => _telemetry.Dispose();

    [Fact]
    public void A_change_is_told_once_with_the_time_at_which_it_was_made()
    {
        _entities.Register(new SensorEntity("warmth", "Warmth"));
        _entities.Publish("warmth", "20.5");
        _entities.Publish("warmth", "20.6");
        var changedAt = _clock.GetUtcNow().ToUnixTimeMilliseconds();
        _clock.Advance(TimeSpan.FromMilliseconds(15));
        _telemetry.Tell();
        var (_, message, _) = Assert.Single(_channels.Broadcasts);
        Assert.Equal(changedAt + 15, message.GetProperty("sentAt").GetInt64());
        var state = Assert.Single(message.GetProperty("states").EnumerateArray().ToArray());
        Assert.Equal(("warmth", "20.6", changedAt), (state.GetProperty("id").GetString(), state.GetProperty("value").GetString(), state.GetProperty("at").GetInt64()));
        _telemetry.Tell();
        Assert.Single(_channels.Broadcasts);
    }

    [Fact]
    public void What_is_unavailable_or_gone_is_told_as_such()
    {
        _entities.SetAvailable("early", false);
        _telemetry.Tell();
        Assert.False(States().Single().GetProperty("available").GetBoolean());
        _channels.Broadcasts.Clear();
        _entities.Remove("early");
        _telemetry.Tell();
        Assert.True(States().Single().GetProperty("removed").GetBoolean());
    }

    [Fact]
    public async Task A_new_listener_is_told_everything_and_all_are_told_again_now_and_then()
    {
        _telemetry.Open(new ViewerChannel("session", 0, ViewerChannelLabels.Telemetry, "whep", "x"));
        var state = Assert.Single((await _channels.NextAsync()).GetProperty("states").EnumerateArray().ToArray());
        Assert.Equal(("early", "1"), (state.GetProperty("id").GetString(), state.GetProperty("value").GetString()));
        Assert.False(state.TryGetProperty("at", out _)); // it had changed before anybody looked
        _clock.Advance(TelemetryChannel.RefreshInterval);
        _telemetry.Tell();
        Assert.Equal(["early"], States().Select(one => one.GetProperty("id").GetString()));
    }

    [Fact]
    public void Many_states_travel_in_messages_that_fit_a_packet()
    {
        for (var i = 0; i < 200; i++)
        {
            _entities.Register(new SensorEntity($"a_sensor_with_a_long_name_{i}", "Sensor"));
            _entities.Publish($"a_sensor_with_a_long_name_{i}", "123456.789");
        }

        _telemetry.Tell();
        Assert.Equal(200, States().Length);
        Assert.All(_channels.Broadcasts, one => Assert.InRange(one.Length, 1, 1132));
        Assert.InRange(_channels.Broadcasts.Count, 10, 40);
    }

    [Fact]
    public void Nothing_is_told_to_nobody()
    {
        _channels.Listeners = 0;
        _entities.Publish("early", "2");
        _telemetry.Tell();
        Assert.Empty(_channels.Broadcasts);
    }

    private JsonElement[] States() => [.. _channels.Broadcasts.SelectMany(one => one.Message.GetProperty("states").EnumerateArray())];
}
