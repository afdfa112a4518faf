using System.Security.Cryptography;

namespace Agent.Interop.OpenSsl;

/// <summary>Compares the certificate that the peer shows with the digest that was announced for it.</summary>
internal sealed unsafe class PeerCertificateCheck
{
    private readonly nint _digest;
    private readonly byte[] _expected;

    /// <param name="digestName">OpenSSL's name of the digest, such as "SHA256".</param>
    /// <param name="expected">The announced digest.</param>
    internal PeerCertificateCheck(string digestName, ReadOnlySpan<byte> expected)
    {
        _digest = LibCrypto.EVP_get_digestbyname(digestName);
        if (_digest == 0)
            throw new OpenSslException(nameof(LibCrypto.EVP_get_digestbyname), $"the library has no digest '{digestName}'");

        _expected = expected.ToArray();
    }

    /// <summary>Whether a certificate was shown and its digest was the announced one.</summary>
    internal bool Passed { get; private set; }

    /// <summary>The digest of the certificate that the peer showed, or <c>null</c> if it has shown none.</summary>
    internal byte[]? Actual { get; private set; }

    /// <summary>Takes the peer's X509; called from inside the handshake, so it must not throw.</summary>
    internal bool Matches(nint certificate)
    {
        var buffer = stackalloc byte[LibCrypto.EVP_MAX_MD_SIZE];
        uint length = 0;
        if (LibCrypto.X509_digest(certificate, _digest, buffer, &length) != 1)
            return false;

        Actual = new ReadOnlySpan<byte>(buffer, (int)length).ToArray();
        Passed = CryptographicOperations.FixedTimeEquals(Actual, _expected);
        return Passed;
    }
}
