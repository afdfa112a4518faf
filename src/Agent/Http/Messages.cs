using System.Text.Json;
using System.Text.Json.Serialization;
using Agent.Devices;
using Agent.Devices.Probe;
using Agent.Mqtt;
using Agent.Rtc;
using Agent.Transport;
using Agent.Whip;

namespace Agent.Http;

/// <summary>An error's body (RFC 9457): the title is the status in words, the detail says what was wrong and the mend.</summary>
internal sealed record Problem(string Title, int Status, string Detail);

/// <summary>The body of <c>GET /healthz</c>; problems are left out for those who may not see the status.</summary>
internal sealed record Health(string Status, IReadOnlyList<string>? Problems);

/// <summary>The body of <c>GET /api/status</c>.</summary>
internal sealed record Status(
    string Version, double UptimeSeconds, IReadOnlyList<CameraStatus> Cameras, IReadOnlyList<ViewerStatus> Viewers, TransportStatus Transport,
    MqttStatus? Mqtt, IReadOnlyList<WhipStatus>? Publishers);

/// <summary>What the page needs to start.</summary>
/// <param name="Cameras">Names.</param>
/// <param name="Mqtt">The broker for browsers, if there is one.</param>
/// <param name="HasIceServers">Whether <c>/api/ice-servers</c> is worth asking.</param>
/// <param name="UnixTimeMilliseconds">The agent's wall clock, by which the page reads the picture's timecode.</param>
internal sealed record PageSettings(IReadOnlyList<string> Cameras, PageBroker? Mqtt, bool HasIceServers, long UnixTimeMilliseconds);

/// <summary>The body of <c>GET /api/ice-servers</c>: a browser's RTCConfiguration as far as the agent knows it.</summary>
internal sealed record IceServerList(IReadOnlyList<IceServer> IceServers);

internal sealed record PageBroker(string WebSocketUrl, string BaseTopic);

/// <summary>Addresses travel as "192.0.2.1:3478".</summary>
internal sealed class TransportAddressConverter : JsonConverter<TransportAddress>
{
    public override TransportAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("The status is only written.");

    public override void Write(Utf8JsonWriter writer, TransportAddress value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, GenerationMode = JsonSourceGenerationMode.Metadata, UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(TransportAddressConverter)])]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(Health))]
[JsonSerializable(typeof(Status))]
[JsonSerializable(typeof(ViewerStatus))]
[JsonSerializable(typeof(PageSettings))]
[JsonSerializable(typeof(IceServerList))]
[JsonSerializable(typeof(ProbeReport))]
[JsonSerializable(typeof(CameraChange))]
[JsonSerializable(typeof(CameraDetails))]
[JsonSerializable(typeof(EntityBody[]))]
[JsonSerializable(typeof(string))]
internal sealed partial class AgentJson : JsonSerializerContext;
