using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Agent.Interop.Libc;
using static Agent.Interop.Mosquitto.LibMosquitto;

namespace Agent.Interop.Mosquitto;

/// <summary>A message as it came from the broker, copied out of the library.</summary>
public readonly record struct MosquittoMessage(string Topic, byte[] Payload, bool Retained, string? ResponseTopic, byte[] CorrelationData);

/// <summary>What a connection reports; each is called from within <see cref="MosquittoClient.Run"/>, on its thread.</summary>
/// <param name="Connected">CONNACK came, with its code: 0 is success; with MQTT 3.1.1 the codes are those of its §3.2.2.3.</param>
/// <param name="Disconnected">The connection is over, with an MQTT 5 reason code or MOSQ_ERR_*.</param>
/// <param name="Message">A message came.</param>
/// <param name="MessageTooLarge">A message above the limit came and was not copied.</param>
/// <param name="SubscriptionRefused">SUBACK refused a subscription: its filter and the reason code.</param>
/// <param name="PublishRefused">PUBACK refused a message (MQTT 5 only): its topic and the reason code.</param>
/// <param name="Warning">The library reports a problem in words, for example of TLS.</param>
public sealed record MosquittoEvents(
    Action<int> Connected, Action<int> Disconnected, Action<MosquittoMessage> Message, Action MessageTooLarge,
    Action<string, int> SubscriptionRefused, Action<string, int> PublishRefused, Action<string> Warning);

/// <summary>What became of a message that was to be published.</summary>
public enum MosquittoPublish
{
    /// <summary>The library has it.</summary>
    Taken,
    /// <summary>It is larger than <see cref="MosquittoClient.MaximumPacketSize"/>.</summary>
    TooLarge,
    Refused,
}

/// <summary>
/// One connection to a broker through libmosquitto. It belongs to one thread, which calls <see cref="Run"/> over and over; only the
/// <see cref="EventFd"/> given to it may be signalled from elsewhere.
/// </summary>
public sealed unsafe class MosquittoClient : IDisposable
{
    private const int MaxPacketsPerLoop = 1;
    /// <summary>MQTT 5 §2.4 and MQTT 3.1.1 §3.9.3: 0x80 and above is a refusal.</summary>
    private const int FirstFailure = 0x80;

    /// <summary>mosquitto_lib_init() is not thread-safe (mosquitto.h, "Threads").</summary>
    private static readonly Lazy<int> s_libraryInitialized = new(mosquitto_lib_init);

    private readonly SafeMosquittoHandle _handle;
    private readonly MosquittoEvents _events;
    private readonly int _maxPayload;
    /// <summary>Filters, topics and payloads' sizes by packet identifier until they are acknowledged.</summary>
    private readonly Dictionary<int, string> _subscribing = [];
    private readonly Dictionary<int, (string Topic, int Bytes)> _publishing = [];
    private GCHandle _self;
    private Exception? _callbackFailure;

    /// <summary>Taken by the library and not yet reported as finished, which may happen within the publishing call itself.</summary>
    private int _unfinished;

    /// <param name="clientId">MQTT client id.</param>
    /// <param name="useVersion5">MQTT 5, else 3.1.1.</param>
    /// <param name="maxPayload">Larger messages are not copied.</param>
    /// <param name="events">Where to report.</param>
    /// <exception cref="DllNotFoundException">libmosquitto.so.1 is not installed.</exception>
    /// <exception cref="MosquittoException">The library refuses; out of memory.</exception>
    public MosquittoClient(string clientId, bool useVersion5, int maxPayload, MosquittoEvents events)
    {
        MosquittoException.ThrowIfFailed(s_libraryInitialized.Value, nameof(mosquitto_lib_init));
        UsesVersion5 = useVersion5;
        _events = events;
        _maxPayload = maxPayload;
        _self = GCHandle.Alloc(this);
        _handle = mosquitto_new(clientId, 1, GCHandle.ToIntPtr(_self));
        if (_handle.IsInvalid)
        {
            _self.Free();
            throw new MosquittoException(nameof(mosquitto_new), MOSQ_ERR_ERRNO, MosquittoException.Describe(MOSQ_ERR_ERRNO, Marshal.GetLastPInvokeError()));
        }

        Check(mosquitto_int_option(_handle, MOSQ_OPT_PROTOCOL_VERSION, useVersion5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311), nameof(mosquitto_int_option));
        Check(mosquitto_int_option(_handle, MOSQ_OPT_TCP_NODELAY, 1), nameof(mosquitto_int_option));
        mosquitto_connect_v5_callback_set(_handle, &OnConnect);
        mosquitto_disconnect_v5_callback_set(_handle, &OnDisconnect);
        mosquitto_message_v5_callback_set(_handle, &OnMessage);
        mosquitto_publish_v5_callback_set(_handle, &OnPublish);
        mosquitto_subscribe_v5_callback_set(_handle, &OnSubscribe);
        mosquitto_log_callback_set(_handle, &OnLog);
    }

    public bool UsesVersion5 { get; }

