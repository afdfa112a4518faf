using System.Collections.Immutable;
using System.Threading.Channels;
using Agent.Interop.Libc;
using Agent.Interop.Mosquitto;
using Microsoft.Extensions.Logging;

namespace Agent.Mqtt;

/// <summary>
/// The connection to the broker, over libmosquitto. One thread of its own owns the library's object and every call into it, so that
/// nothing depends on the library's locking and the reconnection schedule (jitter, MQTT 5 then 3.1.1) is this class's; other
/// threads only queue and wake it. Each attempt makes a fresh client with a clean session.
/// </summary>
public sealed partial class MqttSession : IMqttConnection
{
    /// <summary>Messages waiting for the owner thread; the newest is refused when it is full.</summary>
    private const int OutboundCapacity = 256;

    /// <summary>Messages queued or not acknowledged at which the connection counts as congested, and at which it no longer does.</summary>
    private const int CongestedAt = 64;
    private const int RelievedAt = 32;

    /// <summary>Refusals of one connection that the log names; an account without any rights is refused everything.</summary>
    private const int MaxRefusalsLogged = 8;

    /// <summary>Larger ones than this, which are pictures, may be the reason for a lost connection; no broker limits packets to less.</summary>
    private const int LargeMessageBytes = 16 * 1024;

    /// <summary>Larger messages are not copied out of the library. An offer has 2 to 20 KB.</summary>
    internal const int MaxPayloadBytes = 256 * 1024;

    /// <summary>mosquitto_loop must run now and then for the keep-alive.</summary>
    private static readonly TimeSpan s_housekeeping = TimeSpan.FromSeconds(1);

    /// <summary>From the attempt's start to CONNACK.</summary>
    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(20);

    /// <summary>A connection that held this long was a good one: the next attempt comes soon.</summary>
    private static readonly TimeSpan s_stableAfter = TimeSpan.FromSeconds(10);

    /// <summary>For the queued messages and the DISCONNECT at the end.</summary>
    private static readonly TimeSpan s_stopTimeout = TimeSpan.FromSeconds(2);

    private readonly MqttOptions _options;
    private readonly ILogger _logger;
    private readonly EventFd _wake = new();
    private readonly ManualResetEventSlim _stopSignal = new();
    private readonly Thread _thread;
    private readonly ReconnectBackoff _backoff = new(Random.Shared);
    private readonly HashSet<string> _refused = [];
    private readonly Channel<Outbound> _outbound = Channel.CreateBounded<Outbound>(
        new BoundedChannelOptions(OutboundCapacity) { SingleReader = true });

    private ImmutableArray<Subscription> _subscriptions = [];
    private string? _willTopic;
    private byte[] _willPayload = [];
    private volatile int _undelivered;
    private volatile bool _reportRelief;
    private volatile bool _connected;
    private volatile bool _stopping;
    private volatile bool _useVersion5 = true;
    private bool _version5Accepted;
    private volatile string? _lastError;
    private long _connections;
    private long _received;
    private long _publishDropped;
    private long _receiveDropped;

    public MqttSession(MqttOptions options, ILogger<MqttSession> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _logger = logger;
        _thread = new Thread(Run) { Name = "mqtt", IsBackground = true };
    }

    private readonly record struct Subscription(string Filter, int Qos, bool NoLocal);

    private sealed record Outbound(string Topic, byte[] Payload, int Qos, bool Retain, TimeSpan? Expiry, byte[] CorrelationData);

    public event Action? Relieved;

    public event Action? Connected;

    public event Action<string>? Disconnected;

    public event Action<MqttMessage>? MessageReceived;

    public bool IsConnected => _connected;

    public bool IsCongested
    {
        get
        {
            // When the congestion ends in between, the thread's next round still finds the flag.
            var isCongested = _outbound.Reader.Count + _undelivered >= CongestedAt;
            _reportRelief |= isCongested;
            return isCongested;
        }
    }

    private string Broker => $"{_options.Host}:{_options.Port}";

