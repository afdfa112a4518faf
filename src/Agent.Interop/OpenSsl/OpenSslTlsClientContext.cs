using System.Runtime.InteropServices;

namespace Agent.Interop.OpenSsl;

/// <summary>An SSL_CTX for TLS to servers whose certificates are verified. Thread-safe once built; connections made from it keep it alive in OpenSSL.</summary>
public sealed unsafe class OpenSslTlsClientContext : IDisposable
{
    /// <summary>Reads certificates, which may take tens of milliseconds: not for a thread that has media to send.</summary>
    /// <param name="certificateAuthorities">A PEM file of those to trust; <c>null</c> for the system's.</param>
    /// <exception cref="OpenSslException">The file cannot be read, or OpenSSL lacks something.</exception>
    public OpenSslTlsClientContext(string? certificateAuthorities)
    {
        LibCrypto.ERR_clear_error();
        Handle = LibSsl.SSL_CTX_new(LibSsl.TLS_client_method());
        Require(!Handle.IsInvalid, nameof(LibSsl.SSL_CTX_new));
        Require(Control(LibSsl.SSL_CTRL_SET_MIN_PROTO_VERSION, LibSsl.TLS1_2_VERSION) == 1, "SSL_CTX_set_min_proto_version");
        Control(LibSsl.SSL_CTRL_MODE, LibSsl.SSL_MODE_ENABLE_PARTIAL_WRITE | LibSsl.SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        Require(
            certificateAuthorities is null
                ? LibSsl.SSL_CTX_set_default_verify_paths(Handle) == 1
                : LibSsl.SSL_CTX_load_verify_locations(Handle, certificateAuthorities, null) == 1,
            certificateAuthorities is null ? nameof(LibSsl.SSL_CTX_set_default_verify_paths) : $"SSL_CTX_load_verify_locations({certificateAuthorities})");
        LibSsl.SSL_CTX_set_verify(Handle, LibSsl.SSL_VERIFY_PEER, 0);
    }

    internal SafeSslContextHandle Handle { get; }

    /// <inheritdoc/>
    public void Dispose() => Handle.Dispose();

    private nint Control(int command, int argument) => LibSsl.SSL_CTX_ctrl(Handle, command, new CLong(argument), null).Value;

    private void Require(bool success, string function)
    {
        if (success)
            return;
        Handle.Dispose();
        throw OpenSslException.FromQueue(function);
    }
}
