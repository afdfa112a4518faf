namespace Agent.Rtc.Dtls;

/// <summary>Which side of the DTLS handshake (RFC 8842 a=setup: active is the client).</summary>
public enum DtlsRole
{
    Client,
    Server,
}

public enum DtlsState
{
    New,
    Handshaking,
    Connected,
    Failed,
    Closed,
}

/// <summary>A certificate fingerprint of SDP (RFC 8122).</summary>
/// <param name="Algorithm">"sha-256" and its kin, lower case.</param>
/// <param name="Value">The digest.</param>
public sealed record DtlsFingerprint(string Algorithm, ReadOnlyMemory<byte> Value);

/// <summary>Takes the application data of one record; the bytes are good until the call returns.</summary>
public delegate void DtlsDataHandler(ReadOnlySpan<byte> data, MonotonicTime now);

/// <summary>
/// The seam in front of the DTLS library: one association, fed exactly one datagram at a time and then drained. The remote
/// certificate is checked against the fingerprint of the SDP before <see cref="State"/> becomes Connected and before any key leaves.
/// </summary>
public interface IDtlsEndpoint : IDisposable
{
    DtlsState State { get; }

    /// <summary>Why the state is Failed; names the cause and where to look.</summary>
    string? Failure { get; }

    /// <summary>"DTLSv1.2" or "DTLSv1.3" once connected.</summary>
    string? ProtocolVersion { get; }

    void Start(DtlsRole role, DtlsFingerprint remoteFingerprint, MonotonicTime now);

    /// <summary>Is given application data within <see cref="HandleDatagram"/>, once Connected; without it the data is dropped.</summary>
    DtlsDataHandler? DataHandler { get; set; }

    /// <summary>Feeds one datagram.</summary>
    void HandleDatagram(ReadOnlySpan<byte> datagram, MonotonicTime now);

    MonotonicTime NextTimeout { get; }

    void HandleTimeout(MonotonicTime now);

    bool TryDequeueTransmit(Span<byte> buffer, out int length);

    /// <summary>Queues one datagram with application data, of which the MTU less a record's overhead fits; false unless Connected.</summary>
    bool TrySend(ReadOnlySpan<byte> data);

    /// <summary>Exports the negotiated SRTP profile and keying material (RFC 5764 §4.2); false until Connected.</summary>
    bool TryExportSrtpKeyingMaterial(out Srtp.SrtpProfile profile, Span<byte> keyingMaterial, out int length);

    /// <summary>Queues a close_notify alert.</summary>
    void Close();
}
