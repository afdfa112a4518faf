using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Agent.Transport;

/// <summary>
/// What a user logs in with: the configured name and password, or, with a shared secret, ones that expire (draft-uberti-behave-turn-rest
/// §2.2, coturn's use-auth-secret): the name begins with the expiry in Unix seconds, the password is Base64 of HMAC-SHA1(secret, name).
/// </summary>
internal static class TurnCredentials
{
    private const string DefaultName = "camera-agent";

    // The draft's recommendation. A name stays the same for as long, so that after a crash the agent can take up its allocation again.
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(1);

    /// <summary>The servers as viewers are told of them; credentials are good for at least a day.</summary>
    internal static IReadOnlyList<IceServer> Issue(IReadOnlyList<IceServerOptions> servers, DateTimeOffset now) =>
        [.. servers.Select(server =>
        {
            var (userName, password) = Create(server, now);
            return new IceServer([.. server.Urls.Select(url => url.ToString())], userName, password);
        })];

    /// <summary>Name and password; both <c>null</c> for a server that asks for none.</summary>
    internal static (string? UserName, string? Password) Create(IceServerOptions server, DateTimeOffset now)
    {
        if (server.Secret is null)
        {
            return (server.UserName, server.Credential);
        }

        var day = (long)Lifetime.TotalSeconds;
        var expiry = ((now.ToUnixTimeSeconds() / day) + 2) * day;
        var userName = string.Create(CultureInfo.InvariantCulture, $"{expiry}:{server.UserName ?? DefaultName}");
#pragma warning disable CA5350 // the servers' scheme is HMAC-SHA1
        var digest = HMACSHA1.HashData(Encoding.UTF8.GetBytes(server.Secret), Encoding.UTF8.GetBytes(userName));
#pragma warning restore CA5350
        return (userName, Convert.ToBase64String(digest));
    }
}
