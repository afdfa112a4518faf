using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;
using Agent.Rtc.Rtp;
using Agent.Rtc.Sdp;
using Agent.Rtc.Srtp;
using Agent.Rtc.Tests.Network;

namespace Agent.Rtc.Tests;

/// <summary>A <see cref="PeerSession"/> and its viewer on a simulated network, with a seeded H.264-shaped stream.</summary>
internal sealed class PeerSessionScenario : IDisposable
{
    internal const uint VideoSsrc = 0x11111111;
    internal const uint RtxSsrc = 0x22222222;
    internal const byte PayloadType = 102;
    internal const byte RtxPayloadType = 103;
    internal const int FrameTicks = 3000; // 30 frames per second of a 90 kHz clock.

    internal static readonly TimeSpan FrameInterval = TimeSpan.FromSeconds(1) / 30;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Random _random;
    private readonly H264Packetizer _packetizer = new(H264Packetizer.DefaultMaximumPayloadSize);
    private readonly int _seed;

    internal PeerSessionScenario(int seed, NetworkConditions? conditions = null)
    {
        _seed = seed;
        _random = new Random(seed);
        Network = new SimulatedNetwork(seed, conditions);
    }

    internal SimulatedNetwork Network { get; }

    internal SrtpProfile Profile { get; init; } = SrtpProfile.AeadAes128Gcm;

    internal DtlsRole AgentRole { get; init; } = DtlsRole.Server;

    internal bool ViewerRefuses { get; init; }

    internal bool ViewerIsSilent { get; init; }

    /// <summary>What the offer's candidate says; <c>null</c> for its literal address.</summary>
    internal string? CandidateName { get; init; }

    internal PeerSessionNode Agent { get; private set; } = null!;

    internal PeerSession Session => Agent.Session;

    internal PeerSessionViewer Viewer { get; private set; } = null!;

    internal PeerSessionFakeDtls AgentDtls { get; private set; } = null!;

    /// <summary>Packet payloads and relative timestamp of every frame written, in order.</summary>
    internal List<(uint Timestamp, byte[][] Payloads)> Written { get; } = [];

    /// <summary>Makes both sides, as after offer and answer; runs nothing.</summary>
    internal PeerSessionScenario Create()
    {
        var agentAddress = Address("192.0.2.1", 8443);
        var viewerAddress = Address("192.0.2.2", 50000);
        var random = new SeededRandomSource(_seed + 1);
        Viewer = new PeerSessionViewer(this, random, viewerAddress);
        var viewerCandidate = IceCandidate.CreateHost(viewerAddress, IcePriority.HighestLocalPreference);
        var agentCandidate = IceCandidate.CreateHost(agentAddress, IcePriority.HighestLocalPreference);
        var local = IceCredentials.Create(random);
        var signaled = new SignaledCandidate(
            IceCandidateType.Host, CandidateName ?? "192.0.2.2", viewerAddress.Port, viewerCandidate.Priority, viewerCandidate.Foundation);
        var negotiated = new NegotiatedSession(
            "", Viewer.Ice.LocalCredentials, RemoteIsIceLite: false, new DtlsFingerprint("sha-256", new byte[32]), AgentRole, [signaled],
            RemoteEndOfCandidates: true, "0", "0", PayloadType, RtxPayloadType, "42e01f", new RtpExtensionIds { Mid = 1 }, ReducedSizeRtcp: true);
        var options = new RtpVideoSenderOptions(VideoSsrc, RtxSsrc, PayloadType, RtxPayloadType, "cname", "0", new RtpExtensionIds { Mid = 1 }, ReducedSizeRtcp: true);
        AgentDtls = new PeerSessionFakeDtls(Profile);
        Agent = new PeerSessionNode(new PeerSession(negotiated, local, [agentCandidate], options, AgentDtls, random, Network.Now), agentAddress);
        Viewer.Ice.SetRemoteCredentials(local);
        Viewer.Ice.AddLocalCandidate(viewerCandidate, Network.Now);
        Viewer.Ice.AddRemoteCandidate(agentCandidate, Network.Now);
        Viewer.Ice.SetRemoteEndOfCandidates();
        Network.Add(Agent);
        Network.Add(Viewer);
        return this;
    }

