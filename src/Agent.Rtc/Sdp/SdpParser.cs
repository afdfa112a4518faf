using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;

namespace Agent.Rtc.Sdp;

/// <summary>SDP text to lines (RFC 8866 §5, §9). Tolerates LF line ends, which RFC 8866 §5 asks parsers to do.</summary>
internal static class SdpParser
{
    /// <summary>A browser's offer has 2 to 20 KB; the bound keeps a hostile one cheap.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>Chromium's offer of three sections has 250 lines.</summary>
    public const int MaxLines = 4096;

    public const int MaxSections = 64;

    private const uint MaxPort = ushort.MaxValue;

    /// <param name="text">The text.</param>
    /// <param name="isFragment">True for <c>application/trickle-ice-sdpfrag</c> (RFC 8840 §9), which has no v= line and may have no m= line.</param>
    /// <param name="description">The lines, on success.</param>
    /// <param name="error">Names the line and the mend, on failure.</param>
    public static bool TryParse(
        ReadOnlySpan<byte> text, bool isFragment, [NotNullWhen(true)] out SdpDescription? description, [NotNullWhen(false)] out SdpError? error)
    {
        description = null;
        if (text.Length > MaxBytes)
        {
            error = SdpError.Malformed(1, $"the text has {text.Length} bytes; send at most {MaxBytes}.");
            return false;
        }

        if (!Utf8.IsValid(text))
        {
            error = SdpError.Malformed(1, "the text is not UTF-8; send the browser's sdp string as it is.");
            return false;
        }

        var session = new SdpBlock(1);
        var sections = new List<SdpBlock>();
        var number = 0;
        while (!text.IsEmpty)
        {
            number++;
            var end = text.IndexOf((byte)'\n');
            var line = (end < 0 ? text : text[..end]).TrimEnd((byte)'\r');
            text = end < 0 ? [] : text[(end + 1)..];
            if (line.IsEmpty && text.IsEmpty)
            {
                break;
            }

            error = ParseLine(line, number, isFragment, session, sections);
            if (error is not null)
            {
                return false;
            }
        }

        if (!isFragment && (number == 0 || sections.Count == 0))
        {
            error = number == 0
                ? SdpError.Malformed(1, "the text is empty; send the browser's offer.")
                : new SdpError(SdpErrorKind.NotAcceptable, "The offer has no m= line; add a recvonly video transceiver before createOffer.");
            return false;
        }

        description = new SdpDescription(session, sections);
        error = null;
        return true;
    }

    private static SdpError? ParseLine(ReadOnlySpan<byte> line, int number, bool isFragment, SdpBlock session, List<SdpBlock> sections)
    {
        if (number > MaxLines)
        {
            return SdpError.Malformed(number, $"too many lines; send at most {MaxLines}.");
        }

        if (line.Length < 2 || line[1] != '=' || line[0] is < (byte)'a' or > (byte)'z' || line.IndexOfAny((byte)'\r', (byte)0) >= 0)
        {
            return SdpError.Malformed(number, "expected one lower-case letter, \"=\" and text up to the line end (RFC 8866 §5).");
        }

        if (!isFragment && number == 1 && !line.SequenceEqual("v=0"u8))
        {
            return SdpError.Malformed(1, "the first line must be \"v=0\" (RFC 8866 §5.1).");
        }

        var value = Encoding.UTF8.GetString(line[2..]);
        switch (line[0])
        {
            case (byte)'m':
                if (sections.Count == MaxSections)
                {
                    return SdpError.Malformed(number, $"too many m= lines; send at most {MaxSections}.");
                }

                if (!TryParseMedia(value, number, out var section))
                {
                    return SdpError.Malformed(number, "expected \"m=<media> <port> <proto> <fmt> …\" (RFC 8866 §5.14).");
                }

                sections.Add(section);
                break;
            case (byte)'a':
                var colon = value.IndexOf(':', StringComparison.Ordinal);
                var block = sections.Count == 0 ? session : sections[^1];
                block.Add(colon < 0 ? new SdpAttribute(number, value, "") : new SdpAttribute(number, value[..colon], value[(colon + 1)..]));
                break;
        }

        return null;
    }

    private static bool TryParseMedia(string value, int number, [NotNullWhen(true)] out SdpBlock? section)
    {
        section = null;
        var words = value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 4 || !SdpSyntax.IsToken(words[0]) || !SdpSyntax.IsProtocol(words[2])
            || !SdpSyntax.TryParseNumber(words[1], MaxPort, out var port) || !words.AsSpan(3..).ToArray().All(word => SdpSyntax.IsToken(word)))
        {
            return false;
        }

        section = new SdpBlock(number) { Media = words[0], Port = (int)port, Protocol = words[2], Formats = words[3..] };
        return true;
    }
}
