using System.Text.Json;
using System.Text.RegularExpressions;
using Agent.Home;

namespace Agent.Mqtt;

/// <summary>
/// The device's retained discovery configuration: makes it from the registry, and takes back the entities that a former configuration,
/// this process's or an earlier one's, still announces. Belongs to the publisher's task.
/// </summary>
internal sealed partial class HomeAssistantDiscovery
{
    private const int AtLeastOnce = 1;

    private readonly IMqttConnection _connection;
    private readonly DiscoveryComponents _components;
    private readonly DiscoveredDevice _device;
    private readonly bool _isEnabled;

    /// <summary>What the broker was last told, by component and platform.</summary>
    private Dictionary<string, string> _announced = [];

    public HomeAssistantDiscovery(IMqttConnection connection, HomeAssistantOptions options, DeviceDescription device, string deviceId, EntityTopics topics)
    {
        _connection = connection;
        _isEnabled = options.Enabled;
        var objectId = ObjectId(deviceId);
        _components = new DiscoveryComponents(topics, objectId, NotAnEntityId().Replace(deviceId.ToLowerInvariant(), "_"));
        _device = new DiscoveredDevice([objectId], options.DeviceName ?? deviceId, "camera-agent", device.Model, device.SoftwareVersion, device.ConfigurationUrl);
        ConfigTopic = ConfigTopicOf(options.DiscoveryPrefix, deviceId);
        StatusTopic = !options.Enabled ? null : options.StatusTopic ?? $"{options.DiscoveryPrefix}/status";
    }

    public string ConfigTopic { get; }

    /// <summary>Where Home Assistant says that it has started; <c>null</c> if that does not matter.</summary>
    public string? StatusTopic { get; }

    /// <summary>Where a device's configuration is.</summary>
    public static string ConfigTopicOf(string discoveryPrefix, string deviceId) => $"{discoveryPrefix}/device/{ObjectId(deviceId)}/config";

    /// <summary>Publishes the configuration, with what is gone since the last one taken back. False if the connection did not take it.</summary>
    public bool TryAnnounce(IReadOnlyList<EntityState> entities) => !_isEnabled || TryPublish(entities, _announced);

    /// <summary>Publishes the configuration again if the one that the broker keeps has entities that are gone, or if there is to be none.</summary>
    /// <param name="retained">The broker's; anything but such a configuration is left to be replaced.</param>
    /// <param name="entities">The registry's.</param>
    public bool TryReconcile(ReadOnlySpan<byte> retained, IReadOnlyList<EntityState> entities)
    {
        if (!_isEnabled) return _connection.Publish(ConfigTopic, default, AtLeastOnce, retain: true);
        return !TryReadRetained(retained, out var former) || TryPublish(entities, former);
    }

    /// <summary>The components of a configuration with their platforms; false if the bytes are none.</summary>
    internal static bool TryReadRetained(ReadOnlySpan<byte> payload, out Dictionary<string, string> components)
    {
        components = [];
        try
        {
            if (JsonSerializer.Deserialize(payload, DiscoveryJson.Default.RetainedEnvelope) is not { Components: { } found }) return false;
            foreach (var (id, component) in found)
            {
                if (Entity.IsId(id) && component?.Platform is { } platform && DiscoveryComponents.Platforms.Contains(platform)) components[id] = platform;
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string ObjectId(string deviceId) => $"camera-agent-{NotAnId().Replace(deviceId, "-")}";

    /// <summary>
    /// Home Assistant keeps a component that is merely missing: it goes once it stands there with its platform alone. Then the configuration
    /// without it follows, to be retained.
    /// </summary>
    private bool TryPublish(IReadOnlyList<EntityState> entities, Dictionary<string, string> former)
    {
        var components = new SortedDictionary<string, DiscoveredComponent>(StringComparer.Ordinal);
        foreach (var state in entities) components[state.Entity.Id] = _components.Make(state.Entity);
        var gone = former.Where(old => components.GetValueOrDefault(old.Key)?.Platform != old.Value).ToArray();
        if (gone.Length > 0)
        {
            var farewell = new SortedDictionary<string, DiscoveredComponent>(components, StringComparer.Ordinal);
            foreach (var (id, platform) in gone) farewell[id] = new DiscoveredComponent(platform);
            if (!Publish(farewell)) return false;
        }

        if (!Publish(components)) return false;
        _announced = components.ToDictionary(component => component.Key, component => component.Value.Platform);
        return true;
    }

    private bool Publish(SortedDictionary<string, DiscoveredComponent> components)
    {
        var envelope = new DiscoveryEnvelope(_device, new DiscoveryOrigin("camera-agent", _device.SoftwareVersion), AtLeastOnce, components);
        return _connection.Publish(ConfigTopic, JsonSerializer.SerializeToUtf8Bytes(envelope, DiscoveryJson.Default.DiscoveryEnvelope), AtLeastOnce, retain: true);
    }

    /// <summary>What may not stand in a discovery topic.</summary>
    [GeneratedRegex("[^a-zA-Z0-9_-]")]
    private static partial Regex NotAnId();

    /// <summary>What may not stand in an entity id.</summary>
    [GeneratedRegex("[^a-z0-9_]")]
    private static partial Regex NotAnEntityId();
}
