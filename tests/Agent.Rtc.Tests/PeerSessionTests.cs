using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;
using Agent.Rtc.Srtp;
using Agent.Rtc.Tests.Network;

namespace Agent.Rtc.Tests;

public sealed class PeerSessionTests
{
    [Theory]
    [InlineData(DtlsRole.Server, SrtpProfile.AeadAes128Gcm)]
    [InlineData(DtlsRole.Client, SrtpProfile.AeadAes128Gcm)]
    [InlineData(DtlsRole.Server, SrtpProfile.AesCm128HmacSha1_80)]
    [InlineData(DtlsRole.Client, SrtpProfile.AesCm128HmacSha1_80)]
    public void Frames_arrive_byte_exact_in_both_roles_and_profiles(DtlsRole role, SrtpProfile profile)
    {
        using var scenario = new PeerSessionScenario(1) { AgentRole = role, Profile = profile }.Connect();
        Assert.Equal(
            [PeerState.Securing, PeerState.Connected],
            scenario.Agent.TakeEvents().Where(e => e.Kind == PeerEventKind.StateChanged).Select(e => e.State));

        scenario.Stream(60);
        scenario.Network.Run(TimeSpan.FromSeconds(1));

        scenario.AssertEverythingArrived();
        Assert.True(scenario.Viewer.SenderReports > 0);
        Assert.Equal(0, scenario.Viewer.Undecryptable);
        var status = scenario.Session.GetStatus();
        Assert.Equal(PeerState.Connected, status.State);
        Assert.Equal(60, status.Video.FramesSent);
        Assert.Equal(0, status.DatagramsDropped);
        Assert.Equal(profile == SrtpProfile.AeadAes128Gcm ? "AEAD_AES_128_GCM" : "AES_CM_128_HMAC_SHA1_80", status.SrtpProfile);
        Assert.Equal("DTLSv1.2", status.DtlsVersion);
        Assert.Equal(scenario.Viewer.Addresses[0], status.SelectedPair!.Remote);
    }

    [Theory]
    [InlineData(0.02)]
    [InlineData(0.1)]
    public void Lost_packets_are_asked_for_and_arrive_by_rtx(double loss)
    {
        for (var seed = 0; seed < 5; seed++)
        {
            var conditions = new NetworkConditions { Loss = loss, Duplication = 0.02, Reordering = 0.02, Jitter = TimeSpan.FromMilliseconds(5) };
            using var scenario = new PeerSessionScenario(seed, conditions).Connect();
            scenario.Stream(60);

            // A gap shows only when something comes after it.
            scenario.Network.Conditions = conditions with { Loss = 0 };
            scenario.Stream(1);
            scenario.Network.Run(TimeSpan.FromMilliseconds(500));

            scenario.AssertEverythingArrived();
            Assert.Contains(scenario.Viewer.Packets.Values, p => p.IsRetransmission);
            var video = scenario.Session.GetStatus().Video;
            Assert.True(video.PacketsRetransmitted > 0 && video.NacksReceived > 0);
        }
    }

    [Fact]
    public void Requests_for_a_keyframe_become_one_event()
    {
        using var scenario = new PeerSessionScenario(3).Connect();
        Assert.Single(scenario.Agent.TakeEvents(), new PeerEvent(PeerEventKind.KeyFrameNeeded, PeerState.Connected));
        scenario.Stream(10);
        scenario.Agent.TakeEvents();

        scenario.Viewer.SendPli();
        scenario.Viewer.SendPli();
        scenario.Network.Run(TimeSpan.FromMilliseconds(100));
        Assert.Equal([new PeerEvent(PeerEventKind.KeyFrameNeeded, PeerState.Connected)], scenario.Agent.TakeEvents());
        Assert.Empty(scenario.Agent.TakeEvents());
    }

    [Fact]
    public void Frames_before_the_connection_are_dropped_and_counted()
    {
        using var scenario = new PeerSessionScenario(4).Create();
        using var frame = scenario.CreateFrame(isKeyFrame: true);
        scenario.Session.WriteFrame(frame.Value, scenario.Network.Now);
        Assert.Equal(1, scenario.Session.GetStatus().Video.FramesDropped);
    }

