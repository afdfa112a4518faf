using System.Text;
using Agent.Home;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Mqtt.Tests;

/// <summary>Commands and their refusals over a connection in memory.</summary>
public sealed class EntityCommandsTests : IAsyncDisposable
{
    private readonly FakeMqttConnection _connection = new();
    private readonly EntityRegistry _home = ExampleHome.Make();
    private readonly ManualTime _time = new();
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private EntityCommands _commands;

    public EntityCommandsTests()
    {
        _home.Register(new SwitchEntity("broken", "Broken"), (_, _) => throw new InvalidOperationException("bug"));
        _home.Register(new SwitchEntity("stuck", "Stuck"), async (_, _) =>
        {
            await _release.Task;
            return CommandOutcome.Done;
        });
        _home.Register(new SwitchEntity("stubborn", "Stubborn"), (_, _) => new(CommandOutcome.Refused("the relay is welded")));
        _commands = Make(TimeSpan.FromMinutes(1));
        _connection.Connect();
    }

    public async ValueTask DisposeAsync()
    {
        _release.TrySetResult();
        await _commands.DisposeAsync();
    }

    private EntityCommands Make(TimeSpan timeout) => new(_connection, _home, new EntityTopics("base"), Acknowledge, timeout, NullLogger.Instance, _time);

    private void Acknowledge(string id) => _connection.Publish($"ack/{id}", Encoding.UTF8.GetBytes(_home.Find(id)?.Value ?? ""), 1, retain: true);

    private async Task ExpectRefusalAsync(string entity, string code, bool isAcknowledged = false)
    {
        var published = await _connection.NextAsync();
        Assert.Equal(("base/error", entity, code), (published.Topic, published.ParseJson().GetProperty("entity").GetString(), published.ParseJson().GetProperty("code").GetString()));
        Assert.False(published.Retain);
        Assert.DoesNotContain(published.ParseJson().GetProperty("message").GetString()!, char.IsControl);
        if (isAcknowledged) Assert.Equal($"ack/{entity}", (await _connection.NextAsync()).Topic);
    }

    [Fact]
    public async Task A_command_is_carried_out_and_acknowledged_though_nothing_changed()
    {
        for (var i = 0; i < 2; i++)
        {
            _connection.Receive("base/porch_privacy/set", " on\n");
            var published = await _connection.NextAsync();
            Assert.Equal(("ack/porch_privacy", "ON"), (published.Topic, published.Payload));
        }
    }

    [Theory]
    [InlineData("porch_privacy", "maybe", "malformed")]
    [InlineData("porch_privacy", "{}", "malformed")]
    [InlineData("lamp", "101", "malformed")]
    [InlineData("lamp", "-1", "malformed")]
    [InlineData("lamp", "50.5", "malformed")]
    [InlineData("porch_bitrate", "NaN", "malformed")]
    [InlineData("porch_bitrate", "1e308", "malformed")]
    [InlineData("porch_bitrate", "99", "malformed")]
    [InlineData("porch_mode", "off", "malformed")]
    [InlineData("temperature", "20", "takes-no-commands")]
    [InlineData("bell", "press", "takes-no-commands")]
    [InlineData("stubborn", "ON", "failed")]
    [InlineData("broken", "ON", "failed")]
    public async Task A_command_that_cannot_be_carried_out_is_refused_with_the_reason_and_the_state_said_again(string id, string command, string code)
    {
        _connection.Receive($"base/{id}/set", command);
        await ExpectRefusalAsync(id, code, isAcknowledged: true);
    }

