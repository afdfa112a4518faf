using Agent.Rtc;
using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;
using Agent.Rtc.Rtp;
using Agent.Rtc.Sdp;
using Agent.Rtc.Srtp;

namespace Agent.Transport.Tests.Dtls;

/// <summary>
/// A whole session with the real DTLS library. Time is virtual and no datagram is lost, so that OpenSSL's own timers never matter.
/// </summary>
public sealed class PeerSessionOverOpenSslTests
{
    private static readonly TransportAddress s_agent = Address("192.0.2.1");
    private static readonly TransportAddress s_viewer = Address("192.0.2.2");

    [Theory]
    [InlineData(DtlsRole.Client)]
    [InlineData(DtlsRole.Server)]
    public void A_viewer_can_decrypt_what_the_session_sends(DtlsRole role)
    {
        using var run = new Run(role, DtlsPair.ClientCertificate.Fingerprint);
        Assert.True(run.Until(() => run.Session.State == PeerState.Connected && run.Viewer.State == DtlsState.Connected));
        Assert.Equal("AEAD_AES_128_GCM", run.Session.GetStatus().SrtpProfile);

        var keys = OpenSslDtlsEndpointTests.ExportKeys(run.Viewer, SrtpProfile.AeadAes128Gcm);
        var (send, receive) = SrtpContext.FromKeyingMaterial(SrtpProfile.AeadAes128Gcm, keys, isClient: role == DtlsRole.Server);
        using var _ = send;
        using var __ = receive;
        var decrypted = 0;
        run.OnMedia = packet => decrypted += receive.TryUnprotectRtp(packet, out int length) ? length : 0;
        var frame = new H264Packetizer(1000).Packetize([0x65, .. new byte[5000]], [Range.All], true, 0, run.Now);
        run.Session.WriteFrame(frame, run.Now);
        frame.Release();
        Assert.True(run.Until(() => decrypted > 5000));
    }

    [Theory]
    [InlineData(DtlsRole.Client)]
    [InlineData(DtlsRole.Server)]
    public void A_certificate_that_is_not_the_announced_one_closes_the_session(DtlsRole role)
    {
        using var run = new Run(role, DtlsPair.ServerCertificate.Fingerprint);
        Assert.True(run.Until(() => run.Session.State == PeerState.Closed && run.Viewer.State == DtlsState.Failed));
        Assert.Contains("its SDP announced", run.Session.CloseReason, StringComparison.Ordinal);
        Assert.Null(run.Session.GetStatus().SrtpProfile);
    }

    private static TransportAddress Address(string host)
    {
        Assert.True(TransportAddress.TryParse(host, 4000, out var address));
        return address;
    }

    private sealed class Run : IDisposable
    {
        private readonly IceAgent _ice;
        private readonly DtlsRole _viewerRole;
        private readonly byte[] _buffer = new byte[1500];

        internal Run(DtlsRole agentRole, DtlsFingerprint announced)
        {
            _viewerRole = agentRole == DtlsRole.Client ? DtlsRole.Server : DtlsRole.Client;
            var random = SystemRandomSource.Instance;
            _ice = new IceAgent(IceRole.Controlling, IceCredentials.Create(random), random);
            var local = IceCredentials.Create(random);
            var negotiated = new NegotiatedSession(
                "", _ice.LocalCredentials, false, announced, agentRole, [new SignaledCandidate(IceCandidateType.Host, "192.0.2.2", 4000, 1, "1")], true,
                "0", "0", 102, null, "42e01f", default, false);
            var candidate = IceCandidate.CreateHost(s_agent, IcePriority.HighestLocalPreference);
            Session = new PeerSession(
                negotiated, local, [candidate], new RtpVideoSenderOptions(1, 2, 102, null, "cname", null, default, false),
                DtlsPair.ServerContext.CreateEndpoint(), random, Now);
            _ice.SetRemoteCredentials(local);
            _ice.AddLocalCandidate(IceCandidate.CreateHost(s_viewer, IcePriority.HighestLocalPreference), Now);
            _ice.AddRemoteCandidate(candidate, Now);
        }

        internal MonotonicTime Now { get; private set; } = MonotonicTime.From(TimeSpan.FromHours(1));

        internal PeerSession Session { get; }

        internal IDtlsEndpoint Viewer { get; } = DtlsPair.ClientContext.CreateEndpoint();

        internal Action<byte[]> OnMedia { get; set; } = static _ => { };

        /// <summary>Runs for at most ten seconds of virtual time.</summary>
        internal bool Until(Func<bool> condition)
        {
            var end = Now + TimeSpan.FromSeconds(10);
            while (!condition() && Now < end)
            {
                if (!Step())
                    Now += TimeSpan.FromMilliseconds(10);
                Session.HandleTimeout(Now);
                _ice.HandleTimeout(Now);
            }

            return condition();
        }

        public void Dispose()
        {
            Session.Dispose();
            Viewer.Dispose();
        }

        private bool Step()
        {
            var any = false;
            while (Session.TryDequeueTransmit(_buffer, Now, DateTimeOffset.UnixEpoch, out var transmit))
            {
                any = true;
                ToViewer(_buffer[..transmit.Length]);
            }

            while (_ice.TryDequeueTransmit(_buffer, out var transmit))
            {
                any = true;
                Session.HandleDatagram(_buffer.AsSpan(0, transmit.Length), s_agent, s_viewer, Now);
            }

            while (Viewer.TryDequeueTransmit(_buffer, out var length))
            {
                any = true;
                Session.HandleDatagram(_buffer.AsSpan(0, length), s_agent, s_viewer, Now);
            }

            return any;
        }

        private void ToViewer(byte[] datagram)
        {
            switch (DatagramClassifier.Classify(datagram))
            {
                case DatagramKind.Stun:
                    _ice.HandleDatagram(datagram, s_viewer, s_agent, Now);
                    break;
                case DatagramKind.Dtls:
                    Viewer.HandleDatagram(datagram, Now);
                    break;
                case DatagramKind.Rtp:
                    OnMedia(datagram);
                    break;
            }

            if (_ice.State == IceConnectionState.Connected && Viewer.State == DtlsState.New)
                Viewer.Start(_viewerRole, DtlsPair.ServerCertificate.Fingerprint, Now);
        }
    }
}
