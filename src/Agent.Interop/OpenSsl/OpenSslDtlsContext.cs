using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Agent.Interop.OpenSsl;

/// <summary>
/// An SSL_CTX for DTLS-SRTP between peers that know each other's certificate by its fingerprint. Thread-safe once built; the
/// connections made from it keep it alive in OpenSSL.
/// </summary>
public sealed unsafe class OpenSslDtlsContext : IDisposable
{
    /// <summary>RFC 8827 §6.5: forward secrecy and AEAD only. TLS 1.3 suites are chosen apart from this list and are all of that kind.</summary>
    private const string CipherList = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL";

    private readonly SafeSslContextHandle _handle;

    /// <param name="certificate">The certificate that this side shows, DER.</param>
    /// <param name="ecPrivateKey">Its EC private key, DER (RFC 5915).</param>
    /// <param name="srtpProfiles">OpenSSL's names of the SRTP profiles, best first, joined by colons.</param>
    /// <exception cref="OpenSslException">OpenSSL refuses one of them.</exception>
    public OpenSslDtlsContext(ReadOnlySpan<byte> certificate, ReadOnlySpan<byte> ecPrivateKey, string srtpProfiles)
    {
        LibCrypto.ERR_clear_error();
        _handle = LibSsl.SSL_CTX_new(LibSsl.DTLS_method());
        Require(!_handle.IsInvalid, nameof(LibSsl.SSL_CTX_new));
        Require(Control(LibSsl.SSL_CTRL_SET_MIN_PROTO_VERSION, LibSsl.DTLS1_2_VERSION) == 1, "SSL_CTX_set_min_proto_version");

        // The maximum is left open: the library's newest version is used. Naming 1.3 asks whether it knows that one.
        SupportsDtls13 = Control(LibSsl.SSL_CTRL_SET_MAX_PROTO_VERSION, LibSsl.DTLS1_3_VERSION) == 1;
        LibCrypto.ERR_clear_error();
        Require(Control(LibSsl.SSL_CTRL_SET_MAX_PROTO_VERSION, 0) == 1, "SSL_CTX_set_max_proto_version");

        // A resumed session would skip the certificate and with it the fingerprint, so there is no resumption; a renegotiation could
        // change the certificate after the check.
        LibSsl.SSL_CTX_set_options(_handle, LibSsl.SSL_OP_NO_QUERY_MTU | LibSsl.SSL_OP_NO_TICKET | LibSsl.SSL_OP_NO_RENEGOTIATION);
        Require(LibSsl.SSL_CTX_set_num_tickets(_handle, 0) == 1, nameof(LibSsl.SSL_CTX_set_num_tickets));
        Control(LibSsl.SSL_CTRL_SET_SESS_CACHE_MODE, LibSsl.SSL_SESS_CACHE_OFF);
        Require(LibSsl.SSL_CTX_set_cipher_list(_handle, CipherList) == 1, nameof(LibSsl.SSL_CTX_set_cipher_list));
        Require(LibSsl.SSL_CTX_set_tlsext_use_srtp(_handle, srtpProfiles) == 0, nameof(LibSsl.SSL_CTX_set_tlsext_use_srtp));

        fixed (byte* der = certificate)
            Require(LibSsl.SSL_CTX_use_certificate_ASN1(_handle, certificate.Length, der) == 1, nameof(LibSsl.SSL_CTX_use_certificate_ASN1));
        fixed (byte* der = ecPrivateKey)
        {
            var length = new CLong(ecPrivateKey.Length);
            Require(
                LibSsl.SSL_CTX_use_PrivateKey_ASN1(LibCrypto.EVP_PKEY_EC, _handle, der, length) == 1,
                nameof(LibSsl.SSL_CTX_use_PrivateKey_ASN1));
        }

        Require(LibSsl.SSL_CTX_check_private_key(_handle) == 1, nameof(LibSsl.SSL_CTX_check_private_key));
        LibSsl.SSL_CTX_set_verify(_handle, LibSsl.SSL_VERIFY_PEER | LibSsl.SSL_VERIFY_FAIL_IF_NO_PEER_CERT, 0);
        LibSsl.SSL_CTX_set_cert_verify_callback(_handle, &OnVerifyCertificate, null);
    }

    /// <summary>Whether the loaded OpenSSL can speak DTLS 1.3 (RFC 9147).</summary>
    public bool SupportsDtls13 { get; }

    internal SafeSslContextHandle Handle => _handle;

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    /// <summary>
    /// Stands in for chain verification, which means nothing for self-signed certificates. RFC 8122 §6.2 asks for a bad_certificate
    /// alert on a mismatch, which X509_V_ERR_CERT_REJECTED turns into.
    /// </summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnVerifyCertificate(nint storeContext, void* argument)
    {
        var ssl = LibCrypto.X509_STORE_CTX_get_ex_data(storeContext, LibSsl.SSL_get_ex_data_X509_STORE_CTX_idx());
        var certificate = LibCrypto.X509_STORE_CTX_get0_cert(storeContext);
        if (ssl != 0 && certificate != 0 && DatagramBio.From(LibSsl.SSL_get_rbio(ssl)) is { PeerCheck: { } check } && check.Matches(certificate))
            return 1;

        LibCrypto.X509_STORE_CTX_set_error(storeContext, LibCrypto.X509_V_ERR_CERT_REJECTED);
        return 0;
    }

    private int Control(int command, int argument) => (int)LibSsl.SSL_CTX_ctrl(_handle, command, new CLong(argument), null).Value;

    private void Require(bool success, string function)
    {
        if (success)
            return;

        _handle.Dispose();
        throw OpenSslException.FromQueue(function);
    }
}
