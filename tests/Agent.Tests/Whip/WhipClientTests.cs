using System.Net;
using System.Net.Sockets;
using System.Text;
using Agent.Whip;

namespace Agent.Tests.Whip;

public sealed class WhipClientTests
{
    private static readonly WhipOptions Options = new() { Name = "sfu", Camera = "main", Url = new Uri("https://sfu.example/whip/a"), BearerToken = "secret" };

    private readonly List<(string Method, string Url, string? Authorization, string? ContentType, string Body)> _requests = [];

    [Fact]
    public async Task An_accepted_offer_gives_the_answer_and_the_session()
    {
        using var client = Client(_ => Created("v=0\r\n", "/session/7"));
        var answer = await client.OfferAsync("the offer", default);
        Assert.Null(answer.Problem);
        Assert.Equal("v=0\r\n", Encoding.UTF8.GetString(answer.Sdp.Span));
        Assert.Equal(new Uri("https://sfu.example/session/7"), answer.Session);
        Assert.Equal(("POST", "https://sfu.example/whip/a", "Bearer secret", "application/sdp", "the offer"), Assert.Single(_requests));
    }

    [Fact]
    public async Task The_turn_servers_that_the_answer_names_are_entries_of_one_login_each_and_nonsense_harms_nobody()
    {
        using var client = Client(_ =>
        {
            var response = Created("v=0\r\n", "/session/7");
            response.Headers.Add("Link", [
                "<stun:a.example>; rel=\"ice-server\"", "<turn:a.example>; rel=\"ice-server\"; username=\"u\"; credential=\"c\"", "<nonsense",
                "<turns:a.example>; rel=\"ice-server\"; username=\"u\"; credential=\"c\", <turn:b.example>; rel=\"ice-server\"; username=\"v\"; credential=\"c\""]);
            return response;
        });
        var answer = await client.OfferAsync("", default);
        Assert.Null(answer.Problem);
        Assert.Equal(
            ["u c turn:a.example turns:a.example", "v c turn:b.example"],
            answer.IceServers.Select(one => $"{one.UserName} {one.Credential} {string.Join(' ', one.Urls)}"));
    }

    [Fact]
    public async Task A_session_is_ended_by_delete()
    {
        using var client = Client(_ => new HttpResponseMessage(HttpStatusCode.OK));
        Assert.True(await client.EndAsync(new Uri("https://sfu.example/session/7"), default));
        Assert.Equal(("DELETE", "https://sfu.example/session/7", "Bearer secret", null, ""), Assert.Single(_requests));
    }

    [Fact]
    public async Task Redirects_are_followed_with_the_offer_and_the_token_stays_with_the_configured_host()
    {
        using var client = Client(request => request.RequestUri!.Host == "sfu.example" ? Redirect("https://edge.example/b") : Created("v=0\r\n", "/session/7"));
        var answer = await client.OfferAsync("the offer", default);
        Assert.Equal(new Uri("https://edge.example/session/7"), answer.Session);
        Assert.Equal(["Bearer secret", null], _requests.Select(request => request.Authorization));
        Assert.All(_requests, request => Assert.Equal(("POST", "the offer"), (request.Method, request.Body)));
    }

    [Theory]
    [InlineData("http://sfu.example/whip", "sends the agent to \"http://sfu.example/whip\", where it does not follow")]
    [InlineData("file:///etc/passwd", "sends the agent to \"file:///etc/passwd\", where it does not follow")]
    [InlineData("/whip/a", "sends the agent in a circle; check the URL")]
    public async Task Redirects_out_of_tls_or_in_a_circle_are_not_followed(string location, string problem)
    {
        using var client = Client(_ => Redirect(location));
        Assert.Equal(problem, (await client.OfferAsync("", default)).Problem);
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized, "", "answers 401 Unauthorized: check bearerToken")]
    [InlineData(HttpStatusCode.NotFound, "nothing\r\nhere", "answers 404 Not Found (nothing here): check the URL, it must be a WHIP endpoint")]
    [InlineData(HttpStatusCode.OK, "", "answers 200 OK: check the URL, it must be a WHIP endpoint")]
    [InlineData(HttpStatusCode.ServiceUnavailable, "", "answers 503 Service Unavailable")]
    public async Task A_refusal_is_told_in_words(HttpStatusCode status, string body, string problem)
    {
        using var client = Client(_ => new HttpResponseMessage(status) { Content = new StringContent(body) });
        var answer = await client.OfferAsync("", default);
        Assert.Equal(problem, answer.Problem);
        Assert.Null(answer.Session);
    }

    [Fact]
    public async Task Retry_after_is_passed_on()
    {
        using var client = Client(_ => new HttpResponseMessage(HttpStatusCode.ServiceUnavailable) { Headers = { RetryAfter = new(TimeSpan.FromSeconds(17)) } });
        Assert.Equal(TimeSpan.FromSeconds(17), (await client.OfferAsync("", default)).RetryAfter);
    }

    [Fact]
    public async Task A_201_without_a_location_is_no_whip()
    {
        using var client = Client(_ => new HttpResponseMessage(HttpStatusCode.Created) { Content = new StringContent("v=0") });
        Assert.Contains("without a usable Location", (await client.OfferAsync("", default)).Problem);
    }

    [Fact]
    public async Task An_answer_without_end_is_cut_off()
    {
        using var client = Client(_ => Created(new string('v', (64 * 1024) + 1), "/session/7"));
        var answer = await client.OfferAsync("", default);
        Assert.StartsWith("cannot be reached", answer.Problem);
        Assert.Null(answer.Session);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_told_and_ending_its_session_harms_nobody()
    {
        using var client = Client(_ => throw new HttpRequestException("no", new SocketException((int)SocketError.ConnectionRefused)));
        Assert.Equal("cannot be reached: Connection refused", (await client.OfferAsync("", default)).Problem);
        Assert.False(await client.EndAsync(new Uri("https://sfu.example/session/7"), default));
    }

    [Fact]
    public void A_certificate_file_without_a_certificate_is_named()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
            var error = Assert.Throws<InvalidOperationException>(() => new WhipClient(Options with { CaFile = file }));
            Assert.StartsWith($"{file} has no certificate that can be read", error.Message);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static HttpResponseMessage Created(string body, string location) =>
        new(HttpStatusCode.Created) { Content = new StringContent(body), Headers = { Location = new Uri(location, UriKind.RelativeOrAbsolute) } };

    private static HttpResponseMessage Redirect(string location) =>
        new(HttpStatusCode.TemporaryRedirect) { Headers = { Location = new Uri(location, UriKind.RelativeOrAbsolute) } };

    private WhipClient Client(Func<HttpRequestMessage, HttpResponseMessage> answer) => new(Options, new Handler(this, answer));

    private sealed class Handler(WhipClientTests test, Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
            test._requests.Add((request.Method.Method, request.RequestUri!.ToString(), request.Headers.Authorization?.ToString(), request.Content?.Headers.ContentType?.ToString(), body));
            return answer(request);
        }
    }
}
