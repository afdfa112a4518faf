using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Agent.Mqtt;

/// <summary>Client to device, on <c>offer/{client}</c>.</summary>
internal sealed record OfferEnvelope(string? Type, string? Sdp, string? Camera);

/// <summary>Device to client, on <c>answer/{client}</c>.</summary>
internal sealed record AnswerEnvelope(string Type, string Sdp);

/// <summary>Device to client, on <c>answer/{client}</c>, in place of an answer.</summary>
internal sealed record ErrorEnvelope(string Type, string Code, string Message, int? RetryAfterSeconds);

/// <summary>Device to operator, on <c>error</c>.</summary>
internal sealed record ErrorReport(string Client, string Code, string Message);

/// <summary>A browser's RTCIceCandidateInit (W3C WebRTC §4.8.1).</summary>
internal sealed record CandidateEnvelope(string? Candidate, string? SdpMid, int? SdpMLineIndex);

/// <summary>Both ways, on <c>bye/{client}</c>. <c>From</c> is "device" on the device's own, which 3.1.1 brokers echo.</summary>
internal sealed record ByeEnvelope(string? Type, string? From, string? Reason);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false, MaxDepth = SignalingJson.MaxDepth)]
[JsonSerializable(typeof(OfferEnvelope))]
[JsonSerializable(typeof(AnswerEnvelope))]
[JsonSerializable(typeof(ErrorEnvelope))]
[JsonSerializable(typeof(ErrorReport))]
[JsonSerializable(typeof(CandidateEnvelope))]
[JsonSerializable(typeof(ByeEnvelope))]
internal sealed partial class SignalingJson : JsonSerializerContext
{
    /// <summary>The envelopes are flat; unknown members may nest a little.</summary>
    public const int MaxDepth = 8;

    /// <summary>False if the bytes are not JSON of that shape. JSON <c>null</c> gives true and <c>null</c>.</summary>
    public static bool TryRead<T>(
        ReadOnlySpan<byte> payload, JsonTypeInfo<T> type, out T? value, [NotNullWhen(false)] out string? error)
        where T : class
    {
        try
        {
            value = JsonSerializer.Deserialize(payload, type);
            error = null;
            return true;
        }
        catch (JsonException failure)
        {
            value = null;
            error = failure.Message;
            return false;
        }
    }
}
