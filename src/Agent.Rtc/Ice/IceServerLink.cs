using System.Text;

namespace Agent.Rtc.Ice;

/// <summary>A STUN or TURN server that a WHIP or WHEP server names in its answer (RFC 9725 §4.6).</summary>
/// <param name="Url">The server.</param>
/// <param name="UserName">TURN's, if it was given.</param>
/// <param name="Credential">Its password.</param>
public sealed record IceServerLink(IceServerUrl Url, string? UserName, string? Credential)
{
    /// <summary>Servers of one header that are taken; more are left out.</summary>
    public const int MaximumLinks = 16;

    /// <summary>RFC 8489 §14.3: at most 508 bytes of UTF-8 for a user name; more is no credential for TURN.</summary>
    private const int MaximumTextLength = 508;

    /// <summary>Reads one Link header (RFC 8288 §3), which may have several links.</summary>
    /// <param name="header">Its value.</param>
    /// <param name="links">Those that name a server with <c>rel="ice-server"</c>, of a known scheme, and with a password if with a credential.</param>
    /// <returns>False if it is malformed.</returns>
    public static bool TryParse(ReadOnlySpan<byte> header, out IReadOnlyList<IceServerLink> links)
    {
        var found = new List<IceServerLink>();
        links = found;
        while (true)
        {
            header = header.TrimStart(" \t,"u8);
            if (header.IsEmpty)
            {
                return true;
            }

            if (!TryTake(ref header, out var link))
            {
                links = [];
                return false;
            }

            if (link is not null && found.Count < MaximumLinks)
            {
                found.Add(link);
            }
        }
    }

    /// <summary>Takes one link off the front; <c>null</c> if it names no server.</summary>
    private static bool TryTake(ref ReadOnlySpan<byte> text, out IceServerLink? link)
    {
        link = null;
        var end = text.IndexOf((byte)'>');
        if (text[0] != '<' || end < 0)
        {
            return false;
        }

        var target = text[1..end];
        text = text[(end + 1)..];
        string? relation = null, userName = null, credential = null, kind = null;
        while (true)
        {
            text = text.TrimStart(" \t"u8);
            if (text.IsEmpty || text[0] == ',')
            {
                break;
            }

            if (text[0] != ';')
            {
                return false;
            }

            text = text[1..].TrimStart(" \t"u8);
            var name = TakeToken(ref text, " \t=;,"u8);
            text = text.TrimStart(" \t"u8);
            string? value = null;
            if (!text.IsEmpty && text[0] == '=' && !TryTakeValue(ref text, out value))
            {
                return false;
            }

            // RFC 8288 §3: names in any case; of several with one name the first counts.
            if (Ascii.EqualsIgnoreCase(name, "rel"u8)) relation ??= value;
            else if (Ascii.EqualsIgnoreCase(name, "username"u8)) userName ??= value;
            else if (Ascii.EqualsIgnoreCase(name, "credential"u8)) credential ??= value;
            else if (Ascii.EqualsIgnoreCase(name, "credential-type"u8)) kind ??= value;
        }

        var isServer = relation?.Split(' ').Contains("ice-server", StringComparer.OrdinalIgnoreCase) == true && kind is null or "password";
        if (isServer && IceServerUrl.TryParse(Encoding.UTF8.GetString(target), out var url) && IsShort(userName) && IsShort(credential))
        {
            link = new IceServerLink(url, userName, credential);
        }

        return true;
    }

    private static bool IsShort(string? text) => text is null || Encoding.UTF8.GetByteCount(text) <= MaximumTextLength;

    private static ReadOnlySpan<byte> TakeToken(ref ReadOnlySpan<byte> text, ReadOnlySpan<byte> ends)
    {
        var length = text.IndexOfAny(ends);
        var token = length < 0 ? text : text[..length];
        text = text[token.Length..];
        return token;
    }

    /// <summary>"=" and a token or a quoted-string (RFC 9110 §5.6).</summary>
    private static bool TryTakeValue(ref ReadOnlySpan<byte> text, out string? value)
    {
        text = text[1..].TrimStart(" \t"u8);
        value = null;
        if (text.IsEmpty || text[0] != '"')
        {
            value = Encoding.UTF8.GetString(TakeToken(ref text, " \t;,"u8));
            return true;
        }

        var content = new List<byte>();
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == '"')
            {
                value = Encoding.UTF8.GetString([.. content]);
                text = text[(i + 1)..];
                return true;
            }

            if (text[i] == '\\' && ++i == text.Length)
            {
                break;
            }

            content.Add(text[i]);
        }

        return false;
    }
}
