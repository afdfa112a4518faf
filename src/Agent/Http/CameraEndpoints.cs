using System.Text.Json;
using System.Text.Json.Serialization;
using Agent.Devices;
using Agent.Devices.Probe;
using Agent.Devices.Snapshots;
using Agent.Home;

namespace Agent.Http;

/// <summary>A camera as the HTTP side handles it.</summary>
internal sealed class CameraUnit(CameraPipeline pipeline, CameraPrivacy privacy)
{
    public CameraPipeline Pipeline => pipeline;

    public CameraPrivacy Privacy => privacy;

    public SnapshotTaker Snapshots { get; } = new(pipeline);
}

/// <summary>The body of <c>PATCH /api/cameras/{camera}</c>; what is left out stays as it is.</summary>
/// <param name="Bitrate">Target in bit/s.</param>
/// <param name="Privacy">True turns the camera off, false on again.</param>
/// <param name="Controls">Values by name: numbers, true or false, or the names of menu entries.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record CameraChange(int? Bitrate, bool? Privacy, IReadOnlyDictionary<string, JsonElement>? Controls);

/// <summary>The body of <c>GET /api/cameras/{camera}</c>, and of the answer to a change.</summary>
/// <param name="Status">As in <c>/api/status</c>.</param>
/// <param name="Controls">What can be set, with present values; empty while the camera is away.</param>
/// <param name="Notes">What became of each control that could not be set as wished.</param>
internal sealed record CameraDetails(CameraStatus Status, IReadOnlyList<ControlReport> Controls, IReadOnlyList<string>? Notes);

/// <summary>One camera's state, settings and picture.</summary>
internal sealed class CameraEndpoints(IReadOnlyDictionary<string, CameraUnit> cameras)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    public void Map(IEndpointRouteBuilder routes)
    {
        string[] readable = [HttpMethods.Get, HttpMethods.Head];
        routes.MapMethods("/api/cameras/{camera}", readable, context => WithCameraAsync(context, camera => WriteAsync(context, camera, null)));
        routes.MapPatch("/api/cameras/{camera}", context => WithCameraAsync(context, camera => ChangeAsync(context, camera)));
        routes.MapMethods("/api/cameras/{camera}/snapshot.jpg", readable, context => WithCameraAsync(context, camera => WriteSnapshotAsync(context, camera)));
    }

    private Task WithCameraAsync(HttpContext context, Func<CameraUnit, Task> handle)
    {
        var name = (string)context.GetRouteValue("camera")!;
        return cameras.TryGetValue(name, out var camera) ? handle(camera)
            : context.WriteProblemAsync(StatusCodes.Status404NotFound, $"There is no camera \"{name}\"; there is {string.Join(", ", cameras.Keys)}.");
    }

    private static Task WriteAsync(HttpContext context, CameraUnit camera, IReadOnlyList<string>? notes) => context.WriteJsonAsync(
        new CameraDetails(camera.Pipeline.GetStatus(), camera.Pipeline.ListControls(), notes), AgentJson.Default.CameraDetails);

    private static async Task ChangeAsync(HttpContext context, CameraUnit camera)
    {
        CameraChange? change = null;
        var malformed = "it is null.";
        try
        {
            change = await JsonSerializer.DeserializeAsync(context.Request.Body, AgentJson.Default.CameraChange, context.RequestAborted);
        }
        catch (JsonException e)
        {
            malformed = e.Message;
        }

        if (change is null)
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, $"The body is no change of a camera: {malformed}");
            return;
        }

        if (change.Bitrate is < Configuration.ConfigurationTable.MinimumBitrate or > Configuration.ConfigurationTable.MaximumBitrate)
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest,
                $"bitrate is {change.Bitrate}; send {Configuration.ConfigurationTable.MinimumBitrate} to {Configuration.ConfigurationTable.MaximumBitrate} bit/s.");
            return;
        }

        if (change.Controls?.FirstOrDefault(c => c.Value.ValueKind is not (JsonValueKind.Number or JsonValueKind.String or JsonValueKind.True or JsonValueKind.False)) is { Key: { } bad })
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, $"controls.{bad} must be a number, true, false or the name of a menu entry.");
            return;
        }

        if (change.Bitrate is { } bitrate)
        {
            camera.Pipeline.SetBitrate(bitrate);
        }

        if (change.Privacy is { } isPrivate && await camera.Privacy.SetAsync(isPrivate, context.RequestAborted) is { IsDone: false } privacy)
        {
            await context.WriteProblemAsync(StatusCodes.Status503ServiceUnavailable, $"{privacy.Problem}.");
            return;
        }

        var notes = new List<string>();
        var refused = 0;
        foreach (var (name, value) in change.Controls ?? new Dictionary<string, JsonElement>())
        {
            var outcome = camera.Pipeline.SetControl(name, value.ToString());
            refused += outcome.IsSet ? 0 : 1;
            if (outcome.Message is { } message)
            {
                notes.Add(message);
            }
        }

        if (refused > 0)
        {
            await context.WriteProblemAsync(StatusCodes.Status422UnprocessableEntity, string.Join(" ", notes));
            return;
        }

        await WriteAsync(context, camera, notes);
    }

    private static async Task WriteSnapshotAsync(HttpContext context, CameraUnit camera)
    {
        var snapshot = await camera.Snapshots.TakeAsync(context.RequestAborted);
        if (snapshot.Jpeg is not { } jpeg)
        {
            await context.WriteProblemAsync(
                camera.Pipeline.Hub.IsProducing ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status409Conflict, snapshot.Problem!, RetryAfter);
            return;
        }

        context.Response.Headers.CacheControl = "no-store";
        await context.WriteBytesAsync(jpeg, "image/jpeg");
    }
}