    [Fact]
    public async Task Messages_that_no_entity_is_asked_about_are_refused()
    {
        foreach (var id in new[] { "porch_privacy", "lamp", "porch_bitrate", "porch_mode", "reboot_agent" })
        {
            _connection.Receive($"base/{id}/set", "");
            await ExpectRefusalAsync(id, "malformed");
            _connection.Receive($"base/{id}/set", [0xFF, 0xFE]);
            await ExpectRefusalAsync(id, "malformed");
            _connection.Receive($"base/{id}/set", "O\0N");
            await ExpectRefusalAsync(id, "malformed");
            _connection.Receive($"base/{id}/set", new byte[EntityCommands.MaxCommandBytes + 1]);
            await ExpectRefusalAsync(id, "malformed");
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        _connection.Receive("base/porch_privacy/set", "ON", retained: true);
        await ExpectRefusalAsync("porch_privacy", "retained");
        _connection.Receive("base/nothing/set", "ON");
        await ExpectRefusalAsync("nothing", "unknown-entity");
        _connection.Receive("base/\u001b[31m/set", "ON");
        await ExpectRefusalAsync("", "unknown-entity");
        _home.SetAvailable("porch_privacy", false);
        _connection.Receive("base/porch_privacy/set", "ON");
        await ExpectRefusalAsync("porch_privacy", "unavailable", isAcknowledged: true);
        Assert.All(_home.All.Where(s => s.Entity is not SensorEntity), s => Assert.Null(s.Value));
        Assert.Null(_home.Find("pressed")!.Value);
    }

    [Fact]
    public async Task A_response_topic_below_response_gets_the_outcome_with_its_correlation_data_and_no_other_does()
    {
        _connection.Receive("base/porch_privacy/set", "ON", responseTopic: "base/response/me", correlationData: [7]);
        var reply = await _connection.NextAsync();
        Assert.Equal(("base/response/me", """{"entity":"porch_privacy","done":true}"""), (reply.Topic, reply.Payload));
        Assert.Equal([7], reply.CorrelationData);
        Assert.False(reply.Retain);
        Assert.Equal("ack/porch_privacy", (await _connection.NextAsync()).Topic);

        _connection.Receive("base/porch_privacy/set", "7", responseTopic: "base/response/me");
        Assert.Equal("malformed", (await _connection.NextAsync()).ParseJson().GetProperty("code").GetString());
        await ExpectRefusalAsync("porch_privacy", "malformed", isAcknowledged: true);

        foreach (var topic in new[] { "base/status", "base/lamp", "base/lamp/set", "elsewhere", "base/response/+", "base/response/" + new string('x', 300) })
        {
            _connection.Receive("base/porch_privacy/set", "ON", responseTopic: topic);
            Assert.Equal("ack/porch_privacy", (await _connection.NextAsync()).Topic);
        }
    }

    [Fact]
    public async Task A_flood_is_cut_off_and_over_with_time()
    {
        for (var i = 0; i < EntityCommands.Burst; i++)
        {
            _connection.Receive("base/porch_privacy/set", "ON");
            Assert.Equal("ack/porch_privacy", (await _connection.NextAsync()).Topic);
        }

        _connection.Receive("base/porch_privacy/set", "OFF");
        await ExpectRefusalAsync("porch_privacy", "rate-limited");
        Assert.Equal("ON", _home.Find("porch_privacy")!.Value);
        _time.Advance(TimeSpan.FromSeconds(1));
        _connection.Receive("base/porch_privacy/set", "OFF");
        Assert.Equal("ack/porch_privacy", (await _connection.NextAsync()).Topic);
    }

    [Fact]
    public async Task A_command_that_takes_too_long_is_given_up()
    {
        await _commands.DisposeAsync();
        _commands = Make(TimeSpan.FromMilliseconds(50));
        _connection.Receive("base/stuck/set", "ON");
        await ExpectRefusalAsync("stuck", "timeout", isAcknowledged: true);
    }

    [Fact]
    public async Task An_entity_that_hangs_does_not_hold_up_the_others()
    {
        _connection.Receive("base/stuck/set", "ON");
        _connection.Receive("base/porch_privacy/set", "ON");
        Assert.Equal("ack/porch_privacy", (await _connection.NextAsync()).Topic);
        _release.SetResult();
        Assert.Equal("ack/stuck", (await _connection.NextAsync()).Topic);
    }
}
