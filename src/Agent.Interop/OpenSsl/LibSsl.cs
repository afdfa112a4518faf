using System.Runtime.InteropServices;

namespace Agent.Interop.OpenSsl;

/// <summary>The part of libssl (OpenSSL 3) that the DTLS code calls; names as in openssl/ssl.h and srtp.h.</summary>
internal static unsafe partial class LibSsl
{
    private const string Library = "libssl.so.3";

    // openssl/prov_ssl.h; DTLS 1.3 (RFC 9147 §5.3) has no constant in headers older than the library version that brings it.
    internal const int DTLS1_2_VERSION = 0xFEFD;
    internal const int DTLS1_3_VERSION = 0xFEFC;

    internal const int TLS1_2_VERSION = 0x0303;

    // openssl/ssl.h
    internal const int SSL_CTRL_SET_MTU = 17;
    internal const int SSL_CTRL_MODE = 33;
    internal const int SSL_CTRL_SET_SESS_CACHE_MODE = 44;
    internal const int SSL_CTRL_SET_TLSEXT_HOSTNAME = 55;
    internal const int SSL_MODE_ENABLE_PARTIAL_WRITE = 0x1;
    internal const int SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER = 0x2;
    internal const int DTLS_CTRL_GET_TIMEOUT = 73;
    internal const int DTLS_CTRL_HANDLE_TIMEOUT = 74;
    internal const int SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
    internal const int SSL_CTRL_SET_MAX_PROTO_VERSION = 124;
    internal const int SSL_SESS_CACHE_OFF = 0;
    internal const ulong SSL_OP_NO_QUERY_MTU = 1UL << 12;
    internal const ulong SSL_OP_NO_TICKET = 1UL << 14;
    internal const ulong SSL_OP_NO_RENEGOTIATION = 1UL << 30;
    internal const int SSL_VERIFY_PEER = 1;
    internal const int SSL_VERIFY_FAIL_IF_NO_PEER_CERT = 2;
    internal const int SSL_ERROR_SSL = 1;
    internal const int SSL_ERROR_WANT_READ = 2;
    internal const int SSL_ERROR_WANT_WRITE = 3;
    internal const int SSL_ERROR_SYSCALL = 5;
    internal const int SSL_ERROR_ZERO_RETURN = 6;

    internal const int TLSEXT_NAMETYPE_host_name = 0; // openssl/tls1.h

    // openssl/sslerr.h: an alert from the peer is reported as this offset plus the alert's number.
    internal const int SSL_AD_REASON_OFFSET = 1000;

    [LibraryImport(Library)]
    internal static partial nint DTLS_method();

    [LibraryImport(Library)]
    internal static partial nint TLS_client_method();

    [LibraryImport(Library)]
    internal static partial int SSL_CTX_set_default_verify_paths(SafeSslContextHandle context);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SSL_CTX_load_verify_locations(SafeSslContextHandle context, string? file, string? directory);

    [LibraryImport(Library)]
    internal static partial int SSL_set_fd(SafeSslHandle ssl, int descriptor);

    [LibraryImport(Library)]
    internal static partial nint SSL_get0_param(SafeSslHandle ssl);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SSL_set1_host(SafeSslHandle ssl, string name);

    [LibraryImport(Library)]
    internal static partial CLong SSL_get_verify_result(SafeSslHandle ssl);

    [LibraryImport(Library)]
    internal static partial SafeSslContextHandle SSL_CTX_new(nint method);

    [LibraryImport(Library)]
    internal static partial void SSL_CTX_free(nint context);

    [LibraryImport(Library)]
    internal static partial CLong SSL_CTX_ctrl(SafeSslContextHandle context, int command, CLong argument, void* pointer);

    [LibraryImport(Library)]
    internal static partial ulong SSL_CTX_set_options(SafeSslContextHandle context, ulong options);

    [LibraryImport(Library)]
    internal static partial int SSL_CTX_set_num_tickets(SafeSslContextHandle context, nuint tickets);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SSL_CTX_set_cipher_list(SafeSslContextHandle context, string list);

    /// <summary>Unlike most of libssl, returns 0 on success.</summary>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SSL_CTX_set_tlsext_use_srtp(SafeSslContextHandle context, string profiles);

    [LibraryImport(Library)]
    internal static partial int SSL_CTX_use_certificate_ASN1(SafeSslContextHandle context, int length, byte* der);

    [LibraryImport(Library)]
    internal static partial int SSL_CTX_use_PrivateKey_ASN1(int type, SafeSslContextHandle context, byte* der, CLong length);

    [LibraryImport(Library)]
    internal static partial int SSL_CTX_check_private_key(SafeSslContextHandle context);

    [LibraryImport(Library)]
    internal static partial void SSL_CTX_set_verify(SafeSslContextHandle context, int mode, nint callback);

    [LibraryImport(Library)]
    internal static partial void SSL_CTX_set_cert_verify_callback(
        SafeSslContextHandle context, delegate* unmanaged[Cdecl]<nint, void*, int> callback, void* argument);

    [LibraryImport(Library)]
    internal static partial SafeSslHandle SSL_new(SafeSslContextHandle context);

    [LibraryImport(Library)]
    internal static partial void SSL_free(nint ssl);

    [LibraryImport(Library)]
    internal static partial void SSL_set_bio(SafeSslHandle ssl, nint readBio, nint writeBio);

    [LibraryImport(Library)]
    internal static partial nint SSL_get_rbio(nint ssl);

    [LibraryImport(Library)]
    internal static partial CLong SSL_ctrl(SafeSslHandle ssl, int command, CLong argument, void* pointer);

    [LibraryImport(Library)]
    internal static partial void DTLS_set_timer_cb(SafeSslHandle ssl, delegate* unmanaged[Cdecl]<nint, uint, uint> callback);

    [LibraryImport(Library)]
    internal static partial void SSL_set_connect_state(SafeSslHandle ssl);

    [LibraryImport(Library)]
    internal static partial void SSL_set_accept_state(SafeSslHandle ssl);

    [LibraryImport(Library)]
    internal static partial int SSL_do_handshake(SafeSslHandle ssl);

    [LibraryImport(Library)]
    internal static partial int SSL_read(SafeSslHandle ssl, byte* buffer, int length);

    [LibraryImport(Library)]
    internal static partial int SSL_write(SafeSslHandle ssl, byte* buffer, int length);

    [LibraryImport(Library)]
    internal static partial int SSL_shutdown(SafeSslHandle ssl);

    [LibraryImport(Library)]
    internal static partial int SSL_get_error(SafeSslHandle ssl, int result);

    [LibraryImport(Library)]
    internal static partial nint SSL_get_version(SafeSslHandle ssl);

    [LibraryImport(Library)]
    internal static partial nint SSL_alert_desc_string_long(int value);

    [LibraryImport(Library)]
    internal static partial int SSL_get_ex_data_X509_STORE_CTX_idx();

    [LibraryImport(Library)]
    internal static partial SRTP_PROTECTION_PROFILE* SSL_get_selected_srtp_profile(SafeSslHandle ssl);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SSL_export_keying_material(
        SafeSslHandle ssl, byte* output, nuint outputLength, string label, nuint labelLength, byte* context, nuint contextLength, int useContext);

    /// <summary>openssl/srtp.h: srtp_protection_profile_st.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct SRTP_PROTECTION_PROFILE
    {
        internal nint name;
        internal CULong id;
    }

    /// <summary>sys/time.h struct timeval: time_t and suseconds_t are both long on the 64-bit targets.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Timeval
    {
        internal CLong tv_sec;
        internal CLong tv_usec;
    }
}
