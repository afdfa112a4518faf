using System.Text;
using Agent.Rtc.Sdp;
using Agent.Transport;
using Microsoft.Net.Http.Headers;

namespace Agent.Http;

/// <summary>
/// WHEP (draft-ietf-wish-whep) over the gateway; the session's rules are those of WHIP (RFC 9725 §4.2, §4.3), which it mirrors.
/// </summary>
internal sealed class WhepEndpoints(IViewerGateway gateway)
{
    private const string SdpType = "application/sdp";
    private const string FragmentType = "application/trickle-ice-sdpfrag";
    private const string EndpointMethods = "GET, HEAD, OPTIONS, POST";
    private const string SessionMethods = "DELETE, GET, HEAD, OPTIONS, PATCH";
    private const string AcceptPatch = "Accept-Patch";
    private const string AcceptPost = "Accept-Post";

    private static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromSeconds(2);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/whep/{camera}", OpenAsync);
        // RFC 9725 §4.2: GET and HEAD are kept for later use and answer nothing.
        routes.MapMethods("/whep/{camera}", [HttpMethods.Get, HttpMethods.Head, HttpMethods.Options], DescribeEndpoint);
        routes.MapPatch("/whep/{camera}/{session}", PatchAsync);
        routes.MapDelete("/whep/{camera}/{session}", CloseAsync);
        routes.MapMethods("/whep/{camera}/{session}", [HttpMethods.Get, HttpMethods.Head], DescribeSessionAsync);
        routes.MapMethods("/whep/{camera}/{session}", [HttpMethods.Options], DescribeSessionOptions);
    }

    private static Task DescribeEndpoint(HttpContext context)
    {
        context.Response.StatusCode = HttpMethods.IsOptions(context.Request.Method) ? StatusCodes.Status200OK : StatusCodes.Status204NoContent;
        context.Response.Headers[AcceptPost] = SdpType;
        context.Response.Headers.Allow = EndpointMethods;
        return Task.CompletedTask;
    }

    private static Task DescribeSessionOptions(HttpContext context)
    {
        context.Response.Headers[AcceptPatch] = FragmentType;
        context.Response.Headers.Allow = SessionMethods;
        return Task.CompletedTask;
    }

    private async Task DescribeSessionAsync(HttpContext context)
    {
        if (await gateway.GetETagAsync(Session(context), context.RequestAborted) is not { } etag)
        {
            await WriteUnknownSessionAsync(context);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
        context.Response.Headers.ETag = Quote(etag);
        context.Response.Headers[AcceptPatch] = FragmentType;
    }

    private async Task OpenAsync(HttpContext context)
    {
        if (!HasContentType(context.Request, SdpType))
        {
            context.Response.Headers[AcceptPost] = SdpType;
            await context.WriteProblemAsync(StatusCodes.Status415UnsupportedMediaType,
                $"The offer's Content-Type is {Found(context.Request.ContentType)}; send the SDP as {SdpType}.");
            return;
        }

        var camera = (string)context.GetRouteValue("camera")!;
        var offer = await ReadBodyAsync(context.Request);
        var source = context.Connection.RemoteIpAddress;
        var answer = await gateway.OpenAsync(
            new ViewerOffer(camera, offer, "whep", source?.ToString() ?? "unknown") { Source = source }, context.RequestAborted);
        if (answer.Error is { } error)
        {
            await WriteErrorAsync(context, error);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status201Created;
        // Relative to the request's own URL: right behind every proxy, whatever its scheme, name and path are.
        context.Response.Headers.Location = $"{Uri.EscapeDataString(camera)}/{answer.SessionId}";
        context.Response.Headers.ETag = Quote(answer.ETag);
        context.Response.Headers[AcceptPatch] = FragmentType;
        context.Response.Headers.Link = IceServerLinks.Format(gateway.GetIceServers());
        await context.WriteBytesAsync(Encoding.UTF8.GetBytes(answer.Answer), SdpType);
    }

    private async Task PatchAsync(HttpContext context)
    {
        var session = Session(context);
        if (await gateway.GetETagAsync(session, context.RequestAborted) is not { } etag)
        {
            await WriteUnknownSessionAsync(context);
            return;
        }

        if (!HasContentType(context.Request, FragmentType))
        {
            context.Response.Headers[AcceptPatch] = FragmentType;
            await context.WriteProblemAsync(StatusCodes.Status415UnsupportedMediaType,
                $"The fragment's Content-Type is {Found(context.Request.ContentType)}; send it as {FragmentType}.");
            return;
        }

        var ifMatch = context.Request.Headers.IfMatch.ToString().Trim();
        if (ifMatch.Length == 0)
        {
            await context.WriteProblemAsync(StatusCodes.Status428PreconditionRequired,
                "There is no If-Match: send the ETag of the 201 to add candidates, or * to restart ICE (RFC 9725 §4.3.1).");
            return;
        }

        var isRestart = ifMatch is "*" or "\"*\"";
        if (!isRestart && !Matches(ifMatch, etag))
        {
            await context.WriteProblemAsync(StatusCodes.Status412PreconditionFailed,
                $"If-Match is {ifMatch}, but ICE has been restarted since; send the ETag of the last 200 or 201.");
            return;
        }

        var body = await ReadBodyAsync(context.Request);
        if (!SdpNegotiation.TryParseTrickleFragment(body.Span, out var fragment, out var malformed))
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, malformed!.Message);
            return;
        }

        if (isRestart)
        {
            await RestartAsync(context, session, fragment!);
        }
        else if (await gateway.TrickleAsync(session, fragment!, context.RequestAborted) is { } error)
        {
            await WriteErrorAsync(context, error);
        }
        else
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }

    private async Task RestartAsync(HttpContext context, string session, TrickleFragment fragment)
    {
        if (fragment.Ice is null)
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest,
                "An ICE restart needs new credentials: a=ice-ufrag and a=ice-pwd in the fragment (RFC 9725 §4.3.3).");
            return;
        }

        var restarted = await gateway.RestartIceAsync(session, fragment, context.RequestAborted);
        if (restarted.Error is { } error)
        {
            await WriteErrorAsync(context, error);
            return;
        }

        context.Response.Headers.ETag = Quote(restarted.ETag);
        await context.WriteBytesAsync(Encoding.UTF8.GetBytes(restarted.SdpFragment), FragmentType);
    }

    private async Task CloseAsync(HttpContext context)
    {
        if (!await gateway.CloseAsync(Session(context), "the viewer left", context.RequestAborted))
        {
            await WriteUnknownSessionAsync(context);
        }
    }

    private static string Session(HttpContext context) => (string)context.GetRouteValue("session")!;

    private static string Found(string? contentType) => string.IsNullOrEmpty(contentType) ? "missing" : $"\"{contentType}\"";

    private static bool HasContentType(HttpRequest request, string wanted) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.MediaType.Equals(wanted, StringComparison.OrdinalIgnoreCase);

    private static string Quote(string etag) => $"\"{etag}\"";

    /// <summary>Strong comparison (RFC 9110 §13.1.1); an entity tag that lost its quotes is understood.</summary>
    private static bool Matches(string ifMatch, string etag) =>
        ifMatch == etag || (EntityTagHeaderValue.TryParseList([ifMatch], out var tags) && tags.Any(t => !t.IsWeak && t.Tag == Quote(etag)));

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpRequest request)
    {
        var body = new MemoryStream();
        await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    private static Task WriteUnknownSessionAsync(HttpContext context) =>
        context.WriteProblemAsync(StatusCodes.Status404NotFound, "There is no such session: it has ended, or never was. POST a new offer.");

    private static Task WriteErrorAsync(HttpContext context, ViewerError error)
    {
        var status = error.Kind switch
        {
            ViewerErrorKind.UnknownCamera or ViewerErrorKind.UnknownSession => StatusCodes.Status404NotFound,
            ViewerErrorKind.Malformed => StatusCodes.Status400BadRequest,
            ViewerErrorKind.NotAcceptable => StatusCodes.Status406NotAcceptable,
            ViewerErrorKind.NotProducing => StatusCodes.Status409Conflict,
            _ => StatusCodes.Status503ServiceUnavailable,
        };
        var isTemporary = error.Kind is ViewerErrorKind.NotProducing or ViewerErrorKind.Busy;
        return context.WriteProblemAsync(status, error.Message, isTemporary ? error.RetryAfter ?? DefaultRetryAfter : null);
    }
}
