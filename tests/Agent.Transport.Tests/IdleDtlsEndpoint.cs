using Agent.Rtc;
using Agent.Rtc.Dtls;
using Agent.Rtc.Srtp;

namespace Agent.Transport.Tests;

/// <summary>An association that never gets anywhere; it can be made to throw, as a bug would.</summary>
internal sealed class IdleDtlsEndpoint : IDtlsEndpoint
{
    internal bool IsBroken { get; set; }

    internal bool IsDisposed { get; private set; }

    public DtlsState State => IsBroken ? throw new InvalidOperationException("a bug") : DtlsState.New;

    public string? Failure => null;

    public string? ProtocolVersion => null;

    public MonotonicTime NextTimeout => MonotonicTime.Never;

    public DtlsDataHandler? DataHandler { get; set; }

    public bool TrySend(ReadOnlySpan<byte> data) => false;

    public void Start(DtlsRole role, DtlsFingerprint remoteFingerprint, MonotonicTime now)
    {
    }

    public void HandleDatagram(ReadOnlySpan<byte> datagram, MonotonicTime now)
    {
    }

    public void HandleTimeout(MonotonicTime now)
    {
    }

    public bool TryDequeueTransmit(Span<byte> buffer, out int length)
    {
        length = 0;
        return false;
    }

    public bool TryExportSrtpKeyingMaterial(out SrtpProfile profile, Span<byte> keyingMaterial, out int length)
    {
        profile = SrtpProfile.None;
        length = 0;
        return false;
    }

    public void Close()
    {
    }

    public void Dispose() => IsDisposed = true;
}
