using System.Text.Json;
using System.Text.RegularExpressions;

namespace Agent.Mqtt.Tests;

/// <summary>
/// The documented rules of Home Assistant's device discovery payload, transcribed by hand from its MQTT pages: independent of the code that
/// makes the payload.
/// </summary>
internal static partial class DiscoverySchema
{
    private static readonly string[] s_availability =
        ["availability", "availability_mode", "availability_template", "availability_topic", "payload_available", "payload_not_available"];

    private static readonly string[] s_root = ["device", "origin", "components", "qos", "encoding", "state_topic", "command_topic", .. s_availability];

    private static readonly string[] s_device =
    [
        "identifiers", "connections", "name", "manufacturer", "model", "model_id", "hw_version", "sw_version", "serial_number", "suggested_area",
        "via_device", "configuration_url",
    ];

    private static readonly string[] s_origin = ["name", "sw_version", "support_url"];

    private static readonly string[] s_component =
    [
        "platform", "unique_id", "default_entity_id", "name", "qos", "encoding", "entity_category", "enabled_by_default", "icon", "device_class",
        .. s_availability,
    ];

    /// <summary>By platform: the keys that must be there, further keys that may be, and the device classes.</summary>
    private static readonly Dictionary<string, (string[] Required, string[] Further, string[] Classes)> s_platforms = new()
    {
        ["camera"] = (["topic"], ["image_encoding"], []),
        ["image"] = (["image_topic"], ["content_type", "image_encoding"], []),
        ["binary_sensor"] = (["state_topic"], ["payload_on", "payload_off", "off_delay", "force_update"],
            ["battery", "cold", "connectivity", "door", "garage_door", "heat", "light", "moisture", "motion", "moving", "occupancy", "opening", "power", "presence",
             "problem", "running", "safety", "smoke", "sound", "tamper", "vibration", "window"]),
        ["sensor"] = (["state_topic"], ["unit_of_measurement", "state_class", "suggested_display_precision", "options", "expire_after", "force_update"],
            ["atmospheric_pressure", "battery", "carbon_dioxide", "current", "data_rate", "data_size", "distance", "duration", "enum", "frequency", "humidity",
             "illuminance", "power", "pressure", "signal_strength", "temperature", "timestamp", "voltage"]),
        ["switch"] = (["command_topic"], ["state_topic", "payload_on", "payload_off", "state_on", "state_off", "optimistic", "retain"], ["outlet", "switch"]),
        ["light"] = (["command_topic"],
            ["state_topic", "state_value_template", "brightness_state_topic", "brightness_command_topic", "brightness_scale", "on_command_type", "optimistic", "retain"], []),
        ["number"] = (["command_topic"], ["state_topic", "min", "max", "step", "mode", "unit_of_measurement", "optimistic", "retain"],
            ["data_rate", "distance", "duration", "frequency", "illuminance", "temperature", "voltage"]),
        ["select"] = (["command_topic", "options"], ["state_topic", "optimistic", "retain"], []),
        ["button"] = (["command_topic"], ["payload_press", "retain"], ["identify", "restart", "update"]),
        ["event"] = (["state_topic", "event_types"], [], ["button", "doorbell", "motion"]),
        ["update"] = ([], ["state_topic", "command_topic", "latest_version_topic", "payload_install", "title", "release_url", "release_summary"], ["firmware"]),
    };

    /// <summary>Of the list of abbreviations those that the payload uses; the device and the origin have lists of their own.</summary>
    private static readonly Dictionary<string, string> s_abbreviations = new()
    {
        ["dev"] = "device", ["o"] = "origin", ["cmps"] = "components", ["p"] = "platform", ["uniq_id"] = "unique_id", ["avty"] = "availability",
        ["avty_mode"] = "availability_mode", ["ent_cat"] = "entity_category", ["en"] = "enabled_by_default", ["dev_cla"] = "device_class", ["ic"] = "icon",
        ["stat_t"] = "state_topic", ["cmd_t"] = "command_topic", ["t"] = "topic", ["unit_of_meas"] = "unit_of_measurement", ["stat_cla"] = "state_class",
        ["stat_val_tpl"] = "state_value_template", ["bri_stat_t"] = "brightness_state_topic", ["bri_cmd_t"] = "brightness_command_topic",
        ["bri_scl"] = "brightness_scale",
    };

    private static readonly Dictionary<string, string> s_deviceAbbreviations = new()
    {
        ["ids"] = "identifiers", ["mf"] = "manufacturer", ["mdl"] = "model", ["sw"] = "sw_version", ["cu"] = "configuration_url", ["sn"] = "serial_number",
    };

    private static readonly Dictionary<string, string> s_originAbbreviations = new() { ["sw"] = "sw_version", ["url"] = "support_url" };

