using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Agent.Interop.OpenSsl;

/// <summary>What a step of a DTLS connection led to.</summary>
public enum DtlsStepResult
{
    /// <summary>OpenSSL needs another datagram or a timeout before it can go on.</summary>
    Waiting,
    /// <summary>The handshake is complete, or application data was read.</summary>
    Done,
    /// <summary>The peer has sent close_notify.</summary>
    Closed,
    /// <summary>The connection is broken; <see cref="OpenSslDtlsConnection.Error"/> says why.</summary>
    Failed,
}

/// <summary>One SSL of a DTLS association: fed a datagram at a time, its own datagrams taken out one by one. Owned by one thread.</summary>
public sealed unsafe class OpenSslDtlsConnection : IDisposable
{
    private const int MicrosecondsPerSecond = 1_000_000;

    /// <summary>RFC 6347 §4.2.4.1: the retransmission timer doubles up to no less than 60 s.</summary>
    private const uint MaximumRetransmissionMicroseconds = 60 * MicrosecondsPerSecond;

    /// <summary>
    /// RFC 6347 §4.2.4.1 suggests 1 s where nothing is known about the path. Here ICE has already had an answer over it, and a viewer
    /// waits for each lost datagram, so the first retransmission comes as soon as WebRTC implementations commonly send it.
    /// </summary>
    private const uint InitialRetransmissionMicroseconds = 100_000;

    private readonly SafeSslHandle _ssl;
    private readonly DatagramBio _bio = new();

    /// <param name="context">The context; it may be disposed before the connection.</param>
    /// <param name="isClient">Which side of the handshake this is.</param>
    /// <param name="mtu">Largest datagram to send, in bytes of UDP payload.</param>
    /// <param name="peerDigestName">OpenSSL's name of the digest that the peer's certificate was announced with.</param>
    /// <param name="peerDigest">The digest that the peer's certificate must have.</param>
    /// <exception cref="OpenSslException">OpenSSL refuses one of them.</exception>
    public OpenSslDtlsConnection(OpenSslDtlsContext context, bool isClient, int mtu, string peerDigestName, ReadOnlySpan<byte> peerDigest)
    {
        ArgumentNullException.ThrowIfNull(context);
        LibCrypto.ERR_clear_error();
        _bio.PeerCheck = new PeerCertificateCheck(peerDigestName, peerDigest);
        _ssl = LibSsl.SSL_new(context.Handle);
        if (_ssl.IsInvalid)
            throw OpenSslException.FromQueue(nameof(LibSsl.SSL_new));

        try
        {
            var bio = _bio.CreateBio();
            LibSsl.SSL_set_bio(_ssl, bio, bio);
            if (LibSsl.SSL_ctrl(_ssl, LibSsl.SSL_CTRL_SET_MTU, new CLong(mtu), null).Value != mtu)
                throw new OpenSslException("SSL_set_mtu", $"OpenSSL does not take {mtu} bytes");
        }
        catch
        {
            _ssl.Dispose();
            throw;
        }

        LibSsl.DTLS_set_timer_cb(_ssl, &OnTimer);
        if (isClient)
            LibSsl.SSL_set_connect_state(_ssl);
        else
            LibSsl.SSL_set_accept_state(_ssl);
    }

    /// <summary>Why a step has returned <see cref="DtlsStepResult.Failed"/>: OpenSSL's error queue in words.</summary>
    public string? Error { get; private set; }

    /// <summary>The fatal alert that the peer ended the connection with, in OpenSSL's words, or <c>null</c>.</summary>
    public string? PeerAlert { get; private set; }

    /// <summary>Whether the peer has shown a certificate that has the announced digest.</summary>
    public bool PeerCertificateMatches => _bio.PeerCheck!.Passed;

    /// <summary>The digest of the certificate that the peer has shown, or empty.</summary>
    public ReadOnlyMemory<byte> PeerCertificateDigest => _bio.PeerCheck!.Actual;

    /// <summary>OpenSSL's name of the protocol version, such as "DTLSv1.2"; meaningful once the handshake is done.</summary>
    public string Version => Marshal.PtrToStringUTF8(LibSsl.SSL_get_version(_ssl))!;

    /// <summary>The IANA number of the negotiated SRTP profile (RFC 5764 §4.1.2), or 0 if there is none.</summary>
    public int SelectedSrtpProfile => LibSsl.SSL_get_selected_srtp_profile(_ssl) is var profile && profile == null ? 0 : (int)profile->id.Value;

    /// <summary>Outgoing datagrams that were dropped because nobody took them.</summary>
    public long OutgoingDropped => _bio.OutgoingDropped;

    /// <summary>Goes on with the handshake, with a datagram of the peer or none.</summary>
    public DtlsStepResult Handshake(ReadOnlySpan<byte> datagram)
    {
        LibCrypto.ERR_clear_error();
        fixed (byte* bytes = datagram)
        {
            _bio.SetIncoming(bytes, datagram.Length);
            var result = LibSsl.SSL_do_handshake(_ssl);
            _bio.ClearIncoming();
            return result == 1 ? DtlsStepResult.Done : Classify(result);
        }
    }

