using System.Net;
using System.Net.Http.Headers;
using Agent.Configuration;

namespace Agent.Tests.Http;

public sealed class RequestGuardTests
{
    private const string Sdp = "application/sdp";
    private static readonly HttpOptions WithToken = new() { BearerToken = "t0ken" };

    [Theory]
    [InlineData("POST", "/whep/main")]
    [InlineData("GET", "/whep/main")]
    [InlineData("PATCH", "/whep/main/s3cret-session")]
    [InlineData("DELETE", "/whep/main/s3cret-session")]
    [InlineData("GET", "/api/status")]
    [InlineData("GET", "/metrics")]
    [InlineData("PUT", "/metrics")]
    public async Task With_a_token_configured_a_request_without_it_gets_401(string method, string path)
    {
        await using var server = await TestServer.StartAsync(WithToken);
        foreach (var authorization in new string?[] { null, "Bearer ", "Bearer wrong", "Bearer t0ken2", "Basic dDBrZW46", "t0ken" })
        {
            using var response = await server.SendAsync(method, path, null, null, authorization is null ? [] : [("Authorization", authorization)]);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal(new AuthenticationHeaderValue("Bearer", "realm=\"camera-agent\""), response.Headers.WwwAuthenticate.Single());
        }

        Assert.Null(server.Gateway.LastOffer);
        Assert.NotNull(server.Gateway.ETag);
    }

    [Fact]
    public async Task With_the_token_everything_is_served()
    {
        await using var server = await TestServer.StartAsync(WithToken);
        using var created = await server.SendAsync("POST", "/whep/main", "v=0", Sdp, ("Authorization", "bearer t0ken"));
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        using var status = await server.SendAsync("GET", "/api/status", null, null, ("Authorization", "Bearer t0ken"));
        Assert.Equal(HttpStatusCode.OK, status.StatusCode);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/healthz")]
    [InlineData("/api/page")]
    public async Task The_page_and_the_health_check_need_no_token(string path)
    {
        await using var server = await TestServer.StartAsync(WithToken);
        using var response = await server.SendAsync("GET", path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task The_health_check_keeps_its_details_for_those_with_the_token()
    {
        await using var server = await TestServer.StartAsync(WithToken, cameras: [TestServer.Camera("yard", false, "gone")]);
        using var stranger = await server.SendAsync("GET", "/healthz");
        Assert.Equal("""{"status":"unhealthy"}""", await stranger.Content.ReadAsStringAsync());
        using var friend = await server.SendAsync("GET", "/healthz", null, null, ("Authorization", "Bearer t0ken"));
        Assert.Contains("yard", await friend.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_preflight_needs_no_token()
    {
        await using var server = await TestServer.StartAsync(WithToken with { CorsOrigins = ["*"] });
        using var response = await server.SendAsync("OPTIONS", "/whep/main", null, null, ("Origin", "https://a.example"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("https://a.example", response.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }

    [Fact]
    public async Task A_page_that_may_ask_can_read_why_it_was_refused()
    {
        await using var server = await TestServer.StartAsync(WithToken with { CorsOrigins = ["https://a.example"] });
        using var response = await server.SendAsync("POST", "/whep/main", "v=0", Sdp, ("Origin", "https://a.example"));
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.True(response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task More_posts_than_a_burst_get_429_with_retry_after_while_reads_go_on()
    {
        await using var server = await TestServer.StartAsync(new HttpOptions { RequestsPerSecond = 1 });
        for (var i = 0; i < 3; i++)
        {
            using var good = await server.SendAsync("POST", "/whep/main", "v=0", Sdp);
            Assert.Equal(HttpStatusCode.Created, good.StatusCode);
        }

        // A second's token may come back between two requests: among the next few, one is refused.
        var statuses = new List<HttpResponseMessage>();
        for (var i = 0; i < 3; i++)
        {
            statuses.Add(await server.SendAsync("PATCH", "/whep/main/s3cret-session", "x", Sdp));
        }

        var refused = statuses.First(r => r.StatusCode == HttpStatusCode.TooManyRequests);
        Assert.True(refused.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
        Assert.Contains("http.requestsPerSecond", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var read = await server.SendAsync("GET", "/api/status");
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        using var left = await server.SendAsync("DELETE", "/whep/main/s3cret-session");
        Assert.Equal(HttpStatusCode.OK, left.StatusCode);
        statuses.ForEach(r => r.Dispose());
    }

    [Theory]
    [InlineData("evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost:8080", HttpStatusCode.OK)]
    [InlineData("127.0.0.1", HttpStatusCode.OK)]
    [InlineData("[::1]:8080", HttpStatusCode.OK)]
    public async Task On_loopback_without_a_token_a_foreign_name_is_refused(string host, HttpStatusCode status)
    {
        await using var server = await TestServer.StartAsync();
        using var response = await server.SendAsync("GET", "/api/status", null, null, ("Host", host));
        Assert.Equal(status, response.StatusCode);
    }

    [Fact]
    public async Task Who_allows_anonymous_viewers_or_sets_a_token_may_use_any_name()
    {
        await using var anonymous = await TestServer.StartAsync(new HttpOptions { AllowAnonymous = true });
        using var response = await anonymous.SendAsync("GET", "/api/status", null, null, ("Host", "camera.example"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await using var secured = await TestServer.StartAsync(WithToken);
        using var page = await secured.SendAsync("GET", "/", null, null, ("Host", "camera.example"));
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }
}
