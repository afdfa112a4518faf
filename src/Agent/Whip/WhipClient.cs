using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Agent.Rtc.Ice;
using Agent.Transport;

namespace Agent.Whip;

/// <summary>A server's answer to an offer, or why there is none.</summary>
/// <param name="Sdp">UTF-8.</param>
/// <param name="Session">Where to end the session.</param>
/// <param name="Problem">What the server said, with the mend; <c>null</c> on success.</param>
/// <param name="RetryAfter">When the server asks to be tried again.</param>
internal sealed record WhipAnswer(ReadOnlyMemory<byte> Sdp, Uri? Session, string? Problem = null, TimeSpan? RetryAfter = null)
{
    /// <summary>TURN servers for this session (RFC 9725 §4.6), as entries of one login each.</summary>
    public IReadOnlyList<IceServerOptions> IceServers { get; init; } = [];
}

/// <summary>The HTTP side of WHIP (RFC 9725) towards one server: offers a session and ends it. Never throws what a server or the network causes.</summary>
internal sealed class WhipClient : IDisposable
{
    /// <summary>RFC 9725 §4.5 has servers send clients elsewhere; more than this is a circle.</summary>
    private const int MaximumRedirects = 5;

    /// <summary>As much as an offer may have; servers answer with a few KiB.</summary>
    private const int MaximumAnswerLength = 64 * 1024;

    /// <summary>Of what a server says about an error, so much is worth a line in the log.</summary>
    private const int ShownLength = 200;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly WhipOptions _options;
    private readonly HttpClient _http;

    /// <summary>For one publisher.</summary>
    /// <exception cref="InvalidOperationException">The authority's certificate cannot be read.</exception>
    public WhipClient(WhipOptions options)
        : this(options, CreateHandler(options.CaFile))
    {
    }

    /// <summary>Over another way to the server, for tests.</summary>
    internal WhipClient(WhipOptions options, HttpMessageHandler handler)
    {
        _options = options;
        _http = new HttpClient(handler) { Timeout = Timeout, MaxResponseContentBufferSize = MaximumAnswerLength };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("camera-agent", null));
    }

    /// <summary>Offers a session (RFC 9725 §4.2).</summary>
    /// <exception cref="OperationCanceledException">Cancelled by the caller.</exception>
    public async Task<WhipAnswer> OfferAsync(string offer, CancellationToken cancellation)
    {
        try
        {
            var url = _options.Url!;
            for (var redirects = 0; redirects <= MaximumRedirects; redirects++)
            {
                using var request = Request(HttpMethod.Post, url);
                request.Content = new StringContent(offer, Encoding.UTF8);
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/sdp");
                using var response = await _http.SendAsync(request, cancellation);
                if (response.StatusCode is not (HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect))
                {
                    return await ReadAsync(response, url, cancellation);
                }

                if (response.Headers.Location is not { } location || !TryFollow(url, location, out url))
                {
                    return Fail($"sends the agent to \"{response.Headers.Location}\", where it does not follow");
                }
            }

            return Fail("sends the agent in a circle; check the URL");
        }
        catch (HttpRequestException e)
        {
            return Fail(Describe(e));
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Fail($"has not answered within {Timeout.TotalSeconds:0} s");
        }
    }

    /// <summary>Ends a session (RFC 9725 §4.2). What goes wrong is of no use to anybody: a server ends it by itself when consent lapses.</summary>
    /// <returns>Whether the server has confirmed it.</returns>
    public async Task<bool> EndAsync(Uri session, CancellationToken cancellation)
    {
        try
        {
            using var request = Request(HttpMethod.Delete, session);
            using var response = await _http.SendAsync(request, cancellation);
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    public void Dispose() => _http.Dispose();

    private static SocketsHttpHandler CreateHandler(string? caFile)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = Timeout };
        if (caFile is not null)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            try
            {
                policy.CustomTrustStore.ImportFromPemFile(caFile);
            }
            catch (CryptographicException e)
            {
                throw new InvalidOperationException($"{caFile} has no certificate that can be read: {e.Message}", e);
            }

            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        return handler;
    }

    private static WhipAnswer Fail(string problem, TimeSpan? retryAfter = null) => new(default, null, problem, retryAfter);

    /// <summary>The token is the configured server's alone: another host, or one without TLS, does not get it.</summary>
    private HttpRequestMessage Request(HttpMethod method, Uri url)
    {
        var request = new HttpRequestMessage(method, url);
        if (_options.BearerToken is { } token && url.Host == _options.Url!.Host)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return request;
    }

    /// <summary>Not from TLS into the open, and nowhere but to HTTP.</summary>
    private static bool TryFollow(Uri from, Uri location, out Uri to)
    {
        to = new Uri(from, location);
        return to.Scheme == Uri.UriSchemeHttps || (to.Scheme == Uri.UriSchemeHttp && from.Scheme == Uri.UriSchemeHttp);
    }

    private static async Task<WhipAnswer> ReadAsync(HttpResponseMessage response, Uri url, CancellationToken cancellation)
    {
        if (response.StatusCode == HttpStatusCode.Created)
        {
            if (response.Headers.Location is not { } location || !TryFollow(url, location, out var session))
            {
                return Fail("accepts the offer without a usable Location (RFC 9725 §4.2): the URL is no WHIP endpoint");
            }

            return new WhipAnswer(await response.Content.ReadAsByteArrayAsync(cancellation), session) { IceServers = ReadIceServers(response) };
        }

        var said = (await response.Content.ReadAsStringAsync(cancellation)).ReplaceLineEndings(" ").Trim();
        var shown = said.Length > ShownLength ? $"{said[..ShownLength]}…" : said;
        var status = $"answers {(int)response.StatusCode} {response.ReasonPhrase}{(shown.Length > 0 ? $" ({shown})" : "")}";
        var retryAfter = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - DateTimeOffset.UtcNow,
            _ => (TimeSpan?)null,
        };
        return Fail(response.StatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => $"{status}: check bearerToken",
            HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.UnsupportedMediaType or HttpStatusCode.OK =>
                $"{status}: check the URL, it must be a WHIP endpoint",
            _ => status,
        }, retryAfter);
    }

    /// <summary>
    /// A STUN server's answer would have to be signalled in turn, and is not missed: the agent's own checks show the server where they come from.
    /// What cannot be read is of no use, and no reason to do without the stream.
    /// </summary>
    private static IceServerOptions[] ReadIceServers(HttpResponseMessage response)
    {
        var links = new List<IceServerLink>();
        foreach (var header in response.Headers.TryGetValues("Link", out var headers) ? headers : [])
        {
            // HttpClient makes characters of bytes by Latin-1.
            if (IceServerLink.TryParse(Encoding.Latin1.GetBytes(header), out var found)) links.AddRange(found);
        }

        return [.. links.Where(link => link.Url.IsTurn).Take(IceServerLink.MaximumLinks).GroupBy(link => (link.UserName, link.Credential)).Select(login => new IceServerOptions
        {
            Urls = [.. login.Select(link => link.Url)],
            UserName = login.Key.UserName,
            Credential = login.Key.Credential,
        })];
    }

    private static string Describe(HttpRequestException e) => e.InnerException switch
    {
        AuthenticationException tls => $"has a certificate that is not trusted: {tls.Message}; caFile names an authority of your own",
        { } inner => $"cannot be reached: {inner.Message}",
        null => $"cannot be reached: {e.Message}",
    };
}
