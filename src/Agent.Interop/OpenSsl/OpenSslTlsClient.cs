using System.Net;
using System.Runtime.InteropServices;
using Agent.Interop.Libc;

namespace Agent.Interop.OpenSsl;

/// <summary>What a step of a TLS connection led to.</summary>
public enum TlsStepResult
{
    /// <summary>The socket has to become readable first, or writable if <see cref="OpenSslTlsClient.WantsWrite"/>.</summary>
    Waiting,
    Done,
    /// <summary>The server has closed the connection.</summary>
    Closed,
    /// <summary>The connection is broken; <see cref="OpenSslTlsClient.Error"/> says why.</summary>
    Failed,
}

/// <summary>
/// The client's end of a TLS connection over a non-blocking socket, which OpenSSL reads and writes itself. It may write where the server has
/// gone; the runtime ignores SIGPIPE. Owned by one thread.
/// </summary>
public sealed unsafe class OpenSslTlsClient : IDisposable
{
    private readonly SafeSslHandle _ssl;

    /// <param name="context">May be disposed before the connection.</param>
    /// <param name="socket">Connected or about to be; must outlive this.</param>
    /// <param name="host">The name or address that the server's certificate must have.</param>
    /// <exception cref="OpenSslException">OpenSSL refuses one of them.</exception>
    public OpenSslTlsClient(OpenSslTlsClientContext context, TcpSocket socket, string host)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(socket);
        LibCrypto.ERR_clear_error();
        _ssl = LibSsl.SSL_new(context.Handle);
        Require(!_ssl.IsInvalid, nameof(LibSsl.SSL_new));
        Require(LibSsl.SSL_set_fd(_ssl, (int)socket.Descriptor.DangerousGetHandle()) == 1, nameof(LibSsl.SSL_set_fd));
        if (IPAddress.TryParse(host, out _))
        {
            Require(LibCrypto.X509_VERIFY_PARAM_set1_ip_asc(LibSsl.SSL_get0_param(_ssl), host) == 1, nameof(LibCrypto.X509_VERIFY_PARAM_set1_ip_asc));
        }
        else
        {
            Require(LibSsl.SSL_set1_host(_ssl, host) == 1, nameof(LibSsl.SSL_set1_host));
            var name = Marshal.StringToCoTaskMemUTF8(host);
            try
            {
                // RFC 6066 §3: literal addresses are not sent.
                Require(
                    LibSsl.SSL_ctrl(_ssl, LibSsl.SSL_CTRL_SET_TLSEXT_HOSTNAME, new CLong(LibSsl.TLSEXT_NAMETYPE_host_name), (void*)name).Value == 1,
                    "SSL_set_tlsext_host_name");
            }
            finally
            {
                Marshal.FreeCoTaskMem(name);
            }
        }

        LibSsl.SSL_set_connect_state(_ssl);
    }

    /// <summary>The last step waits for room to write, whatever it was.</summary>
    public bool WantsWrite { get; private set; }

    /// <summary>Why a step has returned <see cref="TlsStepResult.Failed"/>.</summary>
    public string? Error { get; private set; }

    /// <summary>Goes on with the handshake.</summary>
    public TlsStepResult Handshake()
    {
        LibCrypto.ERR_clear_error();
        var result = LibSsl.SSL_do_handshake(_ssl);
        return result == 1 ? Succeed() : Classify(result);
    }

    /// <summary>Reads what has come.</summary>
    /// <param name="buffer">Not empty.</param>
    /// <param name="count">Bytes, if <c>Done</c>.</param>
    public TlsStepResult Read(Span<byte> buffer, out int count)
    {
        LibCrypto.ERR_clear_error();
        fixed (byte* bytes = buffer)
        {
            var result = LibSsl.SSL_read(_ssl, bytes, buffer.Length);
            count = Math.Max(result, 0);
            return result > 0 ? Succeed() : Classify(result);
        }
    }

    /// <summary>Writes as much as the kernel takes now; what it did not take has to be written again, the same bytes first.</summary>
    public TlsStepResult Write(ReadOnlySpan<byte> data, out int count)
    {
        LibCrypto.ERR_clear_error();
        fixed (byte* bytes = data)
        {
            var result = LibSsl.SSL_write(_ssl, bytes, data.Length);
            count = Math.Max(result, 0);
            return result > 0 ? Succeed() : Classify(result);
        }
    }

    /// <summary>Sends close_notify, if that can be done at once.</summary>
    public void Shutdown()
    {
        LibCrypto.ERR_clear_error();
        if (LibSsl.SSL_shutdown(_ssl) < 0)
            LibCrypto.ERR_clear_error();
    }

    /// <inheritdoc/>
    public void Dispose() => _ssl.Dispose();

    private TlsStepResult Succeed()
    {
        WantsWrite = false;
        return TlsStepResult.Done;
    }

    private TlsStepResult Classify(int result)
    {
        var systemError = Marshal.GetLastSystemError();
        var error = LibSsl.SSL_get_error(_ssl, result);
        WantsWrite = error == LibSsl.SSL_ERROR_WANT_WRITE;
        switch (error)
        {
            case LibSsl.SSL_ERROR_WANT_READ or LibSsl.SSL_ERROR_WANT_WRITE:
                return TlsStepResult.Waiting;
            case LibSsl.SSL_ERROR_ZERO_RETURN:
                return TlsStepResult.Closed;
            case LibSsl.SSL_ERROR_SYSCALL when systemError != 0:
                Error = Marshal.GetPInvokeErrorMessage(systemError);
                return TlsStepResult.Failed;
            default:
                var queue = OpenSslErrorQueue.Take();
                var verified = LibSsl.SSL_get_verify_result(_ssl).Value;
                Error = verified == LibCrypto.X509_V_OK
                    ? queue.Text
                    : $"its certificate is not accepted: {Marshal.PtrToStringUTF8(LibCrypto.X509_verify_cert_error_string(new CLong(verified)))}";
                return TlsStepResult.Failed;
        }
    }

    private void Require(bool success, string function)
    {
        if (success)
            return;
        _ssl.Dispose();
        throw OpenSslException.FromQueue(function);
    }
}
