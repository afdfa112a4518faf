using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Agent.Configuration;
using Microsoft.Net.Http.Headers;

namespace Agent.Http;

/// <summary>Marks an endpoint that answers without a token: the page's files and the health check.</summary>
internal sealed class OpenToAll
{
    public static OpenToAll Instance { get; } = new();
}

/// <summary>
/// What stands in front of every endpoint: foreign pages (CORS, DNS rebinding), the request rate of each client, the bearer token, and
/// the shape of unexpected errors.
/// </summary>
internal sealed partial class RequestGuard : IDisposable
{
    private const int BurstSeconds = 3;
    // An IPv6 host has a whole /64 to choose addresses from (RFC 4291 §2.5.4).
    private const int IPv6PrefixLength = 8;
    private const string BearerScheme = "Bearer ";

    private readonly HttpOptions _options;
    private readonly ILogger _logger;
    private readonly byte[]? _tokenDigest;
    private readonly PartitionedRateLimiter<IPAddress> _limiter;

    public RequestGuard(HttpOptions options, ILogger logger)
    {
        _options = options;
        _logger = logger;
        _tokenDigest = options.BearerToken is { } token ? SHA256.HashData(Encoding.UTF8.GetBytes(token)) : null;
        _limiter = PartitionedRateLimiter.Create<IPAddress, IPAddress>(address => RateLimitPartition.GetTokenBucketLimiter(
            ToPartition(address),
            _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = options.RequestsPerSecond * BurstSeconds,
                TokensPerPeriod = options.RequestsPerSecond,
                ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                AutoReplenishment = true,
            }));
    }

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            if (await AdmitAsync(context))
            {
                await next(context);
                if (context.Response is { HasStarted: false, StatusCode: StatusCodes.Status405MethodNotAllowed })
                {
                    await context.WriteProblemAsync(StatusCodes.Status405MethodNotAllowed, $"{context.Request.Method} means nothing here; see Allow.");
                }
            }
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await context.WriteProblemAsync(e.StatusCode, e.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? $"The body is larger than {HttpServer.MaximumBodyBytes} bytes, more than any offer needs."
                : e.Message);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone: nobody is left to answer.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            LogFailure(e, context.Request.Method, context.Request.Path);
            await context.WriteProblemAsync(StatusCodes.Status500InternalServerError, "The agent failed; its log says why.");
        }
    }

    /// <summary>True if the request carries the token, or none is asked for.</summary>
    public bool IsAuthorized(HttpRequest request)
    {
        if (_tokenDigest is null)
        {
            return true;
        }

        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith(BearerScheme, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        // Digests are of one length, so the time taken says nothing about the token, not even how long it is.
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(header[BearerScheme.Length..].Trim())), _tokenDigest);
    }

    public void Dispose() => _limiter.Dispose();

    private async ValueTask<bool> AdmitAsync(HttpContext context)
    {
        var request = context.Request;
        if (_tokenDigest is null && !_options.AllowAnonymous && !IsLocalName(request.Host.Host))
        {
            // A page whose name has been pointed at 127.0.0.1 (DNS rebinding) sends its own name here.
            await context.WriteProblemAsync(StatusCodes.Status421MisdirectedRequest,
                $"\"{request.Host.Host}\" is not this agent's name. Use an address or localhost, or set http.bearerToken or http.allowAnonymous.");
            return false;
        }

        AddCrossOriginHeaders(context);
        var isWrite = HttpMethods.IsPost(request.Method) || HttpMethods.IsPatch(request.Method);
        if (isWrite)
        {
            using var lease = _limiter.AttemptAcquire(context.Connection.RemoteIpAddress ?? IPAddress.None);
            if (!lease.IsAcquired)
            {
                var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var retryAfter) ? retryAfter : TimeSpan.FromSeconds(1);
                await context.WriteProblemAsync(StatusCodes.Status429TooManyRequests,
                    $"More than {_options.RequestsPerSecond} requests per second from this address (http.requestsPerSecond).", wait);
                return false;
            }
        }

        // A CORS preflight cannot carry the token (Fetch standard, CORS-preflight fetch); OPTIONS gives nothing away.
        var isOpen = HttpMethods.IsOptions(request.Method) || context.GetEndpoint()?.Metadata.GetMetadata<OpenToAll>() is not null;
        if (isOpen || IsAuthorized(request))
        {
            return true;
        }

        context.Response.Headers.WWWAuthenticate = "Bearer realm=\"camera-agent\"";
        await context.WriteProblemAsync(StatusCodes.Status401Unauthorized, "Send the configured http.bearerToken as Authorization: Bearer TOKEN.");
        return false;
    }

    private void AddCrossOriginHeaders(HttpContext context)
    {
        if (_options.CorsOrigins.Count == 0)
        {
            return;
        }

        var headers = context.Response.Headers;
        headers.Vary = HeaderNames.Origin;
        var origin = context.Request.Headers.Origin.ToString();
        if (origin.Length == 0 || !_options.CorsOrigins.Any(o => o == "*" || o.Equals(origin, StringComparison.OrdinalIgnoreCase)))
        {
            return;
        }

        headers.AccessControlAllowOrigin = origin;
        headers.AccessControlExposeHeaders = "ETag, Link, Location";
        if (HttpMethods.IsOptions(context.Request.Method))
        {
            headers.AccessControlAllowMethods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST";
            headers.AccessControlAllowHeaders = "Authorization, Content-Type, If-Match";
            headers.AccessControlMaxAge = "86400";
        }
    }

    private static bool IsLocalName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(host, out _);

    private static IPAddress ToPartition(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        var bytes = address.GetAddressBytes();
        bytes.AsSpan(IPv6PrefixLength).Clear();
        return new IPAddress(bytes);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private partial void LogFailure(Exception exception, string method, string path);
}