    public void SetWill(string topic, ReadOnlySpan<byte> payload, int qos, bool retain)
    {
        fixed (byte* data = payload)
        {
            Check(mosquitto_will_set(_handle, topic, payload.Length, data, qos, retain ? (byte)1 : (byte)0), nameof(mosquitto_will_set));
        }
    }

    public void SetLogin(string userName, string? password) =>
        Check(mosquitto_username_pw_set(_handle, userName, password), nameof(mosquitto_username_pw_set));

    /// <summary>
    /// Uses TLS, verifies the broker's certificate and name against the PEM file, and shows the broker this side's certificate if there is one.
    /// </summary>
    public void SetTls(string caFile, string? certificateFile, string? keyFile) =>
        Check(mosquitto_tls_set(_handle, caFile, null, certificateFile, keyFile, 0), nameof(mosquitto_tls_set));

    /// <summary>Resolves the name (which may block) and begins to connect without waiting.</summary>
    public void Connect(string host, int port, int keepAliveSeconds) =>
        Check(mosquitto_connect_async(_handle, host, port, keepAliveSeconds), nameof(mosquitto_connect_async));

    /// <summary>Waits for the broker, for <paramref name="wake"/> or for the timeout, and handles what came.</summary>
    /// <returns>False once the connection is over.</returns>
    /// <exception cref="LibcException">ppoll(2) failed.</exception>
    public bool Run(EventFd wake, TimeSpan timeout)
    {
        var socket = mosquitto_socket(_handle);
        if (socket < 0)
        {
            return false;
        }

        var descriptors = stackalloc pollfd[2];
        descriptors[0] = new pollfd { fd = socket, events = SocketConstants.POLLIN };
        if (mosquitto_want_write(_handle) != 0)
        {
            descriptors[0].events |= SocketConstants.POLLOUT;
        }

        descriptors[1] = new pollfd { fd = (int)wake.Descriptor.DangerousGetHandle(), events = SocketConstants.POLLIN };
        var limit = new timespec
        {
            tv_sec = timeout.Ticks / TimeSpan.TicksPerSecond,
            tv_nsec = timeout.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick,
        };
        if (Syscalls.ppoll(descriptors, 2, &limit, null) < 0 && Marshal.GetLastPInvokeError() is not Errno.EINTR)
        {
            throw LibcException.FromLastError("ppoll");
        }

        // mosquitto_loop, not mosquitto_loop_read: it also empties what TLS has buffered, which no poll would show.
        var code = mosquitto_loop(_handle, 0, MaxPacketsPerLoop);
        var errno = Marshal.GetLastPInvokeError();
        if (_callbackFailure is { } failure)
        {
            throw new InvalidOperationException("A handler of a libmosquitto callback failed.", failure);
        }

        LostConnection = code == MOSQ_ERR_CONN_LOST;
        LastError = code == MOSQ_ERR_SUCCESS ? null : MosquittoException.Describe(code, errno);
        return code == MOSQ_ERR_SUCCESS;
    }

    /// <summary>Why <see cref="Run"/> returned false, in the library's words.</summary>
    public string? LastError { get; private set; }

    /// <summary>The broker closed an established TCP connection.</summary>
    public bool LostConnection { get; private set; }

    /// <returns>True if the library took the subscription.</returns>
    public bool Subscribe(string filter, int qos, bool noLocal)
    {
        int id;
        var taken = mosquitto_subscribe_v5(_handle, &id, filter, qos, noLocal && UsesVersion5 ? MQTT_SUB_OPT_NO_LOCAL : 0, 0) == MOSQ_ERR_SUCCESS;
        if (taken)
        {
            _subscribing[id] = filter;
        }

        return taken;
    }

