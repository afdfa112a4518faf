using System.Text;
using System.Text.Json;
using Agent.Channels;
using Agent.Home;
using Agent.Transport.Channels;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Tests.Channels;

public sealed class ControlChannelTests : IAsyncDisposable
{
    private readonly EntityRegistry _entities = new();
    private readonly FakeChannels _channels = new();
    private readonly StillClock _clock = new();
    private readonly ControlChannel _control;
    private readonly ViewerChannel _viewer = new("session", 0, ViewerChannelLabels.Control, "whep", "192.0.2.7");
    private readonly List<string> _carriedOut = [];
    private TaskCompletionSource _gate = new();

    public ControlChannelTests()
    {
        _gate.SetResult();
        _control = new ControlChannel(_entities, _channels, via => via == "whep", TimeSpan.FromSeconds(5), _clock, NullLogger.Instance);
        _entities.Register(new SwitchEntity("relay", "Relay"), async (value, cancellation) =>
        {
            await _gate.Task.WaitAsync(cancellation);
            _carriedOut.Add(value);
            _entities.Publish("relay", value);
            return CommandOutcome.Done;
        });
        _entities.Register(new SwitchEntity("broken", "Broken"), (_, _) => throw new InvalidOperationException("a bug"));
        _entities.Register(new SensorEntity("warmth", "Warmth"));
        _entities.Register(new ButtonEntity("away", "Away"), (_, _) => new(CommandOutcome.Done));
        _entities.SetAvailable("away", false);
    }

    public async ValueTask DisposeAsync() => await _control.DisposeAsync();

    [Theory]
    [InlineData("""{"type":"command","id":7,"entity":"relay","value":true}""", """{"type":"result","id":7,"entity":"relay","ok":true,"value":"ON"}""")]
    [InlineData("""{"type":"command","id":"a\"b","entity":"relay","value":" off "}""", """{"type":"result","id":"a\"b","entity":"relay","ok":true,"value":"OFF"}""")]
    [InlineData("""{"type":"command","entity":"relay","value":"ON","extra":[1]}""", """{"type":"result","entity":"relay","ok":true,"value":"ON"}""")]
    public async Task A_command_is_carried_out_and_answered_with_the_value_it_led_to(string request, string expected)
    {
        Say(request);
        var reply = await _channels.NextAsync();
        Assert.True(JsonElement.DeepEquals(JsonDocument.Parse(expected).RootElement, reply), reply.GetRawText());
    }

