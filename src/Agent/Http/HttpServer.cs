using System.Text;
using Agent.Configuration;

namespace Agent.Http;

/// <summary>The HTTP side: which URL is answered by what.</summary>
internal static class HttpServer
{
    /// <summary>The largest body taken; browsers' offers stay under 10 KiB.</summary>
    public const int MaximumBodyBytes = 64 * 1024;

    /// <summary>Adds Kestrel and routing to a builder that has nothing.</summary>
    public static void Configure(WebApplicationBuilder builder, HttpOptions options)
    {
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(options.Listen);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaximumBodyBytes;
        });
        builder.Services.AddRoutingCore();
    }

    /// <summary>Puts the endpoints behind their guard.</summary>
    public static void Map(WebApplication app, AgentOptions options, AgentState state, PageFiles page)
    {
        var guard = new RequestGuard(options.Http, app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Agent.Http"));
        app.Lifetime.ApplicationStopped.Register(guard.Dispose);
        app.UseRouting();
        app.Use(guard.InvokeAsync);

        new WhepEndpoints(state.Gateway).Map(app);
        new CameraEndpoints(state.Units).Map(app);
        new EntityEndpoints(state.Entities).Map(app);
        new EntityEvents(state.Entities, app.Lifetime.ApplicationStopping).Map(app);
        ApiDescription.Map(app);
        app.MapMethods("/api/status", Readable, context => WriteStatusAsync(context, state));
        app.MapMethods("/api/viewers/{session}", Readable, context => WriteViewerAsync(context, state));
        app.MapMethods("/api/ice-servers", Readable, context => WriteIceServersAsync(context, state));
        app.MapMethods("/metrics", Readable, context => context.WriteBytesAsync(Encoding.UTF8.GetBytes(MetricsPage.Write(state)), MetricsPage.ContentType));
        app.MapMethods("/healthz", Readable, context => WriteHealthAsync(context, state, guard)).WithMetadata(OpenToAll.Instance);
        app.MapMethods("/api/page", Readable, context => WritePageSettingsAsync(context, options, state)).WithMetadata(OpenToAll.Instance);
        app.MapMethods("/{**path}", Readable, page.ServeAsync).WithMetadata(OpenToAll.Instance);
    }

    private static readonly string[] Readable = [HttpMethods.Get, HttpMethods.Head];

    private static async Task WriteStatusAsync(HttpContext context, AgentState state)
    {
        var viewers = await state.Gateway.GetViewersAsync(context.RequestAborted);
        var status = new Status(AgentState.Version, state.Uptime.TotalSeconds, state.Cameras(), viewers, state.Gateway.GetStatus(), state.Broker(), state.Publishers());
        await context.WriteJsonAsync(status, AgentJson.Default.Status);
    }

    /// <summary>One viewer to who knows its session, which only that viewer does.</summary>
    private static async Task WriteViewerAsync(HttpContext context, AgentState state)
    {
        var session = (string)context.GetRouteValue("session")!;
        var viewers = await state.Gateway.GetViewersAsync(context.RequestAborted);
        if (viewers.FirstOrDefault(viewer => viewer.SessionId == session) is { } viewer)
        {
            await context.WriteJsonAsync(viewer, AgentJson.Default.ViewerStatus);
        }
        else
        {
            await context.WriteProblemAsync(StatusCodes.Status404NotFound, "There is no such session: it has ended, or never was.");
        }
    }

    private static Task WriteHealthAsync(HttpContext context, AgentState state, RequestGuard guard)
    {
        var problems = state.FindProblems();
        context.Response.StatusCode = problems.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        var health = new Health(problems.Count == 0 ? "healthy" : "unhealthy", guard.IsAuthorized(context.Request) ? problems : null);
        return context.WriteJsonAsync(health, AgentJson.Default.Health);
    }

    private static Task WriteIceServersAsync(HttpContext context, AgentState state)
    {
        context.Response.Headers.CacheControl = "no-store"; // they carry passwords
        return context.WriteJsonAsync(new IceServerList(state.Gateway.GetIceServers()), AgentJson.Default.IceServerList);
    }

    private static Task WritePageSettingsAsync(HttpContext context, AgentOptions options, AgentState state)
    {
        var broker = options.Mqtt is { WebSocketUrl: { } url, Connection: var connection } ? new PageBroker(url, connection.EffectiveBaseTopic) : null;
        var settings = new PageSettings(
            [.. options.Cameras.Select(c => c.Name)], broker, options.WebRtc.IceServers.Count > 0, state.Clock.GetUtcNow().ToUnixTimeMilliseconds());
        return context.WriteJsonAsync(settings, AgentJson.Default.PageSettings);
    }
}
