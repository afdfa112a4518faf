using System.Diagnostics.CodeAnalysis;

namespace Agent.Rtc.Sdp;

/// <summary>Finds the payload type of a video section that can carry a given H.264 stream (RFC 6184 §8.2.2).</summary>
internal static class H264FormatSelector
{
    private const int PayloadTypes = 128;

    /// <summary>The spelling of Constrained Baseline level 3.1 that every browser offers; wins among equals.</summary>
    private const string PreferredProfileLevelId = "42e01f";

    private const int LastRank = 100;

    /// <summary>RFC 6184 §6.3: non-interleaved mode, the only one that browsers and this agent use beyond single NAL units.</summary>
    private const string NonInterleavedMode = "1";

    /// <summary>The feedback this agent acts upon; anything else is not agreed to (RFC 4585 §4.2, RFC 5104 §7.1).</summary>
    public static readonly IReadOnlyList<string> Feedback = ["nack", "nack pli", "ccm fir", HeaderExtensions.TransportFeedback, HeaderExtensions.EstimateFeedback];

    private sealed class Format
    {
        public string? Encoding { get; set; }

        public string Parameters { get; set; } = "";

        public byte? RtxPayloadType { get; set; }

        public List<string> Feedback { get; } = [];
    }

    public static bool TrySelect(
        SdpBlock section, H264ProfileLevel stream, [NotNullWhen(true)] out H264Format? format, [NotNullWhen(false)] out SdpError? error)
    {
        format = null;
        error = null;
        var formats = ReadFormats(section, out var anyFeedback);
        var bestRank = int.MaxValue;
        string? refused = null;
        foreach (var text in section.Formats)
        {
            if (!SdpSyntax.TryParseNumber(text, PayloadTypes - 1, out var payloadType) || formats[payloadType] is not { } offered
                || !string.Equals(offered.Encoding, "H264/90000", StringComparison.OrdinalIgnoreCase)
                || Parameter(offered.Parameters, "packetization-mode") is not NonInterleavedMode)
            {
                continue;
            }

            var id = Parameter(offered.Parameters, "profile-level-id");
            var level = stream;
            if (id is not null && !H264ProfileLevel.TryParse(id, out level))
            {
                refused ??= $"profile-level-id={id} of payload type {payloadType} is not six hex digits of a known profile";
                continue;
            }

            // RFC 6184 §8.1 infers Baseline level 1, which is QCIF, from a missing parameter. Those who leave it out (GStreamer's webrtcbin)
            // decode whatever comes, so it restricts nothing here; a format that states what it takes goes before it.
            var rank = id is null ? LastRank : stream.RankDecoder(level);
            if (rank < 0)
            {
                refused ??= $"the stream is profile {stream.Profile}, which payload type {payloadType} ({level.Profile}) cannot decode";
                continue;
            }

            // Browsers state level 3.1 whatever they decode; level-asymmetry-allowed is how they say that it binds only what they send.
            var isAsymmetric = Parameter(offered.Parameters, "level-asymmetry-allowed") is "1";
            if (!isAsymmetric && !stream.IsWithinLevelOf(level))
            {
                refused = $"the stream is H.264 level {stream.LevelName}, payload type {payloadType} allows at most {level.LevelName}; "
                    + "offer level-asymmetry-allowed=1 or a higher level, or lower the camera's resolution or frame rate";
                continue;
            }

            rank = (2 * rank) + (string.Equals(id, PreferredProfileLevelId, StringComparison.OrdinalIgnoreCase) ? 0 : 1);
            if (rank < bestRank)
            {
                bestRank = rank;
                var feedback = offered.Feedback.Concat(anyFeedback).Distinct().ToArray();
                format = new H264Format((byte)payloadType, offered.RtxPayloadType, stream.AnswerTo(level), isAsymmetric, feedback);
            }
        }

        error = format is not null ? null : SdpError.NotAcceptable(section.Line, refused is null
            ? $"m=video offers no H264/90000 with packetization-mode=1 (RFC 6184), only {Describe(section, formats)}; enable H.264 in the browser."
            : $"no H.264 format of m=video fits: {refused}.");
        return format is not null;
    }

    private static Format?[] ReadFormats(SdpBlock section, out List<string> anyFeedback)
    {
        var formats = new Format?[PayloadTypes];
        anyFeedback = [];
        foreach (var attribute in section.Attributes)
        {
            if (attribute.Name is not ("rtpmap" or "fmtp" or "rtcp-fb"))
            {
                continue;
            }

            ReadOnlySpan<char> rest = attribute.Value;
            var word = SdpSyntax.NextWord(ref rest);
            var value = rest.Trim(' ').ToString();
            if (attribute.Name is "rtcp-fb" && word is "*")
            {
                AddFeedback(anyFeedback, value);
            }
            else if (SdpSyntax.TryParseNumber(word, PayloadTypes - 1, out var payloadType))
            {
                var format = formats[payloadType] ??= new Format();
                switch (attribute.Name)
                {
                    case "rtpmap":
                        format.Encoding ??= value;
                        break;
                    case "fmtp":
                        format.Parameters = value;
                        break;
                    default:
                        AddFeedback(format.Feedback, value);
                        break;
                }
            }
        }

        LinkRetransmission(section, formats);
        return formats;
    }

    private static void AddFeedback(List<string> feedback, string value)
    {
        if (Feedback.Contains(value) && !feedback.Contains(value))
        {
            feedback.Add(value);
        }
    }

    /// <summary>RFC 4588 §8.1: an rtx format names the format it repairs with apt.</summary>
    private static void LinkRetransmission(SdpBlock section, Format?[] formats)
    {
        foreach (var text in section.Formats.Take(PayloadTypes))
        {
            if (SdpSyntax.TryParseNumber(text, PayloadTypes - 1, out var rtx) && formats[rtx] is { } format
                && string.Equals(format.Encoding, "rtx/90000", StringComparison.OrdinalIgnoreCase)
                && SdpSyntax.TryParseNumber(Parameter(format.Parameters, "apt"), PayloadTypes - 1, out var apt) && formats[apt] is { } repaired)
            {
                repaired.RtxPayloadType ??= (byte)rtx;
            }
        }
    }

    /// <summary>The value of one of "a=1;b=2", or <c>null</c>. Names are case-insensitive (RFC 4855 §3).</summary>
    private static string? Parameter(ReadOnlySpan<char> parameters, ReadOnlySpan<char> name)
    {
        foreach (var range in parameters.Split(';'))
        {
            var pair = parameters[range].Trim(' ');
            var equals = pair.IndexOf('=');
            if (equals >= 0 && pair[..equals].Trim(' ').Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return pair[(equals + 1)..].Trim(' ').ToString();
            }
        }

        return null;
    }

    private static string Describe(SdpBlock section, Format?[] formats)
    {
        const int Shown = 8;
        var names = section.Formats
            .Select(text => SdpSyntax.TryParseNumber(text, PayloadTypes - 1, out var type) ? formats[type]?.Encoding : null)
            .OfType<string>().Select(encoding => encoding.Split('/')[0]).Where(name => SdpSyntax.IsToken(name))
            .Distinct(StringComparer.OrdinalIgnoreCase).Take(Shown).ToArray();
        return names.Length == 0 ? "formats without a=rtpmap" : string.Join(", ", names);
    }
}