    public MqttStatus GetStatus() => new(
        _connected, Broker, _useVersion5 ? "5" : "3.1.1", Interlocked.Read(ref _connections), Interlocked.Read(ref _received),
        Interlocked.Read(ref _publishDropped), Interlocked.Read(ref _receiveDropped), _lastError);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The options name no host.</exception>
    /// <exception cref="FileNotFoundException">A file for TLS does not exist.</exception>
    public void Start(string willTopic, ReadOnlySpan<byte> willPayload)
    {
        if (_options.Host is null)
        {
            throw new InvalidOperationException("mqtt.host is not set: there is no broker to connect to.");
        }

        RequireFile("mqtt.caFile", _options.CaFile, "the PEM file of the broker's certificate authority");
        RequireFile("mqtt.certificateFile", _options.CertificateFile, "the PEM file of the agent's certificate");
        RequireFile("mqtt.keyFile", _options.KeyFile, "the PEM file of the certificate's key");
        if ((_options.CertificateFile ?? _options.KeyFile) is not null
            && (_options.CaFile is null || _options.CertificateFile is null || _options.KeyFile is null))
        {
            throw new InvalidOperationException("A client certificate needs all of mqtt.caFile, mqtt.certificateFile and mqtt.keyFile.");
        }

        _willTopic = willTopic;
        _willPayload = willPayload.ToArray();
        _thread.Start();
    }

    public void Subscribe(string filter, int qos, bool noLocal)
    {
        ImmutableInterlocked.Update(ref _subscriptions, static (list, added) => list.Add(added), new Subscription(filter, qos, noLocal));
        _wake.Signal();
    }

    public bool Publish(
        string topic, ReadOnlySpan<byte> payload, int qos, bool retain, TimeSpan? expiry = null, ReadOnlySpan<byte> correlationData = default)
    {
        // Nothing waits for a broker that is away: a stale answer is of no use, and state is published anew at each connection.
        if (!_connected || _stopping
            || !_outbound.Writer.TryWrite(new Outbound(topic, payload.ToArray(), qos, retain, expiry, correlationData.ToArray())))
        {
            Interlocked.Increment(ref _publishDropped);
            return false;
        }

        _wake.Signal();
        return true;
    }

    /// <summary>Sends what is queued and a DISCONNECT, then ends the thread. Waits at most a few seconds.</summary>
    public void Dispose()
    {
        if (_stopping)
        {
            return;
        }

        _stopping = true;
        _stopSignal.Set();
        _wake.Signal();

        // A thread stuck in name resolution cannot be ended; it is a background thread and keeps its objects.
        if (_thread.ThreadState.HasFlag(ThreadState.Unstarted) || _thread.Join(s_stopTimeout + s_housekeeping))
        {
            _wake.Dispose();
            _stopSignal.Dispose();
        }
    }

    private static void RequireFile(string key, string? file, string what)
    {
        if (file is not null && !File.Exists(file))
        {
            throw new FileNotFoundException($"{key} names {file}, which does not exist; give {what}.", file);
        }
    }

    private void Run()
    {
        try
        {
            while (!_stopping)
            {
                var started = TimeProvider.System.GetTimestamp();
                var reason = Attempt();
                _lastError = reason;
                if (TimeProvider.System.GetElapsedTime(started) > s_stableAfter)
                {
                    _backoff.Reset();
                }

                if (!_stopping)
                {
                    var delay = _backoff.Next();
                    LogRetry(Broker, reason, delay.TotalSeconds);
                    _stopSignal.Wait(delay);
                }
            }
        }
        catch (Exception failure)
        {
            // A broken installation or a bug: the thread has no caller to throw to, and the rest of the agent can go on without MQTT.
            _lastError = failure.Message;
            LogBroken(failure);
        }
    }

