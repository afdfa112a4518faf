using Agent.Mqtt;

namespace Agent.Home;

/// <summary>Remembers what the device is called at its broker, so that what it leaves there under a former name is found.</summary>
internal static class RememberedIdentity
{
    private const string Key = "mqtt.identity";

    /// <summary>A topic with it is nobody's, and is not remembered.</summary>
    private const char Separator = '\n';

    public static MqttIdentity? Find(PersistentState state) =>
        state.Find(Key)?.Split(Separator) is [{ Length: > 0 } baseTopic, { Length: > 0 } device, { Length: > 0 } prefix] ? new MqttIdentity(baseTopic, device, prefix) : null;

    public static void Keep(PersistentState state, MqttIdentity identity) =>
        state.Keep(Key, string.Join(Separator, identity.BaseTopic, identity.DeviceId, identity.DiscoveryPrefix));
}
