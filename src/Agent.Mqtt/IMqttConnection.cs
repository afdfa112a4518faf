namespace Agent.Mqtt;

/// <summary>The seam in front of the MQTT library. Callbacks run on the library's thread and must only copy and enqueue.</summary>
public interface IMqttConnection : IDisposable
{
    bool IsConnected { get; }

    /// <summary>
    /// So much is on its way to the broker that state had better wait, and be newer when it leaves; <see cref="Relieved"/> follows.
    /// </summary>
    bool IsCongested { get; }

    /// <summary>A congestion that was asked about is over.</summary>
    event Action? Relieved;

    event Action? Connected;

    event Action<string>? Disconnected;

    event Action<MqttMessage>? MessageReceived;

    /// <summary>Starts connecting in the background, with the retained last will set; reconnects for ever until disposed.</summary>
    void Start(string willTopic, ReadOnlySpan<byte> willPayload);

    /// <summary>Subscribes now and after each reconnect.</summary>
    void Subscribe(string filter, int qos, bool noLocal);

    /// <summary>Queues a message; false (and counted) if it could not be queued.</summary>
    bool Publish(string topic, ReadOnlySpan<byte> payload, int qos, bool retain, TimeSpan? expiry = null, ReadOnlySpan<byte> correlationData = default);
}
