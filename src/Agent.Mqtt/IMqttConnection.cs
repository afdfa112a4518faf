namespace Agent.Mqtt;

/// <summary>How to reach the broker.</summary>
public sealed record MqttOptions
{
    /// <summary>Broker host name or address; <c>null</c> means no broker at all.</summary>
    public string? Host { get; init; }

    public int Port { get; init; } = 1883;

    public string? UserName { get; init; }

    public string? Password { get; init; }

    /// <summary>PEM file of the certificate authority; set it to use TLS.</summary>
    public string? CaFile { get; init; }

    /// <summary>The device part of the default base topic and of the MQTT client id.</summary>
    public string Device { get; init; } = "camera";

    /// <summary>Topic prefix; <c>null</c> means <c>camera-agent/{Device}</c>.</summary>
    public string? BaseTopic { get; init; }

    public int KeepAliveSeconds { get; init; } = 15;

    /// <summary>The base topic in effect.</summary>
    public string EffectiveBaseTopic => BaseTopic ?? $"camera-agent/{Device}";
}

/// <summary>A message as it came from the broker.</summary>
public sealed record MqttMessage(string Topic, ReadOnlyMemory<byte> Payload, bool Retained, string? ResponseTopic, ReadOnlyMemory<byte> CorrelationData);

/// <summary>The seam in front of the MQTT library. Callbacks run on the library's thread and must only copy and enqueue.</summary>
public interface IMqttConnection : IDisposable
{
    bool IsConnected { get; }

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
