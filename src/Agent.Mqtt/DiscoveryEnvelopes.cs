using System.Text.Json.Serialization;

namespace Agent.Mqtt;

// Home Assistant's device-based MQTT discovery, https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload. The root, the device
// and the origin may hold nothing that is not documented there; components may. Abbreviations are those of its list.

/// <summary>The root.</summary>
internal sealed record DiscoveryEnvelope(
    [property: JsonPropertyName("dev")] DiscoveredDevice Device, [property: JsonPropertyName("o")] DiscoveryOrigin Origin,
    [property: JsonPropertyName("qos")] int Qos, [property: JsonPropertyName("cmps")] SortedDictionary<string, DiscoveredComponent> Components);

internal sealed record DiscoveredDevice(
    [property: JsonPropertyName("ids")] IReadOnlyList<string> Identifiers, [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("mf")] string Manufacturer, [property: JsonPropertyName("mdl")] string? Model,
    [property: JsonPropertyName("sw")] string SoftwareVersion, [property: JsonPropertyName("cu")] string? ConfigurationUrl);

internal sealed record DiscoveryOrigin([property: JsonPropertyName("name")] string Name, [property: JsonPropertyName("sw")] string SoftwareVersion);

internal sealed record DiscoveredAvailability([property: JsonPropertyName("t")] string Topic);

/// <summary>One entity; with nothing but the platform it takes one back.</summary>
internal sealed record DiscoveredComponent([property: JsonPropertyName("p")] string Platform)
{
    [JsonPropertyName("uniq_id")]
    public string? UniqueId { get; init; }

    [JsonPropertyName("default_entity_id")]
    public string? DefaultEntityId { get; init; }

    [JsonPropertyName("name")]
    public string? Name { get; init; }

    [JsonPropertyName("qos")]
    public int? Qos { get; init; }

    [JsonPropertyName("avty")]
    public IReadOnlyList<DiscoveredAvailability>? Availability { get; init; }

    [JsonPropertyName("avty_mode")]
    public string? AvailabilityMode { get; init; }

    [JsonPropertyName("ent_cat")]
    public string? EntityCategory { get; init; }

    [JsonPropertyName("en")]
    public bool? EnabledByDefault { get; init; }

    [JsonPropertyName("dev_cla")]
    public string? DeviceClass { get; init; }

    [JsonPropertyName("ic")]
    public string? Icon { get; init; }

    [JsonPropertyName("stat_t")]
    public string? StateTopic { get; init; }

    [JsonPropertyName("cmd_t")]
    public string? CommandTopic { get; init; }

    /// <summary>camera only.</summary>
    [JsonPropertyName("t")]
    public string? Topic { get; init; }

    /// <summary>image only, with <see cref="ContentType"/>.</summary>
    [JsonPropertyName("image_topic")]
    public string? ImageTopic { get; init; }

    [JsonPropertyName("content_type")]
    public string? ContentType { get; init; }

    [JsonPropertyName("unit_of_meas")]
    public string? Unit { get; init; }

    [JsonPropertyName("stat_cla")]
    public string? StateClass { get; init; }

    [JsonPropertyName("suggested_display_precision")]
    public int? Precision { get; init; }

    [JsonPropertyName("options")]
    public IReadOnlyList<string>? Options { get; init; }

    [JsonPropertyName("event_types")]
    public IReadOnlyList<string>? EventTypes { get; init; }

    [JsonPropertyName("min")]
    public double? Minimum { get; init; }

    [JsonPropertyName("max")]
    public double? Maximum { get; init; }

    [JsonPropertyName("step")]
    public double? Step { get; init; }

    /// <summary>light only: ON or OFF from the percentage on the state topic.</summary>
    [JsonPropertyName("stat_val_tpl")]
    public string? StateValueTemplate { get; init; }

    [JsonPropertyName("bri_stat_t")]
    public string? BrightnessStateTopic { get; init; }

    [JsonPropertyName("bri_cmd_t")]
    public string? BrightnessCommandTopic { get; init; }

    [JsonPropertyName("bri_scl")]
    public int? BrightnessScale { get; init; }

    /// <summary>update only.</summary>
    [JsonPropertyName("latest_version_topic")]
    public string? LatestVersionTopic { get; init; }
}

/// <summary>As much of a retained configuration as must be known to take entities back.</summary>
internal sealed record RetainedEnvelope([property: JsonPropertyName("cmps")] Dictionary<string, RetainedComponent?>? Components);

internal sealed record RetainedComponent([property: JsonPropertyName("p")] string? Platform);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, MaxDepth = DiscoveryJson.MaxDepth)]
[JsonSerializable(typeof(DiscoveryEnvelope))]
[JsonSerializable(typeof(RetainedEnvelope))]
internal sealed partial class DiscoveryJson : JsonSerializerContext
{
    public const int MaxDepth = 8;
}