    /// <summary>One connection from start to end.</summary>
    /// <returns>Why it ended.</returns>
    private string Attempt()
    {
        int? connackCode = null;
        int? disconnectCode = null;
        string? warning = null;
        using var client = new MosquittoClient($"camera-agent-{_options.Device}", _useVersion5, MaxPayloadBytes, new MosquittoEvents(
            code => connackCode = code, code => disconnectCode = code, Receive, () => Interlocked.Increment(ref _receiveDropped),
            RefuseSubscription, RefusePublish, text => warning = text));
        client.SetWill(_willTopic!, _willPayload, qos: 1, retain: true);
        if (_options.UserName is { } user)
        {
            client.SetLogin(user, _options.Password);
        }

        try
        {
            if (_options.CaFile is { } file)
            {
                client.SetTls(file, _options.CertificateFile, _options.KeyFile);
            }

            client.Connect(_options.Host!, _options.Port, _options.KeepAliveSeconds);
        }
        catch (MosquittoException failure)
        {
            // A fast TCP connection lets the TLS handshake run, and fail, within mosquitto_connect_async(); the cause is in the library's log.
            return $"cannot connect: {warning ?? failure.Message}";
        }

        var started = TimeProvider.System.GetTimestamp();
        var alive = true;
        while (alive && connackCode is null && !_stopping)
        {
            alive = client.Run(_wake, s_housekeeping);
            _wake.Drain();
            if (TimeProvider.System.GetElapsedTime(started) > s_connectTimeout)
            {
                return $"no CONNACK within {s_connectTimeout.TotalSeconds:0} s: is it an MQTT broker, and is mqtt.caFile set if it wants TLS?";
            }
        }

        if (connackCode is not 0)
        {
            return ExplainFailure(client, connackCode, warning);
        }

        Serve(client);
        if (disconnectCode is { } code and >= MqttReasons.FirstFailure)
        {
            return $"disconnected: {client.DescribeReason(code)} (code {code}); {MqttReasons.Mend(code)}";
        }

        // Brokers of MQTT 3.1.1 cannot say that a packet is too large for them: they close the connection.
        var suspect = !_stopping && client is { LargestUnacknowledged: { Bytes: >= LargeMessageBytes } message }
            ? $"; if the {message.Bytes} bytes on {message.Topic} were too much for the broker, raise the size of packets that it takes (mosquitto: max_packet_size)" : "";
        return $"disconnected: {client.LastError ?? "the connection was closed"}{suspect}";
    }

    private string ExplainFailure(MosquittoClient client, int? connackCode, string? warning)
    {
        if (_stopping)
        {
            return "stopped";
        }

        if (connackCode is { } code)
        {
            if (MqttReasons.IsUnsupportedVersion(code))
            {
                _useVersion5 = !_useVersion5;
            }

            return $"refused: {client.DescribeReason(code)} (code {code}); {MqttReasons.Mend(code)}";
        }

        // Some brokers of MQTT 3.1.1 only close the connection at a CONNECT of version 5.
        if (client.LostConnection && !_version5Accepted)
        {
            _useVersion5 = !_useVersion5;
        }

        return $"cannot connect: {warning ?? client.LastError ?? "the connection was closed before CONNACK"}";
    }

    private void Serve(MosquittoClient client)
    {
        Interlocked.Increment(ref _connections);
        _version5Accepted |= client.UsesVersion5;
        LogConnected(Broker, client.UsesVersion5 ? "5" : "3.1.1");
        var subscribed = SubscribeFrom(client, 0);
        _connected = true;
        _lastError = null;
        _refused.Clear();
        Connected?.Invoke();
        while (!_stopping)
        {
            Send(client);
            Relieve(client);
            if (!client.Run(_wake, s_housekeeping))
            {
                break;
            }

            _wake.Drain();
            subscribed = SubscribeFrom(client, subscribed);
        }

        _connected = false;
        if (_stopping)
        {
            Stop(client);
        }

        var reason = client.LastError ?? "stopped";
        while (_outbound.Reader.TryRead(out _))
        {
            Interlocked.Increment(ref _publishDropped);
        }

        _undelivered = 0;
        LogDisconnected(Broker, reason);
        Disconnected?.Invoke(reason);
    }

    private void Stop(MosquittoClient client)
    {
        Send(client);
        var started = TimeProvider.System.GetTimestamp();
        bool RunOn()
        {
            var remaining = s_stopTimeout - TimeProvider.System.GetElapsedTime(started);
            var alive = remaining > TimeSpan.Zero && client.Run(_wake, remaining);
            _wake.Drain();
            return alive;
        }

        while (!client.HasDelivered)
        {
            if (!RunOn())
            {
                return;
            }
        }

        client.Disconnect();
        while (RunOn())
        {
        }
    }

