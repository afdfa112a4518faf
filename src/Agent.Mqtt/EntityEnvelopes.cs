using System.Text.Json.Serialization;

namespace Agent.Mqtt;

/// <summary>Device to operator, on <c>error</c>.</summary>
internal sealed record EntityErrorReport(string Entity, string Code, string Message);

/// <summary>Device to client, on the command's Response Topic.</summary>
internal sealed record CommandReply(string Entity, bool Done, string? Code, string? Message);

/// <summary>An event as Home Assistant's MQTT event takes it.</summary>
internal sealed record EventEnvelope([property: JsonPropertyName("event_type")] string EventType);

/// <summary>A version as Home Assistant's MQTT update takes it.</summary>
internal sealed record UpdateEnvelope([property: JsonPropertyName("installed_version")] string InstalledVersion);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EntityErrorReport))]
[JsonSerializable(typeof(CommandReply))]
[JsonSerializable(typeof(EventEnvelope))]
[JsonSerializable(typeof(UpdateEnvelope))]
internal sealed partial class EntityJson : JsonSerializerContext;