    /// <summary>Every broken rule, in words; none if Home Assistant would take the payload.</summary>
    public static List<string> FindFaults(JsonElement payload)
    {
        var faults = new List<string>();
        var root = Expand(payload, s_abbreviations, s_root, "root", faults);
        foreach (var key in new[] { "device", "origin", "components" })
        {
            if (!root.ContainsKey(key)) faults.Add($"root: no {key}");
        }

        if (faults.Count > 0) return faults;
        var device = Expand(root["device"], s_deviceAbbreviations, s_device, "device", faults);
        if (!(device.TryGetValue("identifiers", out var ids) && ids.GetArrayLength() > 0) && !device.ContainsKey("connections")) faults.Add("device: nothing identifies it");
        if (device.TryGetValue("configuration_url", out var url) && !(Uri.TryCreate(url.GetString(), UriKind.Absolute, out var page) && page.Scheme is "http" or "https"))
        {
            faults.Add("device: configuration_url is no URL");
        }

        var origin = Expand(root["origin"], s_originAbbreviations, s_origin, "origin", faults);
        if (!origin.ContainsKey("name")) faults.Add("origin: no name");
        var uniqueIds = new HashSet<string>();
        foreach (var component in root["components"].EnumerateObject()) CheckComponent(component.Name, component.Value, uniqueIds, faults);
        return faults;
    }

    private static void CheckComponent(string id, JsonElement element, HashSet<string> uniqueIds, List<string> faults)
    {
        var platform = element.TryGetProperty("p", out var p) || element.TryGetProperty("platform", out p) ? p.GetString()! : "";
        if (!s_platforms.TryGetValue(platform, out var rules))
        {
            faults.Add($"{id}: platform \"{platform}\"");
            return;
        }

        var keys = Expand(element, s_abbreviations, [.. s_component, .. rules.Required, .. rules.Further], id, faults);
        if (keys.Count == 1) return;
        foreach (var key in (string[])["unique_id", .. rules.Required])
        {
            if (!keys.ContainsKey(key)) faults.Add($"{id}: no {key}");
        }

        string? Text(string key) => keys.TryGetValue(key, out var value) ? value.GetString() : null;
        if (!uniqueIds.Add(Text("unique_id") ?? "")) faults.Add($"{id}: unique_id is not unique");
        if (Text("device_class") is { } deviceClass && !rules.Classes.Contains(deviceClass)) faults.Add($"{id}: device_class {deviceClass}");
        if (Text("entity_category") is { } category && (category is not ("config" or "diagnostic") || (category == "config" && platform is "sensor" or "binary_sensor")))
        {
            faults.Add($"{id}: entity_category {category}");
        }

        if (Text("default_entity_id") is { } entityId && !EntityId().IsMatch(entityId) | !entityId.StartsWith(platform + ".", StringComparison.Ordinal)) faults.Add($"{id}: default_entity_id {entityId}");
        if (Text("icon") is { } icon && !icon.StartsWith("mdi:", StringComparison.Ordinal)) faults.Add($"{id}: icon {icon}");
        if (Text("availability_mode") is { } mode && mode is not ("all" or "any" or "latest")) faults.Add($"{id}: availability_mode {mode}");
        if (keys.ContainsKey("availability") && keys.ContainsKey("availability_topic")) faults.Add($"{id}: availability twice");
        if (keys.TryGetValue("qos", out var qos) && qos.GetInt32() is < 0 or > 2) faults.Add($"{id}: qos");
        var topics = keys.Where(k => k.Key.EndsWith("topic", StringComparison.Ordinal)).Select(k => k.Value.GetString()!);
        if (keys.TryGetValue("availability", out var list)) topics = topics.Concat(list.EnumerateArray().Select(a => a.GetProperty("t").GetString()!));
        if (topics.Any(topic => topic.Length == 0 || topic.AsSpan().IndexOfAny("+#\0") >= 0)) faults.Add($"{id}: a topic with wildcards");
        if (platform == "sensor" && keys.TryGetValue("options", out _) && (Text("device_class") != "enum" || Text("unit_of_measurement") is not null || Text("state_class") is not null))
        {
            faults.Add($"{id}: options go with device_class enum, without unit and state_class");
        }

        if (platform == "number" && keys.TryGetValue("min", out var minimum) && keys.TryGetValue("max", out var maximum) && minimum.GetDouble() >= maximum.GetDouble())
        {
            faults.Add($"{id}: min is not below max");
        }
    }

    private static Dictionary<string, JsonElement> Expand(
        JsonElement element, Dictionary<string, string> abbreviations, string[] allowed, string place, List<string> faults)
    {
        var keys = new Dictionary<string, JsonElement>();
        foreach (var property in element.EnumerateObject())
        {
            var key = abbreviations.GetValueOrDefault(property.Name, property.Name);
            if (!allowed.Contains(key)) faults.Add($"{place}: unknown key {property.Name}");
            if (!keys.TryAdd(key, property.Value)) faults.Add($"{place}: {key} twice");
        }

        return keys;
    }

    [GeneratedRegex("^[a-z_]+\\.[a-z0-9_]+$")]
    private static partial Regex EntityId();
}
