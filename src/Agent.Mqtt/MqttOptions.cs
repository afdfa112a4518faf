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

    /// <summary>PEM file of the client certificate; with <see cref="KeyFile"/> and <see cref="CaFile"/> only.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM file of the client certificate's key, without a password.</summary>
    public string? KeyFile { get; init; }

    /// <summary>The device part of the default base topic and of the MQTT client id.</summary>
    public string Device { get; init; } = "camera";

    /// <summary>Topic prefix; <c>null</c> means <c>camera-agent/{Device}</c>.</summary>
    public string? BaseTopic { get; init; }

    public int KeepAliveSeconds { get; init; } = 15;

    /// <summary>The base topic in effect.</summary>
    public string EffectiveBaseTopic => BaseTopic ?? $"camera-agent/{Device}";
}
