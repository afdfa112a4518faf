namespace Agent.Mqtt;

/// <summary>The broker connection as the status shows it.</summary>
/// <param name="Connected">The broker has accepted the connection.</param>
/// <param name="Broker">"host:port".</param>
/// <param name="ProtocolVersion">"5" or "3.1.1", in use or tried next.</param>
/// <param name="Connections">Times the broker accepted a connection.</param>
/// <param name="MessagesReceived">Messages of the broker.</param>
/// <param name="PublishDropped">Messages not sent: no connection, or the queue was full.</param>
/// <param name="ReceiveDropped">Messages not handled: too large, or the signalling queue was full.</param>
/// <param name="LastError">Why the last attempt or connection ended, if it did.</param>
public sealed record MqttStatus(
    bool Connected, string Broker, string ProtocolVersion, long Connections, long MessagesReceived, long PublishDropped, long ReceiveDropped,
    string? LastError);
