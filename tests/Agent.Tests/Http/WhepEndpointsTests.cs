using System.Net;
using System.Text;
using System.Text.Json;
using Agent.Configuration;
using Agent.Http;
using Agent.Transport;

namespace Agent.Tests.Http;

public sealed class WhepEndpointsTests
{
    private const string Sdp = "application/sdp";
    private const string Fragment = "application/trickle-ice-sdpfrag";
    private const string SessionPath = $"/whep/main/{FakeGateway.Session}";
    private const string Candidates =
        "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n" +
        "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0\r\na=end-of-candidates\r\n";

    private static async Task<string> DetailAsync(HttpResponseMessage response)
    {
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal((int)response.StatusCode, document.RootElement.GetProperty("status").GetInt32());
        return document.RootElement.GetProperty("detail").GetString()!;
    }

    [Theory]
    [InlineData("application/sdp")]
    [InlineData("Application/SDP; charset=utf-8")]
    public async Task An_offer_gets_201_with_the_answer_a_relative_location_and_a_strong_etag(string contentType)
    {
        await using var server = await TestServer.StartAsync();
        using var response = await server.SendAsync("POST", "/whep/main", "v=0\r\noffer", contentType);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(Sdp, response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(FakeGateway.Answer, await response.Content.ReadAsStringAsync());
        Assert.Equal("\"etag1\"", response.Headers.ETag?.ToString());
        Assert.Equal(Fragment, response.Headers.GetValues("Accept-Patch").Single());
        var location = response.Headers.Location!;
        Assert.False(location.IsAbsoluteUri);
        Assert.Equal(SessionPath, new Uri(new Uri(server.Client.BaseAddress!, "/whep/main"), location).AbsolutePath);
        Assert.Equal("main", server.Gateway.LastOffer!.Camera);
        Assert.Equal("whep", server.Gateway.LastOffer.Via);
        Assert.Equal("127.0.0.1", server.Gateway.LastOffer.Client);
        Assert.Equal("v=0\r\noffer", Encoding.UTF8.GetString(server.Gateway.LastOffer.Offer.Span));
    }

    [Fact]
    public async Task The_201_names_the_ice_servers_in_link_headers_and_nothing_else_does()
    {
        await using var server = await TestServer.StartAsync();
        server.Gateway.IceServers =
        [
            new IceServer(["stun:stun.example.net"], null, null),
            new IceServer(["turn:turn.example.net?transport=udp", "turns:turn.example.net"], "1700:a\"b", "p\\w="),
        ];
        using var created = await server.SendAsync("POST", "/whep/main", "v=0", Sdp);
        // The form of RFC 9725 §4.6's example; quoted-pairs of RFC 9110 §5.6.4.
        const string Credentials = "; username=\"1700:a\\\"b\"; credential=\"p\\\\w=\"; credential-type=\"password\"";
        Assert.Equal(
            [
                "<stun:stun.example.net>; rel=\"ice-server\"",
                $"<turn:turn.example.net?transport=udp>; rel=\"ice-server\"{Credentials}",
                $"<turns:turn.example.net>; rel=\"ice-server\"{Credentials}",
            ],
            created.Headers.GetValues("Link"));
        foreach (var (method, path) in new[] { ("OPTIONS", "/whep/main"), ("GET", SessionPath), ("DELETE", SessionPath) })
        {
            using var other = await server.SendAsync(method, path);
            Assert.False(other.Headers.Contains("Link"), method);
        }
    }

    [Fact]
    public async Task Ice_servers_are_told_before_an_offer_to_those_who_may_watch_only()
    {
        await using var server = await TestServer.StartAsync(new HttpOptions { BearerToken = "t0ken" });
        server.Gateway.IceServers = [new IceServer(["turn:turn.example.net"], "u", "p"), new IceServer(["stun:stun.example.net"], null, null)];
        using var refused = await server.SendAsync("GET", "/api/ice-servers");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using var told = await server.SendAsync("GET", "/api/ice-servers", headers: ("Authorization", "Bearer t0ken"));
        Assert.Equal("no-store", told.Headers.CacheControl?.ToString());
        Assert.Equal(
            """{"iceServers":[{"urls":["turn:turn.example.net"],"username":"u","credential":"p"},{"urls":["stun:stun.example.net"]}]}""",
            await told.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData(null)]
    public async Task An_offer_of_another_content_type_gets_415_that_names_the_right_one(string? contentType)
    {
        await using var server = await TestServer.StartAsync();
        using var response = await server.SendAsync("POST", "/whep/main", "{}", contentType);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        Assert.Equal(Sdp, response.Headers.GetValues("Accept-Post").Single());
        Assert.Contains(Sdp, await DetailAsync(response), StringComparison.Ordinal);
        Assert.Null(server.Gateway.LastOffer);
    }

    [Theory]
    [InlineData(ViewerErrorKind.Malformed, 400, false)]
    [InlineData(ViewerErrorKind.NotAcceptable, 406, false)]
    [InlineData(ViewerErrorKind.UnknownCamera, 404, false)]
    [InlineData(ViewerErrorKind.NotProducing, 409, true)]
    [InlineData(ViewerErrorKind.Busy, 503, true)]
    public async Task What_the_gateway_refuses_becomes_its_status_with_the_reason(ViewerErrorKind kind, int status, bool retries)
    {
        await using var server = await TestServer.StartAsync();
        server.Gateway.Error = new ViewerError(kind, "because of this");
        using var response = await server.SendAsync("POST", "/whep/main", "v=0", Sdp);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("because of this", await DetailAsync(response));
        Assert.Equal(retries ? TimeSpan.FromSeconds(2) : null, response.Headers.RetryAfter?.Delta);
        Assert.Null(response.Headers.Location);
    }

    [Fact]
    public async Task Retry_after_is_rounded_up_to_whole_seconds()
    {
        await using var server = await TestServer.StartAsync();
        server.Gateway.Error = new ViewerError(ViewerErrorKind.Busy, "full", TimeSpan.FromSeconds(2.1));
        using var response = await server.SendAsync("POST", "/whep/main", "v=0", Sdp);
        Assert.Equal(TimeSpan.FromSeconds(3), response.Headers.RetryAfter?.Delta);
    }

    [Fact]
    public async Task A_body_over_64_KiB_gets_413_and_one_of_64_KiB_passes()
    {
        await using var server = await TestServer.StartAsync();
        using var fits = await server.SendAsync("POST", "/whep/main", new string('x', HttpServer.MaximumBodyBytes), Sdp);
        Assert.Equal(HttpStatusCode.Created, fits.StatusCode);
        using var response = await server.SendAsync("POST", "/whep/main", new string('x', HttpServer.MaximumBodyBytes + 1), Sdp);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Contains("65536", await DetailAsync(response), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Candidates_under_the_current_etag_get_204()
    {
        await using var server = await TestServer.StartAsync();
        using var response = await server.SendAsync("PATCH", SessionPath, Candidates, Fragment, ("If-Match", "\"etag1\""));
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        var candidate = Assert.Single(server.Gateway.LastFragment!.Candidates);
        Assert.Equal("192.0.2.1", candidate.HostName);
        Assert.True(server.Gateway.LastFragment.EndOfCandidates);
    }

    [Theory]
    [InlineData("\"other\", \"etag1\"")]
    [InlineData("etag1")]
    public async Task A_list_that_holds_the_etag_and_a_bare_etag_match_too(string ifMatch)
    {
        await using var server = await TestServer.StartAsync();
        using var response = await server.SendAsync("PATCH", SessionPath, Candidates, Fragment, ("If-Match", ifMatch));
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }

    [Theory]
    [InlineData("\"stale\"")]
    [InlineData("W/\"etag1\"")]
    [InlineData("garbage,,\"")]
    public async Task A_stale_or_weak_etag_gets_412(string ifMatch)
    {
        await using var server = await TestServer.StartAsync();
        using var response = await server.SendAsync("PATCH", SessionPath, Candidates, Fragment, ("If-Match", ifMatch));
        Assert.Equal(HttpStatusCode.PreconditionFailed, response.StatusCode);
        Assert.Contains(ifMatch, await DetailAsync(response), StringComparison.Ordinal);
        Assert.Null(server.Gateway.LastFragment);
    }

    [Fact]
    public async Task A_patch_without_if_match_gets_428()
    {
        await using var server = await TestServer.StartAsync();
        using var response = await server.SendAsync("PATCH", SessionPath, Candidates, Fragment);
        Assert.Equal(HttpStatusCode.PreconditionRequired, response.StatusCode);
        Assert.Contains("If-Match", await DetailAsync(response), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("*")]
    [InlineData("\"*\"")]
    public async Task A_star_restarts_ice_and_answers_200_with_a_fragment_and_a_new_etag(string ifMatch)
    {
        await using var server = await TestServer.StartAsync();
        using var response = await server.SendAsync("PATCH", SessionPath, Candidates, Fragment, ("If-Match", ifMatch));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Fragment, response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("\"etag2\"", response.Headers.ETag?.ToString());
        Assert.Equal("a=ice-ufrag:new1\r\n", await response.Content.ReadAsStringAsync());
        Assert.Equal("EsAw", server.Gateway.LastFragment!.Ice!.Ufrag);
        using var stale = await server.SendAsync("PATCH", SessionPath, Candidates, Fragment, ("If-Match", "\"etag1\""));
        Assert.Equal(HttpStatusCode.PreconditionFailed, stale.StatusCode);
    }

    [Fact]
    public async Task A_restart_that_fails_keeps_the_session_and_its_etag()
    {
        await using var server = await TestServer.StartAsync();
        server.Gateway.Error = new ViewerError(ViewerErrorKind.Busy, "queue full");
        using var response = await server.SendAsync("PATCH", SessionPath, Candidates, Fragment, ("If-Match", "*"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        server.Gateway.Error = null;
        using var again = await server.SendAsync("PATCH", SessionPath, Candidates, Fragment, ("If-Match", "\"etag1\""));
        Assert.Equal(HttpStatusCode.NoContent, again.StatusCode);
    }

    [Fact]
    public async Task A_restart_without_credentials_and_a_fragment_that_is_none_get_400()
    {
        await using var server = await TestServer.StartAsync();
        using var bare = await server.SendAsync("PATCH", SessionPath, "m=video 9 RTP/AVP 0\r\na=mid:0\r\n", Fragment, ("If-Match", "*"));
        Assert.Equal(HttpStatusCode.BadRequest, bare.StatusCode);
        Assert.Contains("a=ice-ufrag", await DetailAsync(bare), StringComparison.Ordinal);
        using var garbage = await server.SendAsync("PATCH", SessionPath, "\0\u0001garbage", Fragment, ("If-Match", "\"etag1\""));
        Assert.Equal(HttpStatusCode.BadRequest, garbage.StatusCode);
        Assert.NotEmpty(await DetailAsync(garbage));
    }

    [Fact]
    public async Task A_patch_of_another_content_type_gets_415_with_accept_patch()
    {
        await using var server = await TestServer.StartAsync();
        using var response = await server.SendAsync("PATCH", SessionPath, Candidates, Sdp, ("If-Match", "\"etag1\""));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        Assert.Equal(Fragment, response.Headers.GetValues("Accept-Patch").Single());
    }

    [Theory]
    [InlineData("PATCH")]
    [InlineData("DELETE")]
    [InlineData("GET")]
    public async Task An_unknown_session_gets_404(string method)
    {
        await using var server = await TestServer.StartAsync();
        using var response = await server.SendAsync(method, "/whep/main/nobody", null, null, ("If-Match", "*"));
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("POST a new offer", await DetailAsync(response), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_delete_with_a_stale_etag_or_none_gets_200_once()
    {
        await using var server = await TestServer.StartAsync();
        using var response = await server.SendAsync("DELETE", SessionPath, null, null, ("If-Match", "\"stale\""));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var again = await server.SendAsync("DELETE", SessionPath);
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/whep/main")]
    [InlineData("HEAD", "/whep/main")]
    [InlineData("GET", SessionPath)]
    [InlineData("HEAD", SessionPath)]
    public async Task Get_and_head_answer_2xx_with_nothing(string method, string path)
    {
        await using var server = await TestServer.StartAsync();
        using var response = await server.SendAsync(method, path);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Options_answers_200_with_what_is_accepted()
    {
        await using var server = await TestServer.StartAsync();
        using var endpoint = await server.SendAsync("OPTIONS", "/whep/main");
        Assert.Equal(HttpStatusCode.OK, endpoint.StatusCode);
        Assert.Equal(Sdp, endpoint.Headers.GetValues("Accept-Post").Single());
        Assert.False(endpoint.Headers.Contains("Access-Control-Allow-Origin"));
        using var session = await server.SendAsync("OPTIONS", SessionPath);
        Assert.Equal(HttpStatusCode.OK, session.StatusCode);
        Assert.Equal(Fragment, session.Headers.GetValues("Accept-Patch").Single());
    }

    [Fact]
    public async Task A_method_that_means_nothing_gets_405_with_allow()
    {
        await using var server = await TestServer.StartAsync();
        using var response = await server.SendAsync("PUT", "/whep/main", "x", Sdp);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Contains("POST", response.Content.Headers.Allow);
        Assert.NotEmpty(await DetailAsync(response));
    }

    [Fact]
    public async Task A_page_of_a_configured_origin_may_read_etag_link_and_location()
    {
        await using var server = await TestServer.StartAsync(new HttpOptions { CorsOrigins = ["https://home.example"] });
        using var preflight = await server.SendAsync(
            "OPTIONS", "/whep/main", null, null, ("Origin", "https://home.example"), ("Access-Control-Request-Method", "POST"));
        Assert.Equal(HttpStatusCode.OK, preflight.StatusCode);
        Assert.Equal("https://home.example", preflight.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Contains("If-Match", preflight.Headers.GetValues("Access-Control-Allow-Headers").Single(), StringComparison.Ordinal);
        Assert.Contains("PATCH", preflight.Headers.GetValues("Access-Control-Allow-Methods").Single(), StringComparison.Ordinal);
        Assert.False(preflight.Headers.Contains("Link"));
        using var created = await server.SendAsync("POST", "/whep/main", "v=0", Sdp, ("Origin", "https://home.example"));
        Assert.Equal("ETag, Link, Location", created.Headers.GetValues("Access-Control-Expose-Headers").Single());
        using var foreign = await server.SendAsync("POST", "/whep/main", "v=0", Sdp, ("Origin", "https://evil.example"));
        Assert.False(foreign.Headers.Contains("Access-Control-Allow-Origin"));
    }
}