    private int SubscribeFrom(MosquittoClient client, int first)
    {
        var subscriptions = _subscriptions;
        for (var i = first; i < subscriptions.Length; i++)
        {
            if (!client.Subscribe(subscriptions[i].Filter, subscriptions[i].Qos, subscriptions[i].NoLocal))
            {
                LogSubscribeFailed(subscriptions[i].Filter);
            }
        }

        return subscriptions.Length;
    }

    private void Send(MosquittoClient client)
    {
        while (_outbound.Reader.TryRead(out var message))
        {
            var outcome = client.Publish(message.Topic, message.Payload, message.Qos, message.Retain, message.Expiry, message.CorrelationData);
            if (outcome == MosquittoPublish.Taken)
            {
                continue;
            }

            Interlocked.Increment(ref _publishDropped);
            if (outcome == MosquittoPublish.TooLarge && IsToBeLogged(message.Topic))
            {
                LogTooLarge(message.Topic, message.Payload.Length, client.MaximumPacketSize);
            }
        }
    }

    private void Relieve(MosquittoClient client)
    {
        _undelivered = client.Undelivered;
        if (_reportRelief && _outbound.Reader.Count + _undelivered <= RelievedAt)
        {
            _reportRelief = false;
            Relieved?.Invoke();
        }
    }

    private void RefuseSubscription(string filter, int code)
    {
        if (IsToBeLogged(filter))
        {
            LogSubscriptionRefused(filter, code, MqttReasons.MendRefusal(code));
        }
    }

    private void RefusePublish(string topic, int code)
    {
        Interlocked.Increment(ref _publishDropped);
        if (IsToBeLogged(topic))
        {
            LogPublishRefused(topic, code, MqttReasons.MendRefusal(code));
        }
    }

    private bool IsToBeLogged(string topic)
    {
        var isNew = _refused.Count < MaxRefusalsLogged && _refused.Add(topic);
        if (isNew && _refused.Count == MaxRefusalsLogged)
        {
            LogMoreRefused();
        }

        return isNew;
    }

    private void Receive(MosquittoMessage message)
    {
        Interlocked.Increment(ref _received);
        MessageReceived?.Invoke(new MqttMessage(message.Topic, message.Payload, message.Retained, message.ResponseTopic, message.CorrelationData));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Connected to the MQTT broker {Broker} with MQTT {Version}")]
    private partial void LogConnected(string broker, string version);

    [LoggerMessage(Level = LogLevel.Information, Message = "Disconnected from the MQTT broker {Broker}: {Reason}")]
    private partial void LogDisconnected(string broker, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "MQTT broker {Broker}: {Reason}; next attempt in {Seconds:0.0} s")]
    private partial void LogRetry(string broker, string reason, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The MQTT broker refused the subscription {Filter} (code {Code}); {Mend}")]
    private partial void LogSubscriptionRefused(string filter, int code, string mend);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The MQTT broker refused a message on {Topic} (code {Code}); {Mend}")]
    private partial void LogPublishRefused(string topic, int code, string mend);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A message of {Bytes} bytes on {Topic} is not sent: the MQTT broker takes packets of {Limit} bytes; raise that (mosquitto: max_packet_size), or make the picture smaller")]
    private partial void LogTooLarge(string topic, int bytes, uint limit);

    [LoggerMessage(Level = LogLevel.Warning, Message = "More refusals of this connection are only counted")]
    private partial void LogMoreRefused();

    [LoggerMessage(Level = LogLevel.Warning, Message = "The MQTT subscription {Filter} could not be sent; it is sent again at the next connection")]
    private partial void LogSubscribeFailed(string filter);

    [LoggerMessage(Level = LogLevel.Error, Message = "MQTT has stopped; install libmosquitto1 if the library is missing, otherwise this is a bug")]
    private partial void LogBroken(Exception failure);
}
