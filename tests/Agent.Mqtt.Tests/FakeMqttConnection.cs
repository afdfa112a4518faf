using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace Agent.Mqtt.Tests;

/// <summary>What was published through the fake.</summary>
internal sealed record Published(string Topic, string Payload, int Qos, bool Retain, TimeSpan? Expiry, byte[] CorrelationData)
{
    public JsonElement ParseJson() => JsonDocument.Parse(Payload).RootElement;
}

/// <summary>A broker connection in memory: the test plays the broker.</summary>
internal sealed class FakeMqttConnection : IMqttConnection
{
    private readonly Channel<Published> _published = Channel.CreateUnbounded<Published>();

    public event Action? Connected;

    public event Action<string>? Disconnected;

    public event Action<MqttMessage>? MessageReceived;

    public event Action? Relieved;

    public bool IsConnected { get; private set; }

    public bool IsCongested { get; set; }

    public bool IsDisposed { get; private set; }

    public string? Will { get; private set; }

    public List<(string Filter, int Qos, bool NoLocal)> Subscriptions { get; } = [];

    public void Start(string willTopic, ReadOnlySpan<byte> willPayload) => Will = $"{willTopic} {Encoding.UTF8.GetString(willPayload)}";

    public void Subscribe(string filter, int qos, bool noLocal) => Subscriptions.Add((filter, qos, noLocal));

    public bool Publish(
        string topic, ReadOnlySpan<byte> payload, int qos, bool retain, TimeSpan? expiry = null, ReadOnlySpan<byte> correlationData = default) =>
        _published.Writer.TryWrite(new Published(topic, Encoding.UTF8.GetString(payload), qos, retain, expiry, correlationData.ToArray()));

    public void Dispose() => IsDisposed = true;

    public void Connect()
    {
        IsConnected = true;
        Connected?.Invoke();
    }

    public void Relieve()
    {
        IsCongested = false;
        Relieved?.Invoke();
    }

    public void Disconnect()
    {
        IsConnected = false;
        Disconnected?.Invoke("test");
    }

    public void Receive(string topic, string payload, bool retained = false, string? responseTopic = null, byte[]? correlationData = null) =>
        Receive(topic, Encoding.UTF8.GetBytes(payload), retained, responseTopic, correlationData);

    public void Receive(string topic, byte[] payload, bool retained = false, string? responseTopic = null, byte[]? correlationData = null) =>
        MessageReceived?.Invoke(new MqttMessage(topic, payload, retained, responseTopic, correlationData));

    /// <summary>The next message published, waiting for the signalling task.</summary>
    public async Task<Published> NextAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        return await _published.Reader.ReadAsync(limit.Token);
    }

    public bool TryNext(out Published? published) => _published.Reader.TryRead(out published);
}
