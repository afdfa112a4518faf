using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Agent.Home;

namespace Agent.Http;

/// <summary>
/// The entities as they change, as server-sent events (HTML Living Standard §9.2): what the page's panel listens to. A client that is
/// slower than the changes gets each entity's newest state.
/// </summary>
internal sealed class EntityEvents(EntityRegistry entities, CancellationToken stopping)
{
    /// <summary>Clients at once; each holds a connection open.</summary>
    internal const int MaximumClients = 64;

    /// <summary>Within the idle time-outs of usual proxies; a comment that says nothing (HTML Living Standard §9.2.7 advises 15 s).</summary>
    private static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    private int _clients;

    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/events", AdmitAsync);

    private async Task AdmitAsync(HttpContext context)
    {
        try
        {
            if (Interlocked.Increment(ref _clients) > MaximumClients)
            {
                await context.WriteProblemAsync(
                    StatusCodes.Status503ServiceUnavailable, $"{MaximumClients} clients listen to the entities already; ask GET /api/entities instead.", RetryAfter);
                return;
            }

            using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            await StreamAsync(context.Response, end.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The response ends in order, and the client connects again to the agent that comes up.
        }
        finally
        {
            Interlocked.Decrement(ref _clients);
        }
    }

    private async Task StreamAsync(HttpResponse response, CancellationToken cancellation)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        // Before the list is made: a change in between is told twice rather than not at all.
        using var changes = new ChangedEntities(entities);
        await WriteAsync(response, "entities", entities.All.Select(EntityBody.From).ToArray(), AgentJson.Default.EntityBodyArray, cancellation);
        while (true)
        {
            await response.Body.FlushAsync(cancellation);
            var ids = await changes.TakeAsync(KeepAliveInterval, cancellation);
            if (ids.Count == 0) await response.WriteAsync(":\n\n", cancellation);
            foreach (var id in ids)
            {
                if (entities.Find(id) is { } state) await WriteAsync(response, "entity", EntityBody.From(state), AgentJson.Default.EntityBody, cancellation);
                else await WriteAsync(response, "removed", id, AgentJson.Default.String, cancellation);
            }
        }
    }

    /// <summary>JSON has no line break unless it is indented, so it is one line of data.</summary>
    private static Task WriteAsync<T>(HttpResponse response, string kind, T value, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        response.WriteAsync($"event: {kind}\ndata: {JsonSerializer.Serialize(value, type)}\n\n", Encoding.UTF8, cancellation);
}
