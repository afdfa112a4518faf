using System.Net;
using System.Text.Json;
using Agent.Devices;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Tests.Http;

public sealed class CameraEndpointsTests
{
    private static CameraPipeline Camera(VideoSourceOptions? source = null) => new(
        new CameraOptions { Name = "porch", Source = source ?? new VideoSourceOptions { Width = 320, Height = 240 } }, NullLoggerFactory.Instance);

    private static async Task WaitUntilProducing(CameraPipeline camera)
    {
        var deadline = Environment.TickCount64 + 20_000;
        while (!camera.Hub.IsProducing)
        {
            Assert.True(Environment.TickCount64 < deadline, camera.GetStatus().Error ?? "no frame");
            await Task.Delay(10);
        }
    }

    private static async Task<string> DetailAsync(HttpResponseMessage response) =>
        JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("detail").GetString()!;

    [Fact]
    public async Task A_snapshot_is_a_JPEG_picture_of_the_cameras_size()
    {
        using var camera = Camera();
        camera.Start();
        await WaitUntilProducing(camera);
        await using var server = await TestServer.StartAsync(units: camera);
        using var response = await server.SendAsync("GET", "/api/cameras/porch/snapshot.jpg");
        Assert.Equal((HttpStatusCode.OK, "image/jpeg", "no-store"),
            (response.StatusCode, response.Content.Headers.ContentType?.MediaType, response.Headers.CacheControl?.ToString()));
        using var decompressor = new Interop.TurboJpeg.JpegDecompressor();
        Assert.True(decompressor.TryReadHeader(await response.Content.ReadAsByteArrayAsync(), out var width, out var height, out _));
        Assert.Equal((320, 240), (width, height));
    }

    [Fact]
    public async Task A_camera_that_produces_nothing_has_no_snapshot_yet()
    {
        using var camera = Camera();
        await using var server = await TestServer.StartAsync(units: camera);
        using var response = await server.SendAsync("GET", "/api/cameras/porch/snapshot.jpg");
        Assert.Equal((HttpStatusCode.Conflict, TimeSpan.FromSeconds(2)), (response.StatusCode, response.Headers.RetryAfter?.Delta));
        Assert.Equal("Camera \"porch\" produces nothing: no frame has come yet.", await DetailAsync(response));
    }

    [Theory]
    [InlineData("/api/cameras/yard")]
    [InlineData("/api/cameras/yard/snapshot.jpg")]
    public async Task An_unknown_camera_is_told_apart_from_those_there_are(string path)
    {
        using var camera = Camera();
        await using var server = await TestServer.StartAsync(units: camera);
        using var response = await server.SendAsync("GET", path);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("There is no camera \"yard\"; there is porch.", await DetailAsync(response));
    }

    [Fact]
    public async Task The_bitrate_is_changed_at_run_time_and_shown()
    {
        using var camera = Camera();
        await using var server = await TestServer.StartAsync(units: camera);
        using var response = await server.SendAsync("PATCH", "/api/cameras/porch", """{ "bitrate": 750000 }""", "application/json");
        using var details = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal(750_000, details.RootElement.GetProperty("status").GetProperty("targetBitrateBps").GetInt32());
        Assert.Empty(details.RootElement.GetProperty("controls").EnumerateArray());
        Assert.Equal(750_000, camera.GetStatus().TargetBitrateBps);
    }

    [Theory]
    [InlineData("""{ "bitrate": 10 }""", HttpStatusCode.BadRequest, "bitrate is 10; send 50000 to 50000000 bit/s.")]
    [InlineData("""{ "bitrate": "much" }""", HttpStatusCode.BadRequest, "The body is no change of a camera: ")]
    [InlineData("{", HttpStatusCode.BadRequest, "The body is no change of a camera: ")]
    [InlineData("null", HttpStatusCode.BadRequest, "The body is no change of a camera: ")]
    [InlineData("""{ "command": ["rm"] }""", HttpStatusCode.BadRequest, "The body is no change of a camera: ")]
    [InlineData("""{ "controls": { "brightness": [1] } }""", HttpStatusCode.BadRequest, "controls.brightness must be a number, true, false or the name of a menu entry.")]
    [InlineData("""{ "controls": { "brightness": 5 } }""", HttpStatusCode.UnprocessableEntity, "the camera is away; brightness is set to 5 when it is back")]
    public async Task What_cannot_be_changed_says_why_and_changes_nothing(string body, HttpStatusCode status, string detail)
    {
        using var camera = Camera();
        await using var server = await TestServer.StartAsync(units: camera);
        using var response = await server.SendAsync("PATCH", "/api/cameras/porch", body, "application/json");
        Assert.Equal(status, response.StatusCode);
        Assert.StartsWith(detail, await DetailAsync(response), StringComparison.Ordinal);
        Assert.Equal(new VideoEncoderOptions().BitrateBps, camera.GetStatus().TargetBitrateBps);
    }
}
