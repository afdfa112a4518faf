using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Agent.Interop.OpenSsl;

namespace Agent.Interop.Tests.OpenSsl;

public sealed class OpenSslDtlsContextTests
{
    [Fact]
    public void An_error_names_the_function_and_what_openssl_said()
    {
        var (certificate, key) = CreateCertificate();
        var badCertificate = Assert.Throws<OpenSslException>(() => new OpenSslDtlsContext([1, 2, 3], key, "SRTP_AES128_CM_SHA1_80"));
        Assert.StartsWith("SSL_CTX_use_certificate_ASN1 failed: error:", badCertificate.Message, StringComparison.Ordinal);

        var badProfile = Assert.Throws<OpenSslException>(() => new OpenSslDtlsContext(certificate, key, "SRTP_NO_SUCH_PROFILE"));
        Assert.StartsWith("SSL_CTX_set_tlsext_use_srtp failed: error:", badProfile.Message, StringComparison.Ordinal);

        var (_, otherKey) = CreateCertificate();
        var badKey = Assert.Throws<OpenSslException>(() => new OpenSslDtlsContext(certificate, otherKey, "SRTP_AES128_CM_SHA1_80"));
        Assert.Contains("key values mismatch", badKey.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_connection_outlives_its_context_and_is_collected_when_nobody_disposes_it()
    {
        var (certificate, key) = CreateCertificate();
        var forgotten = ForgetConnection(certificate, key);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.False(forgotten.IsAlive);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference ForgetConnection(byte[] certificate, byte[] key)
    {
        var context = new OpenSslDtlsContext(certificate, key, "SRTP_AES128_CM_SHA1_80");
        var connection = new OpenSslDtlsConnection(context, isClient: true, 1200, "SHA256", new byte[32]);
        context.Dispose();
        Assert.Equal(DtlsStepResult.Waiting, connection.Handshake([]));
        Assert.True(connection.TryGetTimeout(out var remaining));
        Assert.InRange(remaining, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.True(connection.TryDequeueDatagram(new byte[1200], out var length));
        Assert.InRange(length, 100, 1200);
        return new WeakReference(connection);
    }

    private static (byte[] Certificate, byte[] Key) CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return (certificate.RawData, key.ExportECPrivateKey());
    }
}
