using Agent.Home;

namespace Agent.Mqtt;

/// <summary>How the device shows itself to Home Assistant.</summary>
public sealed record HomeAssistantOptions
{
    /// <summary>False takes a former announcement back and makes none.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>What Home Assistant's discovery topics begin with.</summary>
    public string DiscoveryPrefix { get; init; } = "homeassistant";

    /// <summary>The device's name for people; <c>null</c> means mqtt.device.</summary>
    public string? DeviceName { get; init; }

    /// <summary>Where Home Assistant says <c>online</c> when it has started; <c>null</c> means the prefix and <c>/status</c>.</summary>
    public string? StatusTopic { get; init; }
}

/// <summary>What the device says about itself.</summary>
/// <param name="SoftwareVersion">The agent's.</param>
/// <param name="Model">The board's, if it is known.</param>
/// <param name="ConfigurationUrl">The agent's page as other machines reach it, <c>null</c> if they cannot.</param>
public sealed record DeviceDescription(string SoftwareVersion, string? Model = null, string? ConfigurationUrl = null);

/// <summary>What a smart home sees of the device over MQTT.</summary>
/// <param name="Entities">Everything there is to see and to operate.</param>
/// <param name="HomeAssistant">How Home Assistant learns of it.</param>
/// <param name="Description">What the device says about itself.</param>
/// <param name="DeviceId">mqtt.device: part of unique ids.</param>
/// <param name="Former">What the device was called when it was last at a broker, if that is known.</param>
public sealed record MqttHome(
    EntityRegistry Entities, HomeAssistantOptions HomeAssistant, DeviceDescription Description, string DeviceId, MqttIdentity? Former = null);