    /// <summary>Reads the application data of one record; call with each datagram, then with none until it is no longer <c>Done</c>.</summary>
    /// <param name="datagram">A datagram of the peer, or empty to read what the last one still holds.</param>
    /// <param name="buffer">Where the data goes; 16 KiB holds any record.</param>
    /// <param name="length">Bytes written.</param>
    public DtlsStepResult Read(ReadOnlySpan<byte> datagram, Span<byte> buffer, out int length)
    {
        LibCrypto.ERR_clear_error();
        fixed (byte* bytes = datagram, destination = buffer)
        {
            _bio.SetIncoming(bytes, datagram.Length);
            var result = LibSsl.SSL_read(_ssl, destination, buffer.Length);
            _bio.ClearIncoming();
            length = Math.Max(result, 0);
            return result > 0 ? DtlsStepResult.Done : Classify(result);
        }
    }

    /// <summary>Writes application data as one record in one datagram; it must fit the MTU with the record's overhead.</summary>
    public DtlsStepResult Write(ReadOnlySpan<byte> data)
    {
        LibCrypto.ERR_clear_error();
        fixed (byte* bytes = data)
        {
            var result = LibSsl.SSL_write(_ssl, bytes, data.Length);
            return result > 0 ? DtlsStepResult.Done : Classify(result);
        }
    }

    /// <summary>Time until the retransmission timer runs out on the wall clock that OpenSSL reads; false while no timer runs.</summary>
    public bool TryGetTimeout(out TimeSpan remaining)
    {
        LibSsl.Timeval value;
        var running = LibSsl.SSL_ctrl(_ssl, LibSsl.DTLS_CTRL_GET_TIMEOUT, default, &value).Value == 1;
        remaining = running
            ? TimeSpan.FromSeconds(value.tv_sec.Value) + TimeSpan.FromMicroseconds(value.tv_usec.Value)
            : Timeout.InfiniteTimeSpan;
        return running;
    }

    /// <summary>Retransmits the last flight if its timer has run out.</summary>
    public DtlsStepResult HandleTimeout()
    {
        LibCrypto.ERR_clear_error();
        var result = (int)LibSsl.SSL_ctrl(_ssl, LibSsl.DTLS_CTRL_HANDLE_TIMEOUT, default, null).Value;
        return result >= 0 ? DtlsStepResult.Waiting : Classify(result);
    }

    /// <summary>Copies the oldest outgoing datagram.</summary>
    /// <exception cref="ArgumentException">The buffer is smaller than the MTU given to the constructor.</exception>
    public bool TryDequeueDatagram(Span<byte> buffer, out int length) => _bio.TryDequeueOutgoing(buffer, out length);

    /// <summary>Fills the whole span with keying material (RFC 5705, without a context).</summary>
    /// <exception cref="OpenSslException">The handshake is not complete.</exception>
    public void ExportKeyingMaterial(string label, Span<byte> output)
    {
        ArgumentNullException.ThrowIfNull(label);
        LibCrypto.ERR_clear_error();
        fixed (byte* bytes = output)
        {
            if (LibSsl.SSL_export_keying_material(_ssl, bytes, (nuint)output.Length, label, (nuint)label.Length, null, 0, 0) != 1)
                throw OpenSslException.FromQueue(nameof(LibSsl.SSL_export_keying_material));
        }
    }

    /// <summary>Queues a close_notify alert; nothing happens before the handshake is done, where the protocol has none to send.</summary>
    public void Shutdown()
    {
        LibCrypto.ERR_clear_error();
        if (LibSsl.SSL_shutdown(_ssl) < 0)
            LibCrypto.ERR_clear_error();
    }

    /// <inheritdoc/>
    public void Dispose() => _ssl.Dispose();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static uint OnTimer(nint ssl, uint microseconds) =>
        microseconds == 0 ? InitialRetransmissionMicroseconds : Math.Min(microseconds * 2, MaximumRetransmissionMicroseconds);

    private DtlsStepResult Classify(int result)
    {
        var error = LibSsl.SSL_get_error(_ssl, result);
        switch (error)
        {
            case LibSsl.SSL_ERROR_WANT_READ:
                return DtlsStepResult.Waiting;
            case LibSsl.SSL_ERROR_ZERO_RETURN:
                return DtlsStepResult.Closed;
            default:
                var queue = OpenSslErrorQueue.Take();
                Error = error == LibSsl.SSL_ERROR_SSL ? queue.Text : $"SSL_get_error {error}: {queue.Text}";
                PeerAlert = queue.PeerAlert is { } alert ? Marshal.PtrToStringUTF8(LibSsl.SSL_alert_desc_string_long(alert)) : null;
                return DtlsStepResult.Failed;
        }
    }
}
