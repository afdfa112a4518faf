using System.Diagnostics;
using Agent.Rtc;
using Agent.Rtc.Dtls;
using Agent.Transport.Dtls;

namespace Agent.Transport.Tests.Dtls;

/// <summary>A client and a server that pass datagrams to each other in memory. Time is real, because OpenSSL's timers are.</summary>
internal sealed class DtlsPair : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly byte[] _buffer = new byte[2048];
    private readonly int[] _sent = new int[2];

    internal DtlsPair(DtlsFingerprint? clientExpects = null, DtlsFingerprint? serverExpects = null)
    {
        Client = ClientContext.CreateEndpoint();
        Server = ServerContext.CreateEndpoint();
        Server.Start(DtlsRole.Server, serverExpects ?? ClientCertificate.Fingerprint, Now);
        Client.Start(DtlsRole.Client, clientExpects ?? ServerCertificate.Fingerprint, Now);
    }

    internal static DtlsCertificate ClientCertificate { get; } = DtlsCertificate.Create(DateTimeOffset.UtcNow);

    internal static DtlsCertificate ServerCertificate { get; } = DtlsCertificate.Create(DateTimeOffset.UtcNow);

    internal static DtlsContext ClientContext { get; } = new(ClientCertificate);

    internal static DtlsContext ServerContext { get; } = new(ServerCertificate);

    internal static MonotonicTime Now => MonotonicTime.From(Stopwatch.GetElapsedTime(0));

    internal IDtlsEndpoint Client { get; }

    internal IDtlsEndpoint Server { get; }

    /// <summary>What happens to a datagram on its way: from the client?, its number from 0 on that side, its bytes. Null loses it.</summary>
    internal Func<bool, int, byte[], byte[]?> Network { get; set; } = static (_, _, datagram) => datagram;

    internal List<byte[]> FromClient { get; } = [];

    internal List<byte[]> FromServer { get; } = [];

    /// <summary>Passes datagrams back and forth until both sides have left the handshake, or nothing more happens.</summary>
    /// <param name="waitForTimers">Whether to wait for retransmissions when no datagram is on its way.</param>
    internal void Run(bool waitForTimers = true)
    {
        var start = Now;
        while (Now - start < Patience)
        {
            while (Pass(Client, Server, FromClient, true) | Pass(Server, Client, FromServer, false))
            {
            }

            if (Client.State != DtlsState.Handshaking && Server.State != DtlsState.Handshaking)
                return;

            var due = MonotonicTime.Min(Client.NextTimeout, Server.NextTimeout);
            if (due == MonotonicTime.Never || !waitForTimers)
                return;

            if (due > Now)
                Thread.Sleep(due - Now + TimeSpan.FromMilliseconds(1));
            Client.HandleTimeout(Now);
            Server.HandleTimeout(Now);
        }
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
    }

    private bool Pass(IDtlsEndpoint from, IDtlsEndpoint to, List<byte[]> log, bool fromClient)
    {
        var any = false;
        while (from.TryDequeueTransmit(_buffer, out var length))
        {
            any = true;
            var datagram = _buffer[..length];
            log.Add(datagram);
            if (Network(fromClient, _sent[fromClient ? 0 : 1]++, datagram) is { } delivered)
                to.HandleDatagram(delivered, Now);
        }

        return any;
    }
}
