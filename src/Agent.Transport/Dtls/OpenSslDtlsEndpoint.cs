using Agent.Interop.OpenSsl;
using Agent.Rtc;
using Agent.Rtc.Dtls;
using Agent.Rtc.Srtp;

namespace Agent.Transport.Dtls;

/// <summary>
/// A DTLS-SRTP association (RFC 5764) on OpenSSL. The handshake itself rejects a certificate whose fingerprint is not the announced
/// one, so neither side ever gets keys from it.
/// </summary>
/// <remarks>
/// As a server it asks for no HelloVerifyRequest cookie (RFC 6347 §4.2.1): the session lets a datagram through to it only from an
/// address that has proven, in an authenticated STUN check, that it knows this session's ICE password. A cookie would cost a round
/// trip to prove less.
/// OpenSSL's retransmission timer reads the wall clock. <see cref="NextTimeout"/> maps what is left of it to the monotonic clock after
/// each call; when the wall clock is set back during a handshake, retransmission is late and the session's set-up limit is the backstop.
/// </remarks>
internal sealed class OpenSslDtlsEndpoint : IDtlsEndpoint
{
    /// <summary>RFC 8261 §5 and common WebRTC practice: 1200 bytes of UDP payload pass every path, IPv6 and tunnels included.</summary>
    internal const int Mtu = 1200;

    /// <summary>RFC 6347 §4.1: the plaintext of a record has at most 2^14 bytes.</summary>
    private const int MaximumRecordLength = 1 << 14;

    /// <summary>RFC 5764 §4.2.</summary>
    private const string ExporterLabel = "EXTRACTOR-dtls_srtp";

    private readonly OpenSslDtlsContext _context;
    private OpenSslDtlsConnection? _connection;
    private DtlsFingerprint? _remoteFingerprint;
    private SrtpProfile _srtpProfile;

    internal OpenSslDtlsEndpoint(OpenSslDtlsContext context) => _context = context;

    /// <inheritdoc/>
    public DtlsState State { get; private set; }

    /// <inheritdoc/>
    public string? Failure { get; private set; }

    /// <inheritdoc/>
    public string? ProtocolVersion { get; private set; }

    /// <inheritdoc/>
    public MonotonicTime NextTimeout { get; private set; } = MonotonicTime.Never;

    /// <inheritdoc/>
    public DtlsDataHandler? DataHandler { get; set; }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The association was started before.</exception>
    public void Start(DtlsRole role, DtlsFingerprint remoteFingerprint, MonotonicTime now)
    {
        if (State != DtlsState.New)
            throw new InvalidOperationException($"A DTLS association starts once; this one is {State}.");

        var digest = FindDigest(remoteFingerprint.Algorithm);
        if (digest.Name is null)
        {
            Fail(
                $"The peer's SDP gives its certificate fingerprint as '{remoteFingerprint.Algorithm}', which this agent does not take: " +
                "RFC 8122 §5 rules out md5 and md2. Let the peer offer sha-256.");
            return;
        }

        if (remoteFingerprint.Value.Length != digest.Length)
        {
            Fail(
                $"The peer's SDP gives a {remoteFingerprint.Algorithm} fingerprint of {remoteFingerprint.Value.Length} bytes where the digest " +
                $"has {digest.Length}: the a=fingerprint line was cut or altered on its way.");
            return;
        }

        _remoteFingerprint = remoteFingerprint;
        _connection = new OpenSslDtlsConnection(_context, role == DtlsRole.Client, Mtu, digest.Name, remoteFingerprint.Value.Span);
        State = DtlsState.Handshaking;
        Advance([], now);
    }

    /// <inheritdoc/>
    public void HandleDatagram(ReadOnlySpan<byte> datagram, MonotonicTime now)
    {
        if (State is DtlsState.Handshaking or DtlsState.Connected)
            Advance(datagram, now);
    }

    /// <inheritdoc/>
    public void HandleTimeout(MonotonicTime now)
    {
        if (now < NextTimeout || _connection is null)
            return;

        if (_connection.HandleTimeout() == DtlsStepResult.Failed)
            Fail(Describe(_connection));
        UpdateTimeout(now);
    }

    /// <inheritdoc/>
    public bool TryDequeueTransmit(Span<byte> buffer, out int length)
    {
        length = 0;
        return _connection is not null && _connection.TryDequeueDatagram(buffer, out length);
    }

    /// <inheritdoc/>
    public bool TrySend(ReadOnlySpan<byte> data)
    {
        if (State != DtlsState.Connected)
            return false;

        var result = _connection!.Write(data);
        if (result == DtlsStepResult.Failed)
            Fail(Describe(_connection));
        return result == DtlsStepResult.Done;
    }

