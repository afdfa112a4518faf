using System.Net;
using System.Text.Json;
using Agent.Home;
using Agent.Http;

namespace Agent.Tests.Http;

public sealed class EntityEventsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_listener_gets_everything_first_and_then_what_changes()
    {
        var entities = new EntityRegistry();
        entities.Register(new SwitchEntity("relay", "Relay"), (_, _) => new(CommandOutcome.Done));
        entities.Publish("relay", "OFF");
        await using var server = await TestServer.StartAsync(entities: entities);
        using var listener = await ListenAsync(server);

        var (kind, data) = await listener.NextAsync();
        Assert.Equal("entities", kind);
        Assert.Equal(["relay"], data.EnumerateArray().Select(e => e.GetProperty("id").GetString()));

        entities.Publish("relay", "ON");
        (kind, data) = await listener.NextAsync();
        Assert.Equal(("entity", "ON"), (kind, data.GetProperty("value").GetString()));

        entities.SetAvailable("relay", false);
        (kind, data) = await listener.NextAsync();
        Assert.Equal(("entity", false), (kind, data.GetProperty("isAvailable").GetBoolean()));

        entities.Register(new SensorEntity("warmth", "Warmth") { Precision = 1 });
        (kind, data) = await listener.NextAsync();
        Assert.Equal(("entity", 1), (kind, data.GetProperty("precision").GetInt32()));

        entities.Remove("warmth");
        (kind, data) = await listener.NextAsync();
        Assert.Equal(("removed", "warmth"), (kind, data.GetString()));
    }

    [Fact]
    public async Task A_change_that_happens_often_is_taken_once_with_its_newest_state()
    {
        var entities = new EntityRegistry();
        entities.Register(new SensorEntity("one", "One"));
        entities.Register(new SensorEntity("two", "Two"));
        using var changes = new ChangedEntities(entities);
        for (var i = 0; i < 1000; i++)
        {
            entities.Publish("one", $"{i}");
            entities.Publish("two", $"{i}");
        }

        Assert.Equal(["one", "two"], await changes.TakeAsync(Patience, default));
        Assert.Empty(await changes.TakeAsync(TimeSpan.Zero, default));
        entities.Publish("two", "last");
        Assert.Equal(["two"], await changes.TakeAsync(Patience, default));
    }

    [Fact]
    public async Task A_stopping_agent_ends_the_stream_in_order()
    {
        var server = await TestServer.StartAsync();
        using var listener = await ListenAsync(server);
        await listener.NextAsync();
        var stopped = server.StopAsync();
        Assert.Null(await listener.ReadLineAsync());
        await stopped.WaitAsync(Patience);
        await server.DisposeAsync();
    }

    [Fact]
    public async Task One_too_many_is_refused_and_let_in_when_another_has_gone()
    {
        await using var server = await TestServer.StartAsync();
        var listeners = new List<Listener>();
        for (var i = 0; i < EntityEvents.MaximumClients; i++)
        {
            listeners.Add(await ListenAsync(server));
        }

        using var refused = await server.SendAsync("GET", "/api/events");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal(10, refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds);
        foreach (var listener in listeners)
        {
            listener.Dispose();
        }

        // The server notices a closed connection when it comes to read from it.
        using var patience = new CancellationTokenSource(Patience);
        var status = HttpStatusCode.ServiceUnavailable;
        while (status != HttpStatusCode.OK)
        {
            await Task.Delay(10, patience.Token);
            using var again = await server.Client.GetAsync(new Uri("/api/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
            status = again.StatusCode;
        }
    }

    private static async Task<Listener> ListenAsync(TestServer server)
    {
        var response = await server.Client.GetAsync(new Uri("/api/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        return new Listener(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
    }

    private sealed record Listener(HttpResponseMessage Response, StreamReader Reader) : IDisposable
    {
        public async Task<(string Kind, JsonElement Data)> NextAsync()
        {
            var kind = await ReadLineAsync();
            var data = await ReadLineAsync();
            Assert.Equal("", await ReadLineAsync());
            Assert.StartsWith("event: ", kind, StringComparison.Ordinal);
            Assert.StartsWith("data: ", data, StringComparison.Ordinal);
            return (kind!["event: ".Length..], JsonDocument.Parse(data!["data: ".Length..]).RootElement);
        }

        public Task<string?> ReadLineAsync() => Reader.ReadLineAsync().WaitAsync(Patience);

        public void Dispose()
        {
            Reader.Dispose();
            Response.Dispose();
        }
    }
}
