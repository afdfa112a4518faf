using Agent.Transport;

namespace Agent.Http;

/// <summary>STUN and TURN servers as Link headers (RFC 9725 §4.6).</summary>
internal static class IceServerLinks
{
    /// <summary>One header value for each URL; empty if there is no server.</summary>
    public static string[] Format(IReadOnlyList<IceServer> servers) =>
        [.. servers.SelectMany(server => server.Urls.Select(url => $"<{url}>; rel=\"ice-server\"{FormatCredentials(server)}"))];

    private static string FormatCredentials(IceServer server) => server is { Username: { } username, Credential: { } credential }
        ? $"; username={Quote(username)}; credential={Quote(credential)}; credential-type=\"password\""
        : "";

    /// <summary>A quoted-string (RFC 9110 §5.6.4).</summary>
    private static string Quote(string value) => $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
