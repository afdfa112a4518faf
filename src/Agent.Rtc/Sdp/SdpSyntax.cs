using System.Buffers;
using System.Globalization;

namespace Agent.Rtc.Sdp;

/// <summary>Character classes and numbers of RFC 8866 §9 and RFC 8839 §5.1.</summary>
internal static class SdpSyntax
{
    private const string Alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>Longest token that is accepted and echoed; RFC 8830 §2 limits msid identifiers to 64.</summary>
    private const int MaxTokenLength = 64;

    private static readonly SearchValues<char> s_token = SearchValues.Create(Alphanumeric + "!#$%&'*+-.^_`{|}~");
    private static readonly SearchValues<char> s_tokenOrSlash = SearchValues.Create(Alphanumeric + "!#$%&'*+-.^_`{|}~/");
    private static readonly SearchValues<char> s_ice = SearchValues.Create(Alphanumeric + "+/");

    /// <summary>RFC 8866 §9 token.</summary>
    public static bool IsToken(ReadOnlySpan<char> text) => text.Length is > 0 and <= MaxTokenLength && !text.ContainsAnyExcept(s_token);

    /// <summary>RFC 8866 §9 proto: tokens joined by slashes.</summary>
    public static bool IsProtocol(ReadOnlySpan<char> text) => text.Length is > 0 and <= MaxTokenLength && !text.ContainsAnyExcept(s_tokenOrSlash);

    /// <summary>RFC 8839 §5.1 ice-char, of a length between the two bounds.</summary>
    public static bool IsIceChars(ReadOnlySpan<char> text, int min, int max) =>
        text.Length >= min && text.Length <= max && !text.ContainsAnyExcept(s_ice);

    /// <summary>Digits only: no sign, no space.</summary>
    public static bool TryParseNumber(ReadOnlySpan<char> text, uint max, out uint value) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= max;

    /// <summary>Cuts the text up to the next space off; the rest keeps what follows that space.</summary>
    public static ReadOnlySpan<char> NextWord(ref ReadOnlySpan<char> rest)
    {
        rest = rest.TrimStart(' ');
        var space = rest.IndexOf(' ');
        var word = space < 0 ? rest : rest[..space];
        rest = space < 0 ? [] : rest[(space + 1)..];
        return word;
    }
}