    /// <param name="topic">The topic.</param>
    /// <param name="payload">Copied by the library.</param>
    /// <param name="qos">0 to 2.</param>
    /// <param name="retain">Whether the broker keeps it.</param>
    /// <param name="expiry">Message Expiry Interval; MQTT 5 only.</param>
    /// <param name="correlationData">Correlation Data; MQTT 5 only.</param>
    /// <returns>What became of it.</returns>
    public MosquittoPublish Publish(string topic, ReadOnlySpan<byte> payload, int qos, bool retain, TimeSpan? expiry, ReadOnlySpan<byte> correlationData)
    {
        nint properties = 0;
        try
        {
            if (UsesVersion5)
            {
                if (expiry is { } interval)
                {
                    Check(
                        mosquitto_property_add_int32(&properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, (uint)interval.TotalSeconds),
                        nameof(mosquitto_property_add_int32));
                }

                if (!correlationData.IsEmpty)
                {
                    fixed (byte* data = correlationData)
                    {
                        Check(
                            mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA, data, checked((ushort)correlationData.Length)),
                            nameof(mosquitto_property_add_binary));
                    }
                }
            }

            fixed (byte* data = payload)
            {
                int id;
                var code = mosquitto_publish_v5(_handle, &id, topic, payload.Length, data, qos, retain ? (byte)1 : (byte)0, properties);
                if (code != MOSQ_ERR_SUCCESS)
                {
                    return code == MOSQ_ERR_OVERSIZE_PACKET ? MosquittoPublish.TooLarge : MosquittoPublish.Refused;
                }

                _unfinished++;
                if (qos > 0)
                {
                    _publishing[id] = (topic, payload.Length);
                }

                return MosquittoPublish.Taken;
            }
        }
        finally
        {
            mosquitto_property_free_all(&properties);
        }
    }

    /// <summary>Messages published that are not with the broker yet: not sent, or not acknowledged where their QoS asks for it.</summary>
    public int Undelivered => Math.Max(_unfinished, 0);

    public bool HasDelivered => _unfinished <= 0;

    /// <summary>The largest of the messages that the broker has not acknowledged, with its payload's bytes; <c>null</c> without any.</summary>
    public (string Topic, int Bytes)? LargestUnacknowledged => _publishing.Count == 0 ? null : _publishing.Values.MaxBy(static message => message.Bytes);

    /// <summary>Bytes of the largest packet that the broker has said it takes (MQTT 5 §3.2.2.3.6), 0 if it has not.</summary>
    public uint MaximumPacketSize { get; private set; }

    /// <summary>
    /// Sends a DISCONNECT, which drops the will; run until <see cref="Run"/> returns false. Call it once <see cref="HasDelivered"/>: the
    /// library closes the socket right behind the DISCONNECT, and closing one with unread data resets the connection, at which the broker
    /// may lose the DISCONNECT and publish the will.
    /// </summary>
    /// <returns>False if there is no connection any more.</returns>
    public bool Disconnect() => mosquitto_disconnect(_handle) == MOSQ_ERR_SUCCESS;

    /// <summary>The words for a CONNACK or DISCONNECT code of this connection's protocol version.</summary>
    public string DescribeReason(int code) =>
        Text(UsesVersion5 ? mosquitto_reason_string(code) : mosquitto_connack_string(code)).TrimEnd('.');

    public void Dispose()
    {
        _handle.Dispose();
        if (_self.IsAllocated)
        {
            _self.Free();
        }
    }

    internal static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    private static void Check(int code, string function) => MosquittoException.ThrowIfFailed(code, function);

    /// <summary>An exception must not unwind through C: it is kept and thrown by <see cref="Run"/>.</summary>
    private static void Guard(nint obj, Action<MosquittoClient> handler)
    {
        var client = (MosquittoClient)GCHandle.FromIntPtr(obj).Target!;
        try
        {
            handler(client);
        }
        catch (Exception failure)
        {
            client._callbackFailure ??= failure;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnConnect(nint mosq, nint obj, int code, int flags, nint properties) => Guard(obj, client =>
    {
        uint size = 0;
        if (properties != 0 && mosquitto_property_read_int32(properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, &size, 0) != 0)
        {
            client.MaximumPacketSize = size;
        }

        client._events.Connected(code);
    });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnDisconnect(nint mosq, nint obj, int code, nint properties) => Guard(obj, client => client._events.Disconnected(code));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnPublish(nint mosq, nint obj, int messageId, int code, nint properties) => Guard(obj, client =>
    {
        client._unfinished--;
        if (client._publishing.Remove(messageId, out var message) && code >= FirstFailure)
        {
            client._events.PublishRefused(message.Topic, code);
        }
    });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnMessage(nint mosq, nint obj, mosquitto_message* message, nint properties) => Guard(obj, client =>
    {
        if (message->payloadlen > client._maxPayload)
        {
            client._events.MessageTooLarge();
            return;
        }

        client._events.Message(new MosquittoMessage(
            Text(message->topic), new ReadOnlySpan<byte>(message->payload, message->payloadlen).ToArray(), message->retain != 0,
            ReadResponseTopic(properties), ReadCorrelationData(properties)));
    });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnSubscribe(nint mosq, nint obj, int mid, int count, int* granted, nint properties) => Guard(obj, client =>
    {
        client._subscribing.Remove(mid, out var filter);
        for (var i = 0; i < count; i++)
        {
            if (granted[i] >= FirstFailure)
            {
                client._events.SubscriptionRefused(filter ?? "", granted[i]);
            }
        }
    });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnLog(nint mosq, nint obj, int level, byte* text) => Guard(obj, client =>
    {
        if ((level & (MOSQ_LOG_WARNING | MOSQ_LOG_ERR)) != 0)
        {
            client._events.Warning(Text(text));
        }
    });

    private static string? ReadResponseTopic(nint properties)
    {
        byte* value = null;
        if (properties == 0 || mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC, &value, 0) == 0)
        {
            return null;
        }

        var topic = Text(value);
        NativeMemory.Free(value);
        return topic;
    }

    private static byte[] ReadCorrelationData(nint properties)
    {
        byte* value = null;
        ushort length;
        if (properties == 0 || mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &value, &length, 0) == 0)
        {
            return [];
        }

        var data = new ReadOnlySpan<byte>(value, length).ToArray();
        NativeMemory.Free(value);
        return data;
    }
}