    [Theory]
    [InlineData("""{"type":"command","id":1,"entity":"nowhere","value":"ON"}""", "unknown-entity")]
    [InlineData("""{"type":"command","id":1,"entity":"warmth","value":"1"}""", "takes-no-commands")]
    [InlineData("""{"type":"command","id":1,"entity":"relay","value":"perhaps"}""", "malformed")]
    [InlineData("""{"type":"command","id":1,"entity":"away","value":"PRESS"}""", "unavailable")]
    [InlineData("""{"type":"command","id":1,"entity":"broken","value":"ON"}""", "failed")]
    [InlineData("""{"type":"command","id":1,"entity":"relay","value":{}}""", "malformed")]
    [InlineData("""{"type":"command","id":1,"entity":"relay","value":""}""", "malformed")]
    [InlineData("""{"type":"command","id":1,"entity":"relay","value":"O\u0007N"}""", "malformed")]
    [InlineData("""{"type":"command","id":1,"entity":7,"value":"ON"}""", "malformed")]
    [InlineData("""{"type":"wish","id":1}""", "malformed")]
    public async Task A_refusal_has_the_id_a_code_and_a_reason(string request, string code)
    {
        Say(request);
        var reply = await _channels.NextAsync();
        Assert.Equal((1, false, code), (reply.GetProperty("id").GetInt32(), reply.GetProperty("ok").GetBoolean(), reply.GetProperty("code").GetString()));
        Assert.True(reply.GetProperty("message").GetString()!.Length > 10);
        Assert.Empty(_carriedOut);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[1]")]
    [InlineData("null")]
    [InlineData("\"\\ud800\"")]
    [InlineData("{\"type\":\"\\ud800\"}")]
    [InlineData("{\"type\":\"command\",\"entity\":\"\\ud800\",\"value\":\"\\udc00\"}")]
    [InlineData("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}")]
    public async Task What_is_no_command_is_answered_and_nothing_breaks(string text)
    {
        Say(text);
        Assert.Equal("malformed", (await _channels.NextAsync()).GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_message_cut_at_any_length_is_answered()
    {
        const string Request = """{"type":"command","id":7,"entity":"relay","value":"ON"}""";
        for (var length = 0; length < Request.Length; length++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            Say(Request[..length]);
            Assert.Equal("malformed", (await _channels.NextAsync()).GetProperty("code").GetString());
        }
    }

    [Fact]
    public async Task A_message_that_is_too_long_is_answered_by_an_error()
    {
        _control.Handle(new ViewerMessage(_viewer, new byte[4096], 50_000));
        var error = await _channels.NextAsync();
        Assert.Equal(("error", "malformed"), (error.GetProperty("type").GetString(), error.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task A_viewer_that_may_watch_only_is_told_so_once_and_its_commands_are_not_looked_at()
    {
        var watcher = new ViewerChannel("session", 2, ViewerChannelLabels.Control, "mqtt", "tablet");
        _control.Open(watcher);
        var error = await _channels.NextAsync();
        Assert.Equal("not-authorized", error.GetProperty("code").GetString());
        Assert.Equal([watcher], _channels.Closed);
        _control.Handle(new ViewerMessage(watcher, """{"type":"command","id":1,"entity":"relay","value":"ON"}"""u8.ToArray(), 1));
        _control.Open(_viewer);
        Assert.False(_channels.HasSent);
        Assert.Empty(_carriedOut);
    }

    [Fact]
    public async Task Each_viewer_has_its_own_limit()
    {
        var other = new ViewerChannel("other", 0, ViewerChannelLabels.Control, "whep", "192.0.2.8");
        for (var i = 0; i < ControlChannel.Burst + 5; i++) Say("""{"type":"command","id":1,"entity":"nowhere","value":"ON"}""");
        for (var i = 0; i < ControlChannel.Burst; i++) Assert.Equal("unknown-entity", (await _channels.NextAsync()).GetProperty("code").GetString());
        for (var i = 0; i < 5; i++) Assert.Equal("rate-limited", (await _channels.NextAsync()).GetProperty("code").GetString());
        Say("""{"type":"command","id":2,"entity":"relay","value":"ON"}""", other);
        Assert.True((await _channels.NextAsync()).GetProperty("ok").GetBoolean());
        _clock.Advance(TimeSpan.FromSeconds(1));
        Say("""{"type":"command","id":3,"entity":"relay","value":"OFF"}""");
        Assert.True((await _channels.NextAsync()).GetProperty("ok").GetBoolean());
    }

    [Fact]
    public async Task Commands_of_one_entity_keep_their_order_and_do_not_hold_up_others_and_too_many_are_refused()
    {
        _gate = new TaskCompletionSource();
        string[] values = ["ON", "OFF", "ON", "OFF"];
        foreach (var value in values) Say($$"""{"type":"command","id":1,"entity":"relay","value":"{{value}}"}""");
        Say("""{"type":"command","id":2,"entity":"broken","value":"ON"}""");
        Assert.Equal(2, (await _channels.NextAsync()).GetProperty("id").GetInt32());
        var others = Enumerable.Range(0, 4).Select(i => new ViewerChannel($"{i}", 0, ViewerChannelLabels.Control, "whep", "x")).ToArray();
        for (var i = 0; i < ControlChannel.MaximumUnderWay - values.Length; i++) Say("""{"type":"command","id":3,"entity":"relay","value":"ON"}""", others[i % 4]);
        Say("""{"type":"command","id":4,"entity":"relay","value":"ON"}""", others[0]);
        Assert.Equal("busy", (await _channels.NextAsync()).GetProperty("code").GetString());
        _gate.SetResult();
        for (var i = 0; i < ControlChannel.MaximumUnderWay; i++) Assert.True((await _channels.NextAsync()).GetProperty("ok").GetBoolean());
        Assert.Equal(values, _carriedOut.Take(values.Length));
    }

    private void Say(string text, ViewerChannel? channel = null)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        _control.Handle(new ViewerMessage(channel ?? _viewer, bytes, bytes.Length));
    }
}