    /// <inheritdoc/>
    public bool TryExportSrtpKeyingMaterial(out SrtpProfile profile, Span<byte> keyingMaterial, out int length)
    {
        profile = SrtpProfile.None;
        length = 0;
        if (State != DtlsState.Connected)
            return false;

        profile = _srtpProfile;
        length = SrtpContext.GetKeyingMaterialLength(profile);
        _connection!.ExportKeyingMaterial(ExporterLabel, keyingMaterial[..length]);
        return true;
    }

    /// <inheritdoc/>
    public void Close()
    {
        if (State is DtlsState.Failed or DtlsState.Closed)
            return;

        _connection?.Shutdown();
        State = DtlsState.Closed;
        NextTimeout = MonotonicTime.Never;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (State != DtlsState.Failed)
            State = DtlsState.Closed;
        NextTimeout = MonotonicTime.Never;
        _connection?.Dispose();
        _connection = null;
    }

    /// <summary>The hash functions of RFC 8122 §5 that can still be trusted to tell certificates apart, sha-1 for old peers' sake.</summary>
    private static (string? Name, int Length) FindDigest(string algorithm) => algorithm.ToLowerInvariant() switch
    {
        "sha-1" => ("SHA1", 20),
        "sha-224" => ("SHA224", 28),
        "sha-256" => ("SHA256", 32),
        "sha-384" => ("SHA384", 48),
        "sha-512" => ("SHA512", 64),
        _ => default,
    };

    private void Advance(ReadOnlySpan<byte> datagram, MonotonicTime now)
    {
        if (State == DtlsState.Handshaking)
        {
            switch (_connection!.Handshake(datagram))
            {
                case DtlsStepResult.Done:
                    CompleteHandshake();
                    datagram = default;
                    break;
                case DtlsStepResult.Closed:
                    Fail("The peer closed the DTLS association before the handshake was done: it gave up on this session.");
                    break;
                case DtlsStepResult.Failed:
                    Fail(Describe(_connection));
                    break;
            }
        }

        if (State == DtlsState.Connected)
            ReadRecords(datagram, now);
        UpdateTimeout(now);
    }

    private void CompleteHandshake()
    {
        _srtpProfile = (SrtpProfile)_connection!.SelectedSrtpProfile;
        if (!_connection.PeerCertificateMatches)
        {
            Fail("The DTLS handshake ended without a certificate of the peer, which RFC 5763 §5 requires on both sides.");
        }
        else if (_srtpProfile is not (SrtpProfile.AesCm128HmacSha1_80 or SrtpProfile.AeadAes128Gcm))
        {
            Fail(
                "The peer did not negotiate DTLS-SRTP (the use_srtp extension of RFC 5764): it must offer SRTP_AES128_CM_HMAC_SHA1_80 or " +
                "SRTP_AEAD_AES_128_GCM.");
        }
        else
        {
            ProtocolVersion = _connection.Version;
            State = DtlsState.Connected;
        }
    }

    /// <summary>Takes application data and alerts.</summary>
    private void ReadRecords(ReadOnlySpan<byte> datagram, MonotonicTime now)
    {
        Span<byte> data = stackalloc byte[MaximumRecordLength];
        DtlsStepResult result;
        while ((result = _connection!.Read(datagram, data, out var length)) == DtlsStepResult.Done)
        {
            datagram = default;
            DataHandler?.Invoke(data[..length], now);
        }

        // RFC 5246 §7.2.1: close_notify is answered with close_notify.
        if (result == DtlsStepResult.Closed)
            Close();
        else if (result == DtlsStepResult.Failed)
            Fail(Describe(_connection));
    }

    private string Describe(OpenSslDtlsConnection connection)
    {
        if (!connection.PeerCertificateDigest.IsEmpty && !connection.PeerCertificateMatches)
        {
            return
                $"The peer's certificate has the {_remoteFingerprint!.Algorithm} fingerprint {ToText(connection.PeerCertificateDigest)}, but its SDP " +
                $"announced {ToText(_remoteFingerprint.Value)}: the SDP is not this peer's, or somebody sits in between.";
        }

        return connection.PeerAlert is { } alert
            ? $"The peer ended the DTLS association with the alert '{alert}': its log has the reason ({connection.Error})."
            : $"The DTLS association broke: {connection.Error}.";
    }

    private static string ToText(ReadOnlyMemory<byte> digest) => string.Join(':', digest.ToArray().Select(static b => b.ToString("X2", null)));

    private void Fail(string reason)
    {
        Failure = reason;
        State = DtlsState.Failed;
        NextTimeout = MonotonicTime.Never;
    }

    private void UpdateTimeout(MonotonicTime now) => NextTimeout =
        State is DtlsState.Handshaking or DtlsState.Connected && _connection!.TryGetTimeout(out var remaining) ? now + remaining : MonotonicTime.Never;
}
