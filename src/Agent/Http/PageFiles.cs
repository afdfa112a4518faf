using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Agent.Http;

/// <summary>The viewer page: the files of src/web/dist, embedded when the agent was built.</summary>
internal sealed class PageFiles
{
    private const string ResourcePrefix = "web/";
    private const string Index = "index.html";
    private const string NotBuilt =
        "The viewer page was not built into this executable. Run deploy/build-page.sh, then build the agent again.\n" +
        "WHEP (/whep/main), /api/status, /metrics and /healthz work without it.\n";

    // connect-src: the browser's own broker connection may go anywhere that mqtt.webSocketUrl or ?broker= says.
    private const string ContentSecurityPolicy =
        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

    private readonly Dictionary<string, PageFile> _files = [];

    public PageFiles(Assembly assembly)
    {
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(ResourcePrefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            _files[name[ResourcePrefix.Length..]] = new PageFile(content, $"\"{Convert.ToHexStringLower(SHA256.HashData(content)[..16])}\"", ContentType(name));
        }
    }

    private sealed record PageFile(byte[] Content, string ETag, string ContentType);

    public Task ServeAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!.TrimStart('/');
        path = path.Length == 0 ? Index : path;
        if (_files.TryGetValue(path, out var file))
        {
            return ServeAsync(context, path, file);
        }

        if (path == Index)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return context.WriteBytesAsync(System.Text.Encoding.UTF8.GetBytes(NotBuilt), "text/plain; charset=utf-8");
        }

        return context.WriteProblemAsync(StatusCodes.Status404NotFound, $"There is nothing at {context.Request.Path}.");
    }

    private static Task ServeAsync(HttpContext context, string path, PageFile file)
    {
        var headers = context.Response.Headers;
        headers.ETag = file.ETag;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        // Vite puts a hash of the content into the names of what lies in assets/.
        headers.CacheControl = path.StartsWith("assets/", StringComparison.Ordinal) ? "public, max-age=31536000, immutable" : "no-cache";
        if (EntityTagHeaderValue.TryParseList(context.Request.Headers.IfNoneMatch, out var known) && known.Any(t => t.Tag == file.ETag))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        return context.WriteBytesAsync(file.Content, file.ContentType);
    }

    private static string ContentType(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".json" or ".map" => "application/json",
        ".svg" => "image/svg+xml",
        ".png" => "image/png",
        ".ico" => "image/x-icon",
        ".woff2" => "font/woff2",
        ".webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    };
}
