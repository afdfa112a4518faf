using System.Runtime.InteropServices;

namespace Agent.Interop.Mosquitto;

/// <summary>The part of libmosquitto 2 that is used; names and numbers as in mosquitto.h and mqtt_protocol.h.</summary>
internal static unsafe partial class LibMosquitto
{
    private const string Library = "libmosquitto.so.1";

    // mosquitto.h, enum mosq_err_t.
    internal const int MOSQ_ERR_SUCCESS = 0;
    internal const int MOSQ_ERR_CONN_LOST = 7;
    internal const int MOSQ_ERR_ERRNO = 14;
    internal const int MOSQ_ERR_OVERSIZE_PACKET = 25;

    // mosquitto.h, enum mosq_opt_t and protocol versions.
    internal const int MOSQ_OPT_PROTOCOL_VERSION = 1;
    internal const int MOSQ_OPT_TCP_NODELAY = 11;
    internal const int MQTT_PROTOCOL_V311 = 4;
    internal const int MQTT_PROTOCOL_V5 = 5;

    // mosquitto.h, log types.
    internal const int MOSQ_LOG_WARNING = 1 << 2;
    internal const int MOSQ_LOG_ERR = 1 << 3;

    // mqtt_protocol.h.
    internal const int MQTT_SUB_OPT_NO_LOCAL = 0x04;
    internal const int MQTT_PROP_MESSAGE_EXPIRY_INTERVAL = 2;
    internal const int MQTT_PROP_RESPONSE_TOPIC = 8;
    internal const int MQTT_PROP_CORRELATION_DATA = 9;
    internal const int MQTT_PROP_MAXIMUM_PACKET_SIZE = 39;

    [LibraryImport(Library)]
    internal static partial int mosquitto_lib_init();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    internal static partial SafeMosquittoHandle mosquitto_new(string id, byte clean_session, nint obj);

    [LibraryImport(Library)]
    internal static partial void mosquitto_destroy(nint mosq);

    [LibraryImport(Library)]
    internal static partial int mosquitto_int_option(SafeMosquittoHandle mosq, int option, int value);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mosquitto_will_set(
        SafeMosquittoHandle mosq, string topic, int payloadlen, byte* payload, int qos, byte retain);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mosquitto_username_pw_set(SafeMosquittoHandle mosq, string? username, string? password);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mosquitto_tls_set(
        SafeMosquittoHandle mosq, string? cafile, string? capath, string? certfile, string? keyfile, nint pw_callback);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    internal static partial int mosquitto_connect_async(SafeMosquittoHandle mosq, string host, int port, int keepalive);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int mosquitto_disconnect(SafeMosquittoHandle mosq);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int mosquitto_loop(SafeMosquittoHandle mosq, int timeout, int max_packets);

    [LibraryImport(Library)]
    internal static partial int mosquitto_socket(SafeMosquittoHandle mosq);

    /// <returns>A C bool.</returns>
    [LibraryImport(Library)]
    internal static partial byte mosquitto_want_write(SafeMosquittoHandle mosq);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    internal static partial int mosquitto_publish_v5(
        SafeMosquittoHandle mosq, int* mid, string topic, int payloadlen, byte* payload, int qos, byte retain, nint properties);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    internal static partial int mosquitto_subscribe_v5(SafeMosquittoHandle mosq, int* mid, string sub, int qos, int options, nint properties);

    [LibraryImport(Library)]
    internal static partial int mosquitto_property_add_int32(nint* proplist, int identifier, uint value);

    [LibraryImport(Library)]
    internal static partial int mosquitto_property_add_binary(nint* proplist, int identifier, byte* value, ushort len);

    [LibraryImport(Library)]
    internal static partial void mosquitto_property_free_all(nint* properties);

    [LibraryImport(Library)]
    internal static partial nint mosquitto_property_read_int32(nint proplist, int identifier, uint* value, byte skip_first);

    /// <summary>The value must be released with free(3).</summary>
    [LibraryImport(Library)]
    internal static partial nint mosquitto_property_read_string(nint proplist, int identifier, byte** value, byte skip_first);

    /// <summary>The value must be released with free(3).</summary>
    [LibraryImport(Library)]
    internal static partial nint mosquitto_property_read_binary(nint proplist, int identifier, byte** value, ushort* len, byte skip_first);

    [LibraryImport(Library)]
    internal static partial void mosquitto_connect_v5_callback_set(
        SafeMosquittoHandle mosq, delegate* unmanaged[Cdecl]<nint, nint, int, int, nint, void> on_connect);

    [LibraryImport(Library)]
    internal static partial void mosquitto_disconnect_v5_callback_set(
        SafeMosquittoHandle mosq, delegate* unmanaged[Cdecl]<nint, nint, int, nint, void> on_disconnect);

    [LibraryImport(Library)]
    internal static partial void mosquitto_message_v5_callback_set(
        SafeMosquittoHandle mosq, delegate* unmanaged[Cdecl]<nint, nint, mosquitto_message*, nint, void> on_message);

    [LibraryImport(Library)]
    internal static partial void mosquitto_publish_v5_callback_set(
        SafeMosquittoHandle mosq, delegate* unmanaged[Cdecl]<nint, nint, int, int, nint, void> on_publish);

    [LibraryImport(Library)]
    internal static partial void mosquitto_subscribe_v5_callback_set(
        SafeMosquittoHandle mosq, delegate* unmanaged[Cdecl]<nint, nint, int, int, int*, nint, void> on_subscribe);

    [LibraryImport(Library)]
    internal static partial void mosquitto_log_callback_set(
        SafeMosquittoHandle mosq, delegate* unmanaged[Cdecl]<nint, nint, int, byte*, void> on_log);

    /// <returns>A static C string.</returns>
    [LibraryImport(Library)]
    internal static partial byte* mosquitto_strerror(int mosq_errno);

    /// <returns>A static C string for an MQTT 5 reason code.</returns>
    [LibraryImport(Library)]
    internal static partial byte* mosquitto_reason_string(int reason_code);

    /// <returns>A static C string for an MQTT 3.1.1 CONNACK code.</returns>
    [LibraryImport(Library)]
    internal static partial byte* mosquitto_connack_string(int connack_code);
}

/// <summary>mosquitto.h, struct mosquitto_message.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct mosquitto_message
{
    internal int mid;
    internal byte* topic;
    internal byte* payload;
    internal int payloadlen;
    internal int qos;
    internal byte retain;
}

/// <summary>A struct mosquitto; closing it drops the connection without a DISCONNECT, so that the broker sends the will.</summary>
internal sealed class SafeMosquittoHandle : SafeHandle
{
    public SafeMosquittoHandle()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibMosquitto.mosquitto_destroy(handle);
        return true;
    }
}