    /// <summary>Makes both sides and runs until media can flow.</summary>
    internal PeerSessionScenario Connect()
    {
        Create();
        Assert.True(
            Network.RunUntil(() => Session.State == PeerState.Connected && Viewer.Dtls.State == DtlsState.Connected, Patience),
            $"seed {_seed}: {Session.State} {Session.CloseReason}");
        return this;
    }

    /// <summary>Writes so many frames at the frame rate, a keyframe first and then every 30th.</summary>
    internal void Stream(int frames, Action? perFrame = null)
    {
        for (var i = 0; i < frames; i++)
        {
            using var frame = CreateFrame(Written.Count % 30 == 0);
            Session.WriteFrame(frame.Value, Network.Now);
            Written.Add((frame.Value.RtpTimestamp, [.. Enumerable.Range(0, frame.Value.PacketCount).Select(p => frame.Value.GetPayload(p).ToArray())]));
            perFrame?.Invoke();
            Network.Run(FrameInterval);
        }
    }

    internal FrameLease CreateFrame(bool isKeyFrame)
    {
        var length = isKeyFrame ? _random.Next(10_000, 20_000) : _random.Next(200, 5_000);
        var accessUnit = new byte[length];
        _random.NextBytes(accessUnit);
        accessUnit[0] = (byte)(isKeyFrame ? 0x65 : 0x41); // nal_unit_type 5 (IDR) or 1 (ITU-T H.264 table 7-1)
        var timestamp = (uint)(Written.Count * FrameTicks);
        return new FrameLease(_packetizer.Packetize(accessUnit, [Range.All], isKeyFrame, timestamp, Network.Now));
    }

    /// <summary>Every packet of every frame written has arrived as it was, in order, with the marker on the last of each frame.</summary>
    internal void AssertEverythingArrived()
    {
        var expected = Written.SelectMany(f => f.Payloads.Select((p, i) => (f.Timestamp, Marker: i == f.Payloads.Length - 1, Payload: p))).ToArray();
        var received = Viewer.Packets.Values.ToArray();
        Assert.Equal(expected.Length, received.Length);
        var offset = received[0].Timestamp - expected[0].Timestamp;
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i].Payload, received[i].Payload);
            Assert.Equal(expected[i].Marker, received[i].Marker);
            Assert.Equal(expected[i].Timestamp + offset, received[i].Timestamp);
        }
    }

    public void Dispose() => Session.Dispose();

    internal static TransportAddress Address(string host, ushort port)
    {
        Assert.True(TransportAddress.TryParse(host, port, out var address));
        return address;
    }

    /// <summary>Releases the caller's reference at the end of a scope.</summary>
    internal readonly struct FrameLease(PacketizedFrame frame) : IDisposable
    {
        internal PacketizedFrame Value => frame;

        public void Dispose() => frame.Release();
    }
}

/// <summary>A <see cref="PeerSession"/> as a host of the simulated network.</summary>
internal sealed class PeerSessionNode(PeerSession session, TransportAddress address) : SimulatedNode(address)
{
    internal PeerSession Session => session;

    public override MonotonicTime NextTimeout => session.NextTimeout;

    internal List<PeerEvent> TakeEvents()
    {
        var events = new List<PeerEvent>();
        while (session.TryDequeueEvent(out var e))
            events.Add(e);
        return events;
    }

    public override void HandleTimeout(MonotonicTime now) => session.HandleTimeout(now);

    public override void HandleDatagram(Span<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now) =>
        session.HandleDatagram(datagram, local, remote, now);

    public override bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, out Transmit transmit) =>
        session.TryDequeueTransmit(buffer, now, DateTimeOffset.UnixEpoch + now.SinceZero, out transmit);
}
