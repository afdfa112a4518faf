using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Agent.Rtc.Dtls;

namespace Agent.Transport.Dtls;

/// <summary>
/// The self-signed certificate of one run of the agent and its private key: ECDSA on P-256, which every WebRTC peer takes
/// (RFC 8827 §6.5). Peers know it by the fingerprint in the SDP, so its name and dates say nothing.
/// </summary>
internal sealed class DtlsCertificate
{
    /// <summary>Longer than any run: the certificate lives as long as the process.</summary>
    private const int ValidityYears = 20;

    private DtlsCertificate(byte[] certificate, byte[] privateKey)
    {
        Certificate = certificate;
        PrivateKey = privateKey;
        Fingerprint = new DtlsFingerprint("sha-256", SHA256.HashData(certificate));
    }

    /// <summary>DER.</summary>
    public ReadOnlyMemory<byte> Certificate { get; }

    /// <summary>EC private key, DER (RFC 5915).</summary>
    public ReadOnlyMemory<byte> PrivateKey { get; }

    /// <summary>The sha-256 fingerprint for the answer's <c>a=fingerprint</c>.</summary>
    public DtlsFingerprint Fingerprint { get; }

    /// <summary>Makes a new key and certificate.</summary>
    /// <param name="now">The present; a board without a clock may be wrong by years, which no peer looks at.</param>
    /// <exception cref="InvalidOperationException">OpenSSL is not installed.</exception>
    public static DtlsCertificate Create(DateTimeOffset now)
    {
        using var key = CreateKey();
        var request = new CertificateRequest("CN=WebRTC", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(ValidityYears));
        return new DtlsCertificate(certificate.RawData, key.ExportECPrivateKey());
    }

    private static ECDsa CreateKey()
    {
        try
        {
            return ECDsa.Create(ECCurve.NamedCurves.nistP256);
        }
        catch (PlatformNotSupportedException missing)
        {
            // The runtime's own words name neither the library nor the package.
            throw new InvalidOperationException("OpenSSL 3 (libssl.so.3) cannot be loaded; install it: apt install libssl3", missing);
        }
    }
}
