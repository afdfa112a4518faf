using System.Net;
using System.Reflection;
using System.Text.Json;
using Agent.Configuration;
using Agent.Http;
using Agent.Mqtt;
using Agent.Rtc;
using Agent.Rtc.Ice;
using Agent.Transport;

namespace Agent.Tests.Http;

public sealed class HttpServerTests
{
    private static async Task<JsonElement> JsonAsync(HttpResponseMessage response)
    {
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return document.RootElement.Clone();
    }

    [Fact]
    public async Task The_health_check_says_200_when_all_cameras_produce()
    {
        await using var server = await TestServer.StartAsync(broker: TestServer.Broker(true));
        using var response = await server.SendAsync("GET", "/healthz");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("""{"status":"healthy","problems":[]}""", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_health_check_says_503_and_everything_that_is_wrong()
    {
        await using var server = await TestServer.StartAsync(
            cameras: [TestServer.Camera(), TestServer.Camera("yard", false, "VIDIOC_STREAMON: No space left on device")],
            broker: TestServer.Broker(false, "connection refused"));
        using var response = await server.SendAsync("GET", "/healthz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        var problems = (await JsonAsync(response)).GetProperty("problems").EnumerateArray().Select(p => p.GetString()!).ToArray();
        Assert.Equal(
            ["Camera \"yard\" (test) produces nothing: VIDIOC_STREAMON: No space left on device", "The broker b:1883 is not connected: connection refused"],
            problems);
    }

    [Fact]
    public async Task The_status_shows_cameras_viewers_with_their_pair_transport_and_broker()
    {
        await using var server = await TestServer.StartAsync(broker: TestServer.Broker(true));
        Assert.True(TransportAddress.TryParse("192.0.2.1", 8443, out var local));
        Assert.True(TransportAddress.TryParse("2001:db8::2", 50000, out var remote));
        var pair = new CandidatePairStatus(IceCandidateType.Host, local, IceCandidateType.PeerReflexive, remote, "Succeeded", true, TimeSpan.FromMilliseconds(12), null);
        server.Gateway.Viewers =
        [
            new ViewerStatus("id", "main", "whep", "192.0.2.9", TimeSpan.FromSeconds(5),
                new PeerSessionStatus(PeerState.Connected, null, pair, [pair], "DTLSv1.2", "AeadAes128Gcm", default, 0)),
        ];
        using var response = await server.SendAsync("GET", "/api/status");
        var status = await JsonAsync(response);
        Assert.Equal(AgentState.Version, status.GetProperty("version").GetString());
        Assert.InRange(status.GetProperty("uptimeSeconds").GetDouble(), 0, 60);
        var camera = status.GetProperty("cameras")[0];
        Assert.Equal(("main", "libx264", 29.97), (camera.GetProperty("name").GetString(), camera.GetProperty("encoder").GetString(), camera.GetProperty("framesPerSecond").GetDouble()));
        var peer = status.GetProperty("viewers")[0].GetProperty("peer");
        Assert.Equal("Connected", peer.GetProperty("state").GetString());
        var selected = peer.GetProperty("selectedPair");
        Assert.Equal("192.0.2.1:8443", selected.GetProperty("local").GetString());
        Assert.Equal("[2001:db8::2]:50000", selected.GetProperty("remote").GetString());
        Assert.Equal("PeerReflexive", selected.GetProperty("remoteType").GetString());
        Assert.Equal(1, status.GetProperty("transport").GetProperty("viewers").GetInt32());
        Assert.Equal("b:1883", status.GetProperty("mqtt").GetProperty("broker").GetString());
    }

    [Fact]
    public async Task The_metrics_are_well_formed_prometheus_text()
    {
        await using var server = await TestServer.StartAsync(
            cameras: [TestServer.Camera(), TestServer.Camera("we\"ird\\\n", false)], broker: TestServer.Broker(false));
        using var response = await server.SendAsync("GET", "/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        var samples = PrometheusText.Parse(await response.Content.ReadAsStringAsync());
        double Value(string name, string? camera = null) =>
            samples.Single(s => s.Name == name && (camera is null || s.Labels["camera"] == camera)).Value;
        Assert.Equal(1, Value("camera_agent_camera_producing", "main"));
        Assert.Equal(0, Value("camera_agent_camera_producing", "we\"ird\\\n"));
        Assert.Equal(29.97, Value("camera_agent_camera_frames_per_second", "main"));
        Assert.Equal(99, Value("camera_agent_camera_frames_encoded_total", "main"));
        Assert.Equal(7, Value("camera_agent_viewers_total"));
        Assert.Equal(5, Value("camera_agent_commands_dropped_total"));
        Assert.Equal(0, Value("camera_agent_mqtt_connected"));
        Assert.Equal(3, Value("camera_agent_mqtt_publish_dropped_total"));
        Assert.Equal(AgentState.Version, samples.Single(s => s.Name == "camera_agent_build_info").Labels["version"]);
        Assert.True(Value("process_resident_memory_bytes") > 1_000_000);
    }

    [Fact]
    public async Task The_page_is_told_the_cameras_the_clock_and_the_broker()
    {
        await using var server = await TestServer.StartAsync(
            mqtt: new BrokerOptions { Connection = new MqttOptions { Host = "b", Device = "a1" }, WebSocketUrl = "ws://b:9001" });
        using var response = await server.SendAsync("GET", "/api/page");
        var page = await JsonAsync(response);
        Assert.Equal("main", page.GetProperty("cameras")[0].GetString());
        Assert.Equal("ws://b:9001", page.GetProperty("mqtt").GetProperty("webSocketUrl").GetString());
        Assert.Equal("camera-agent/a1", page.GetProperty("mqtt").GetProperty("baseTopic").GetString());
        Assert.InRange(page.GetProperty("unixTimeMilliseconds").GetInt64(), DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds(), long.MaxValue);
    }

    [Fact]
    public async Task Without_a_built_page_the_root_says_how_to_build_it()
    {
        await using var server = await TestServer.StartAsync(page: new PageFiles(typeof(object).Assembly));
        using var response = await server.SendAsync("GET", "/");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
        Assert.Contains("deploy/build-page.sh", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/", "text/html", "no-cache")]
    [InlineData("/index.html", "text/html", "no-cache")]
    [InlineData("/assets/app-1a2b.js", "text/javascript", "public, max-age=31536000, immutable")]
    public async Task Page_files_have_their_type_an_etag_and_the_security_headers(string path, string type, string cacheControl)
    {
        // This test assembly embeds Http/Page the way the agent embeds src/web/dist.
        await using var server = await TestServer.StartAsync(page: new PageFiles(Assembly.GetExecutingAssembly()));
        using var response = await server.SendAsync("GET", path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(type, response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(cacheControl, string.Join(", ", response.Headers.GetValues("Cache-Control")).Replace("public, immutable, max-age=31536000", cacheControl, StringComparison.Ordinal));
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'self'; connect-src 'self' ws: wss:;", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        var etag = response.Headers.ETag!.ToString();
        using var cached = await server.SendAsync("GET", path, null, null, ("If-None-Match", etag));
        Assert.Equal(HttpStatusCode.NotModified, cached.StatusCode);
        using var head = await server.SendAsync("HEAD", path);
        Assert.Equal(response.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
    }

    [Theory]
    [InlineData("/nothing")]
    [InlineData("/../Agent.Tests.dll")]
    [InlineData("/assets/")]
    public async Task What_is_not_there_gets_404(string path)
    {
        await using var server = await TestServer.StartAsync();
        using var response = await server.SendAsync("GET", path);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }
}