    [Fact]
    public void A_client_hello_is_taken_before_nomination_but_only_from_a_proven_address()
    {
        using var scenario = new PeerSessionScenario(5).Create();
        var (session, network) = (scenario.Session, scenario.Network);
        var (agent, viewer) = (scenario.Agent.Addresses[0], scenario.Viewer.Addresses[0]);
        session.HandleDatagram(PeerSessionFakeDtls.ClientHello, agent, viewer, network.Now);
        Assert.Equal(1, session.GetStatus().DatagramsDropped);
        Assert.Equal(DtlsState.Handshaking, scenario.AgentDtls.State);

        // The viewer's first check has arrived and proves its address; nothing is nominated yet.
        Assert.True(network.RunUntil(() => network.Delivered > 0, TimeSpan.FromSeconds(1)));
        Assert.Equal(PeerState.Connecting, session.State);
        session.HandleDatagram(PeerSessionFakeDtls.ClientHello, agent, PeerSessionScenario.Address("198.51.100.9", 50000), network.Now);
        Assert.Equal(2, session.GetStatus().DatagramsDropped);
        Assert.Equal(DtlsState.Handshaking, scenario.AgentDtls.State);

        session.HandleDatagram(PeerSessionFakeDtls.ClientHello, agent, viewer, network.Now);
        Assert.Equal(2, session.GetStatus().DatagramsDropped);
        Assert.Equal(DtlsState.Connected, scenario.AgentDtls.State);
        Assert.Equal(PeerState.Connecting, session.State);
        Assert.True(network.RunUntil(() => session.State == PeerState.Connected, TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public void A_candidate_with_a_name_waits_until_it_is_added_with_its_address()
    {
        using var scenario = new PeerSessionScenario(6) { CandidateName = "1f4e0c5e-0d0c-4c53-8f0e-6a3f5d9c1b7a.local" };
        scenario.Network.Blocks = (from, _, _) => from == scenario.Viewer.Addresses[0] && scenario.Session.GetStatus().Pairs.Count == 0;
        scenario.Create();
        scenario.Network.Run(TimeSpan.FromSeconds(2));
        Assert.Empty(scenario.Session.GetStatus().Pairs);

        scenario.Session.AddRemoteCandidate(
            IceCandidate.CreateHost(scenario.Viewer.Addresses[0], IcePriority.HighestLocalPreference), scenario.Network.Now);
        scenario.Session.SetRemoteEndOfCandidates();
        Assert.True(scenario.Network.RunUntil(() => scenario.Session.State == PeerState.Connected, TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public void An_ice_restart_keeps_the_media_flowing()
    {
        using var scenario = new PeerSessionScenario(7).Connect();
        scenario.Stream(10);
        var random = new SeededRandomSource(77);
        var (local, remote) = (IceCredentials.Create(random), IceCredentials.Create(random));
        scenario.Session.RestartIce(local, remote, scenario.Network.Now);
        scenario.Viewer.Ice.Restart(remote, local, scenario.Network.Now);
        Assert.Equal(local.Ufrag, scenario.Session.LocalUfrag);
        scenario.Session.AddRemoteCandidate(
            IceCandidate.CreateHost(scenario.Viewer.Addresses[0], IcePriority.HighestLocalPreference), scenario.Network.Now);
        scenario.Viewer.Ice.AddRemoteCandidate(
            IceCandidate.CreateHost(scenario.Agent.Addresses[0], IcePriority.HighestLocalPreference), scenario.Network.Now);

        scenario.Stream(1200); // Longer than the old path's consent lasts.
        scenario.Network.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(PeerState.Connected, scenario.Session.State);
        scenario.AssertEverythingArrived();
    }

    [Fact]
    public void A_path_to_another_address_begins_with_an_idr()
    {
        using var scenario = new PeerSessionScenario(9).Connect();
        scenario.Stream(10);
        scenario.Agent.TakeEvents();
        var (network, random) = (scenario.Network, new SeededRandomSource(78));
        var old = scenario.Viewer.Addresses[0];
        var moved = PeerSessionScenario.Address("198.51.100.7", 50001);
        scenario.Viewer.Addresses.Add(moved);
        network.Blocks = (from, to, _) => from == old || to == old;
        network.Run(TimeSpan.FromSeconds(1));
        Assert.Empty(scenario.Agent.TakeEvents());

        var (local, remote) = (IceCredentials.Create(random), IceCredentials.Create(random));
        scenario.Session.RestartIce(local, remote, network.Now);
        scenario.Viewer.Ice.Restart(remote, local, network.Now);
        scenario.Viewer.Ice.AddLocalCandidate(IceCandidate.CreateHost(moved), network.Now);
        scenario.Viewer.Ice.AddRemoteCandidate(
            IceCandidate.CreateHost(scenario.Agent.Addresses[0], IcePriority.HighestLocalPreference), network.Now);
        Assert.True(network.RunUntil(() => scenario.Session.GetStatus().SelectedPair?.Remote == moved, TimeSpan.FromSeconds(5)));
        Assert.Equal([new PeerEvent(PeerEventKind.KeyFrameNeeded, PeerState.Connected)], scenario.Agent.TakeEvents());
        network.Run(TimeSpan.FromSeconds(1));
        Assert.Empty(scenario.Agent.TakeEvents());
    }

    [Fact]
    public void Steady_state_allocates_nothing()
    {
        using var scenario = new PeerSessionScenario(8).Connect();
        scenario.Stream(30);
        var session = scenario.Session;
        var (agent, viewer) = (scenario.Agent.Addresses[0], scenario.Viewer.Addresses[0]);
        using var keyFrame = scenario.CreateFrame(isKeyFrame: true);
        using var frame = scenario.CreateFrame(isKeyFrame: false);
        var place = scenario.Viewer.Packets.Count - 1;
        var nacks = Enumerable.Range(0, 500).Select(i => scenario.Viewer.CreateNack(scenario.Viewer.SequenceAt(place - i % 4))).ToArray();
        var buffer = new byte[1500];
        var now = scenario.Network.Now;
        var packets = 0;
        Iterate(0, 100);
        packets = 0;

        var before = GC.GetAllocatedBytesForCurrentThread();
        Iterate(100, 400);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(packets > 400, $"only {packets} packets");
        Assert.True(session.GetStatus().Video.PacketsRetransmitted > 0);

        // Without consent from the viewer, which is not driven here, the session lasts 30 s: 500 frames are fewer.
        void Iterate(int first, int count)
        {
            for (var i = first; i < first + count; i++)
            {
                now += PeerSessionScenario.FrameInterval;
                session.HandleTimeout(now);
                session.WriteFrame(i % 30 == 0 ? keyFrame.Value : frame.Value, now);
                session.HandleDatagram(nacks[i], agent, viewer, now);
                while (session.TryDequeueTransmit(buffer, now, DateTimeOffset.UnixEpoch, out _))
                    packets++;
                while (session.TryDequeueEvent(out _))
                {
                }
            }
        }
    }
}
