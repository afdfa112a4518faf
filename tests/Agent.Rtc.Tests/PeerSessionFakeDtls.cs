using Agent.Rtc.Dtls;
using Agent.Rtc.Srtp;

namespace Agent.Rtc.Tests;

/// <summary>
/// Stands in for DTLS in virtual time, where OpenSSL's timers, which read the real clock, cannot run: hello, answer, retransmission,
/// alerts, and keying material that both sides know. It encrypts nothing.
/// </summary>
internal sealed class PeerSessionFakeDtls(SrtpProfile profile) : IDtlsEndpoint
{
    // Content types of RFC 6347, as the demultiplexer sees them; the second byte is this class's own.
    private const byte Alert = 21;
    private const byte Handshake = 22;
    private const byte ApplicationData = 23;
    private const byte Hello = 1;
    private const byte Answer = 2;
    private const byte CloseNotify = 0;
    private const byte HandshakeFailure = 40;

    private static readonly TimeSpan RetransmissionInterval = TimeSpan.FromMilliseconds(100);

    private readonly Queue<byte[]> _outgoing = new();
    private DtlsRole _role;

    public DtlsState State { get; private set; }

    public string? Failure { get; private set; }

    public string? ProtocolVersion => State == DtlsState.Connected ? "DTLSv1.2" : null;

    public MonotonicTime NextTimeout { get; private set; } = MonotonicTime.Never;

    public DtlsDataHandler? DataHandler { get; set; }

    /// <summary>Answers a hello with a fatal alert, as for a wrong fingerprint.</summary>
    internal bool Refuses { get; init; }

    /// <summary>Never answers a hello.</summary>
    internal bool IsSilent { get; init; }

    internal bool IsDisposed { get; private set; }

    /// <summary>The bytes of a client's first message.</summary>
    internal static byte[] ClientHello => [Handshake, Hello];

    public void Start(DtlsRole role, DtlsFingerprint remoteFingerprint, MonotonicTime now)
    {
        Assert.Equal(DtlsState.New, State);
        _role = role;
        State = DtlsState.Handshaking;
        if (role == DtlsRole.Client)
            SendHello(now);
    }

    public void HandleDatagram(ReadOnlySpan<byte> datagram, MonotonicTime now)
    {
        if (State is not (DtlsState.Handshaking or DtlsState.Connected) || IsSilent)
            return;

        switch (datagram)
        {
            case [Handshake, Hello] when _role == DtlsRole.Server && Refuses:
                _outgoing.Enqueue([Alert, HandshakeFailure]);
                Fail("The peer's certificate is not the announced one.");
                break;
            case [Handshake, Hello] when _role == DtlsRole.Server:
                _outgoing.Enqueue([Handshake, Answer]);
                State = DtlsState.Connected;
                break;
            case [Handshake, Answer] when _role == DtlsRole.Client:
                State = DtlsState.Connected;
                NextTimeout = MonotonicTime.Never;
                break;
            case [ApplicationData, .. var data] when State == DtlsState.Connected:
                DataHandler?.Invoke(data, now);
                break;
            case [Alert, CloseNotify]:
                State = DtlsState.Closed;
                NextTimeout = MonotonicTime.Never;
                break;
            case [Alert, HandshakeFailure]:
                Fail("The peer sent the alert 'bad certificate'.");
                break;
        }
    }

    public bool TrySend(ReadOnlySpan<byte> data)
    {
        if (State != DtlsState.Connected)
            return false;

        _outgoing.Enqueue([ApplicationData, .. data]);
        return true;
    }

    public void HandleTimeout(MonotonicTime now)
    {
        if (now >= NextTimeout)
            SendHello(now);
    }

    public bool TryDequeueTransmit(Span<byte> buffer, out int length)
    {
        length = 0;
        if (!_outgoing.TryDequeue(out var datagram))
            return false;

        datagram.CopyTo(buffer);
        length = datagram.Length;
        return true;
    }

    public bool TryExportSrtpKeyingMaterial(out SrtpProfile negotiated, Span<byte> keyingMaterial, out int length)
    {
        negotiated = profile;
        length = SrtpContext.GetKeyingMaterialLength(profile);
        for (var i = 0; i < length; i++)
            keyingMaterial[i] = (byte)(i * 7 + 1);
        return State == DtlsState.Connected;
    }

    public void Close()
    {
        if (State is DtlsState.Handshaking or DtlsState.Connected)
            _outgoing.Enqueue([Alert, CloseNotify]);
        State = State == DtlsState.Failed ? State : DtlsState.Closed;
        NextTimeout = MonotonicTime.Never;
    }

    public void Dispose() => IsDisposed = true;

    private void SendHello(MonotonicTime now)
    {
        _outgoing.Enqueue(ClientHello);
        NextTimeout = now + RetransmissionInterval;
    }

    private void Fail(string reason)
    {
        State = DtlsState.Failed;
        Failure = reason;
        NextTimeout = MonotonicTime.Never;
    }
}
