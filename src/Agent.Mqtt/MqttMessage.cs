namespace Agent.Mqtt;

/// <summary>A message as it came from the broker.</summary>
public sealed record MqttMessage(string Topic, ReadOnlyMemory<byte> Payload, bool Retained, string? ResponseTopic, ReadOnlyMemory<byte> CorrelationData);
