using Agent.Mqtt;
using HomeAssistantKey = Agent.Configuration.Key<Agent.Mqtt.HomeAssistantOptions>;

namespace Agent.Configuration;

internal static partial class ConfigurationTable
{
    private const string TopicInWords = "a topic without '+', '#' and without '/' at either end";

    /// <summary>Made when asked for: fields of a partial class are initialized in no certain order between its files.</summary>
    private static SectionType<HomeAssistantOptions> HomeAssistant => new(
        new HomeAssistantOptions(), null,
        HomeAssistantKey.Of("enabled", "Announces the device to Home Assistant through the broker; false takes a former announcement back.",
            new BooleanType(), o => o.Enabled, (o, v) => o with { Enabled = v }),
        HomeAssistantKey.Of("discoveryPrefix", "What the discovery topics begin with, as set in Home Assistant's MQTT integration.",
            new TextType<string>(TopicInWords, (string text, out string value) => IsTopic(value = text), v => v),
            o => o.DiscoveryPrefix, (o, v) => o with { DiscoveryPrefix = v }),
        HomeAssistantKey.Of("deviceName", "The device's name in Home Assistant; without it mqtt.device.",
            Text("a name without control characters", IsWord), o => o.DeviceName, (o, v) => o with { DeviceName = v }),
        HomeAssistantKey.Of("statusTopic", "Where Home Assistant says \"online\" when it has started; without it discoveryPrefix and /status.",
            Text(TopicInWords, IsTopic), o => o.StatusTopic, (o, v) => o with { StatusTopic = v }));

    private static bool IsTopic(string text) => text.Length > 0 && text.AsSpan().IndexOfAny("+#\0") < 0 && text.Trim('/') == text;
}
