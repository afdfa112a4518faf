using System.Text;
using System.Text.Json;
using Agent.Home;

namespace Agent.Http;

/// <summary>An entity as <c>/api/entities</c> shows it; what does not apply to its kind is left out.</summary>
/// <param name="Id">As in topics.</param>
/// <param name="Name">For people.</param>
/// <param name="Kind">sensor, binary_sensor, switch, light, number, select, button, event, picture or update.</param>
/// <param name="Value">The present value as text; absent while there is none.</param>
/// <param name="IsAvailable">False while the value cannot be known or the thing cannot be operated.</param>
/// <param name="TakesCommands">Whether POST does anything.</param>
internal sealed record EntityBody(string Id, string Name, string Kind, string? Value, bool IsAvailable, bool TakesCommands)
{
    public string? Category { get; init; }

    public string? DeviceClass { get; init; }

    public string? Unit { get; init; }

    public double? Minimum { get; init; }

    public double? Maximum { get; init; }

    public double? Step { get; init; }

    /// <summary>What a select takes, a sensor of texts can say, or an event can be.</summary>
    public IReadOnlyList<string>? Options { get; init; }

    public bool? HasBrightness { get; init; }

    /// <summary>Where a picture's JPEG file is, relative to the agent's URL; absent while there is none.</summary>
    public string? Picture { get; init; }
}

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
            context.WriteJsonAsync([.. entities.All.Select(Describe)], AgentJson.Default.EntityBodyArray));
        routes.MapMethods("/api/entities/{entity}", readable, context => WithEntityAsync(context, state => WriteAsync(context, state)));
        routes.MapMethods("/api/entities/{entity}/picture", readable, context => WithEntityAsync(context, state => WritePictureAsync(context, state)));
        routes.MapPost("/api/entities/{entity}", context => WithEntityAsync(context, state => ExecuteAsync(context, state.Entity.Id)));
    }

    private static EntityBody Describe(EntityState state)
    {
        var body = new EntityBody(state.Entity.Id, state.Entity.Name, Kind(state.Entity), state.Value, state.IsAvailable, state.TakesCommands)
        {
            Category = state.Entity.Category == EntityCategory.Primary ? null : state.Entity.Category.ToString().ToLowerInvariant(),
            DeviceClass = state.Entity.DeviceClass,
        };
        return state.Entity switch
        {
            SensorEntity sensor => body with { Unit = sensor.Unit, Options = sensor.Options.Count > 0 ? sensor.Options : null },
            NumberEntity number => body with { Unit = number.Unit, Minimum = number.Minimum, Maximum = number.Maximum, Step = number.Step },
            SelectEntity select => body with { Options = select.Options },
            EventEntity happening => body with { Options = happening.Types },
            LightEntity light => body with { HasBrightness = light.HasBrightness },
            PictureEntity => body with { Picture = state.Picture.IsEmpty ? null : $"/api/entities/{state.Entity.Id}/picture" },
            _ => body,
        };
    }

    private static string Kind(Entity entity) => entity switch
    {
        SensorEntity => "sensor",
        BinarySensorEntity => "binary_sensor",
        SwitchEntity => "switch",
        LightEntity => "light",
        NumberEntity => "number",
        SelectEntity => "select",
        ButtonEntity => "button",
        EventEntity => "event",
        PictureEntity => "picture",
        UpdateEntity => "update",
        _ => throw new ArgumentException($"no kind is known for {entity.GetType().Name}", nameof(entity)),
    };

    private Task WithEntityAsync(HttpContext context, Func<EntityState, Task> handle)
    {
        var id = (string)context.GetRouteValue("entity")!;
        return entities.Find(id) is { } state ? handle(state)
            : context.WriteProblemAsync(StatusCodes.Status404NotFound, $"There is no entity \"{id}\"; GET /api/entities lists what there is.");
    }

    private static Task WriteAsync(HttpContext context, EntityState state) => context.WriteJsonAsync(Describe(state), AgentJson.Default.EntityBody);

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

            return value.ValueKind switch
            {
                JsonValueKind.True => (SwitchEntity.On, ""),
                JsonValueKind.False => (SwitchEntity.Off, ""),
                JsonValueKind.String or JsonValueKind.Number => (value.ToString(), ""),
                _ => (null, $"The value is no text, number, true or false: {Expected}."),
            };
        }
        catch (JsonException e)
        {
            return (null, $"The body is no JSON: {e.Message} Otherwise {Expected}.");
        }
    }
}
