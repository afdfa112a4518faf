using Agent.Interop.OpenSsl;
using Agent.Rtc.Dtls;

namespace Agent.Transport.Dtls;

/// <summary>What all DTLS associations of the agent share: certificate, cipher suites, SRTP profiles.</summary>
internal sealed class DtlsContext : IDisposable
{
    /// <summary>Best first: AEAD does encryption and authentication in one pass (RFC 7714); RFC 8827 §6.5 requires the other.</summary>
    private const string SrtpProfiles = "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";

    private readonly OpenSslDtlsContext _openSsl;

    /// <param name="certificate">This side's certificate.</param>
    /// <exception cref="OpenSslException">The OpenSSL library lacks something that DTLS-SRTP needs.</exception>
    public DtlsContext(DtlsCertificate certificate) =>
        _openSsl = new OpenSslDtlsContext(certificate.Certificate.Span, certificate.PrivateKey.Span, SrtpProfiles);

    /// <summary>Whether the loaded OpenSSL offers DTLS 1.3 besides 1.2.</summary>
    public bool SupportsDtls13 => _openSsl.SupportsDtls13;

    /// <summary>Makes a fresh association; the caller disposes it.</summary>
    public IDtlsEndpoint CreateEndpoint() => new OpenSslDtlsEndpoint(_openSsl);

    /// <inheritdoc/>
    public void Dispose() => _openSsl.Dispose();
}
