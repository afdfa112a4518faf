using System.Collections.Frozen;
using Agent.Home;

namespace Agent.Mqtt;

/// <summary>
/// Entities as components of a discovery configuration: each platform's keys are those of its page below
/// https://www.home-assistant.io/integrations/mqtt/.
/// </summary>
/// <param name="topics">The entities' topics.</param>
/// <param name="uniquePrefix">What unique ids begin with; it must never change.</param>
/// <param name="slug">What suggested entity ids begin with.</param>
internal sealed class DiscoveryComponents(EntityTopics topics, string uniquePrefix, string slug)
{
    private const int AtLeastOnce = 1;

    /// <summary>Every platform that <see cref="Make"/> gives.</summary>
    public static FrozenSet<string> Platforms { get; } =
        FrozenSet.Create("camera", "image", "binary_sensor", "sensor", "switch", "light", "number", "select", "button", "event", "update");

    public DiscoveredComponent Make(Entity entity)
    {
        var component = MakeOwn(entity);
        return component with
        {
            UniqueId = $"{uniquePrefix}_{entity.Id}",
            DefaultEntityId = $"{component.Platform}.{slug}_{entity.Id}",
            Name = entity.Name,
            Qos = AtLeastOnce,
            Availability = [new(topics.Status), new(topics.Availability(entity.Id))],
            AvailabilityMode = "all",
            EntityCategory = Category(entity),
            EnabledByDefault = entity.IsEnabledByDefault ? null : false,
            DeviceClass = entity.DeviceClass,
            Icon = entity.Icon,
        };
    }

    /// <summary>What this kind of entity alone has.</summary>
    private DiscoveredComponent MakeOwn(Entity entity)
    {
        var state = topics.State(entity.Id);
        var command = topics.Command(entity.Id);
        return entity switch
        {
            PictureEntity { IsLive: true } => new("camera") { Topic = state },
            PictureEntity => new("image") { ImageTopic = state, ContentType = "image/jpeg" },
            BinarySensorEntity => new("binary_sensor") { StateTopic = state },
            SensorEntity sensor => new("sensor")
            {
                StateTopic = state, Unit = sensor.Unit, StateClass = sensor.StateClass, Precision = sensor.Precision,
                Options = sensor.Options.Count > 0 ? sensor.Options : null,
            },
            SwitchEntity => new("switch") { StateTopic = state, CommandTopic = command },
            LightEntity light => new("light")
            {
                StateTopic = state, CommandTopic = command, StateValueTemplate = "{{ 'OFF' if value == '0' else 'ON' }}",
                BrightnessStateTopic = light.HasBrightness ? state : null, BrightnessCommandTopic = light.HasBrightness ? command : null,
                BrightnessScale = light.HasBrightness ? LightEntity.Brightest : null,
            },
            NumberEntity number => new("number")
            {
                StateTopic = state, CommandTopic = command, Minimum = number.Minimum, Maximum = number.Maximum, Step = number.Step, Unit = number.Unit,
            },
            SelectEntity select => new("select") { StateTopic = state, CommandTopic = command, Options = select.Options },
            ButtonEntity => new("button") { CommandTopic = command },
            EventEntity happening => new("event") { StateTopic = state, EventTypes = happening.Types },
            UpdateEntity => new("update") { StateTopic = state, LatestVersionTopic = topics.LatestVersion(entity.Id) },
            _ => throw new ArgumentException($"no platform is known for {entity.GetType().Name}", nameof(entity)),
        };
    }

    /// <summary>Home Assistant takes nothing that only senses as a setting.</summary>
    private static string? Category(Entity entity) => entity.Category switch
    {
        EntityCategory.Primary => null,
        EntityCategory.Config when entity is not (SensorEntity or BinarySensorEntity) => "config",
        _ => "diagnostic",
    };
}
