using System.Text;
using System.Text.Json;
using Agent.Home;

namespace Agent.Http;

/// <summary>The device's entities over HTTP: the same registry and the same way of commands as over MQTT.</summary>
internal sealed class EntityEndpoints(EntityRegistry entities)
{
    /// <summary>A handler that takes longer is given up, as over MQTT.</summary>
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    public void Map(IEndpointRouteBuilder routes)
    {
        string[] readable = [HttpMethods.Get, HttpMethods.Head];
        routes.MapMethods("/api/entities", readable, context =>
            context.WriteJsonAsync([.. entities.All.Select(EntityBody.From)], AgentJson.Default.EntityBodyArray));
        routes.MapMethods("/api/entities/{entity}", readable, context => WithEntityAsync(context, state => WriteAsync(context, state)));
        routes.MapMethods("/api/entities/{entity}/picture", readable, context => WithEntityAsync(context, state => WritePictureAsync(context, state)));
        routes.MapPost("/api/entities/{entity}", context => WithEntityAsync(context, state => ExecuteAsync(context, state.Entity.Id)));
    }

    private Task WithEntityAsync(HttpContext context, Func<EntityState, Task> handle)
    {
        var id = (string)context.GetRouteValue("entity")!;
        return entities.Find(id) is { } state ? handle(state)
            : context.WriteProblemAsync(StatusCodes.Status404NotFound, $"There is no entity \"{id}\"; GET /api/entities lists what there is.");
    }

    private static Task WriteAsync(HttpContext context, EntityState state) => context.WriteJsonAsync(EntityBody.From(state), AgentJson.Default.EntityBody);

    private static async Task WritePictureAsync(HttpContext context, EntityState state)
    {
        if (state.Picture.IsEmpty)
        {
            await context.WriteProblemAsync(StatusCodes.Status404NotFound, $"{state.Entity.Id} has no picture now.");
            return;
        }

        context.Response.Headers.CacheControl = "no-store";
        await context.WriteBytesAsync(state.Picture, "image/jpeg");
    }

    private async Task ExecuteAsync(HttpContext context, string id)
    {
        var (command, malformed) = await ReadCommandAsync(context);
        if (command is null)
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, malformed);
            return;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        limit.CancelAfter(CommandTimeout);
        CommandOutcome outcome;
        try
        {
            outcome = await entities.ExecuteAsync(id, command, limit.Token).AsTask().WaitAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            outcome = CommandOutcome.Refused($"{id} has not carried it out within {CommandTimeout.TotalSeconds:0} s");
        }

        if (outcome.IsDone && entities.Find(id) is { } state)
        {
            await WriteAsync(context, state);
            return;
        }

        if (outcome.Kind == RefusalKind.TakesNoCommands)
        {
            context.Response.Headers.Allow = "GET, HEAD";
        }

        var status = outcome.Kind switch
        {
            RefusalKind.UnknownEntity => StatusCodes.Status404NotFound,
            RefusalKind.TakesNoCommands => StatusCodes.Status405MethodNotAllowed,
            RefusalKind.Malformed => StatusCodes.Status422UnprocessableEntity,
            _ => StatusCodes.Status503ServiceUnavailable,
        };
        await context.WriteProblemAsync(status, $"{outcome.Problem ?? $"{id} is gone"}.", status == StatusCodes.Status503ServiceUnavailable ? RetryAfter : null);
    }

    /// <summary>The command as the registry takes it, or what is wrong with the body.</summary>
    private static async Task<(string? Command, string Problem)> ReadCommandAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        if (context.Request.ContentType?.StartsWith("text/plain", StringComparison.OrdinalIgnoreCase) == true)
        {
            return (Encoding.UTF8.GetString(body.GetBuffer().AsSpan(0, (int)body.Length)).Trim(), "");
        }

        const string Expected = "send {\"value\": …} with a text, a number, true or false, or the text itself as text/plain";
        try
        {
            using var document = JsonDocument.Parse(body.GetBuffer().AsMemory(0, (int)body.Length));
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("value", out var value))
            {
                return (null, $"The body has no value: {Expected}.");
            }

            return (CommandValue.Read(value), $"The value is no text, number, true or false: {Expected}.");
        }
        catch (JsonException e)
        {
            return (null, $"The body is no JSON: {e.Message} Otherwise {Expected}.");
        }
    }
}
