using Agent.Rtc.Dtls;

namespace Agent.Rtc.Tests;

public sealed class PeerSessionCloseTests
{
    [Fact]
    public void Close_says_bye_and_then_close_notify_to_the_viewer()
    {
        using var scenario = new PeerSessionScenario(1).Connect();
        scenario.Stream(5);
        scenario.Agent.TakeEvents();
        scenario.Session.Close("The camera was switched off.", scenario.Network.Now);
        scenario.Session.Close("A second reason changes nothing.", scenario.Network.Now);
        scenario.Network.Run(TimeSpan.FromMilliseconds(100));

        Assert.True(scenario.Viewer.SawBye);
        Assert.True(scenario.Viewer.SawByeBeforeCloseNotify);
        Assert.Equal(DtlsState.Closed, scenario.Viewer.Dtls.State);
        Assert.Equal("The camera was switched off.", scenario.Session.CloseReason);
        Assert.Equal(MonotonicTime.Never, scenario.Session.NextTimeout);
        Assert.Single(scenario.Agent.TakeEvents(), new PeerEvent(PeerEventKind.StateChanged, PeerState.Closed));
    }

    [Fact]
    public void Bye_of_the_viewer_closes_the_session() => AssertCloses("BYE", scenario => scenario.Viewer.SendBye());

    [Fact]
    public void Close_notify_of_the_viewer_closes_the_session() => AssertCloses("close_notify", scenario => scenario.Viewer.Dtls.Close());

    [Fact]
    public void A_viewer_that_falls_silent_loses_its_session_when_consent_lapses_and_nothing_more_is_sent()
    {
        using var scenario = new PeerSessionScenario(2).Connect();
        scenario.Network.Blocks = static (_, _, _) => true;
        Assert.True(scenario.Network.RunUntil(() => scenario.Session.State == PeerState.Closed, TimeSpan.FromSeconds(40)));
        Assert.Contains("consent", scenario.Session.CloseReason, StringComparison.OrdinalIgnoreCase);
        Assert.False(scenario.Session.TryDequeueTransmit(new byte[1500], scenario.Network.Now, DateTimeOffset.UnixEpoch, out _));
    }

    [Fact]
    public void A_viewer_that_refuses_the_certificate_closes_the_session_with_the_reason()
    {
        using var scenario = new PeerSessionScenario(3) { AgentRole = DtlsRole.Client, ViewerRefuses = true }.Create();
        Assert.True(scenario.Network.RunUntil(() => scenario.Session.State == PeerState.Closed, TimeSpan.FromSeconds(10)));
        Assert.Contains("bad certificate", scenario.Session.CloseReason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_handshake_that_never_ends_is_given_up()
    {
        using var scenario = new PeerSessionScenario(4) { AgentRole = DtlsRole.Client, ViewerIsSilent = true }.Create();
        Assert.True(scenario.Network.RunUntil(() => scenario.Session.State == PeerState.Securing, TimeSpan.FromSeconds(10)));
        var start = scenario.Network.Now;
        Assert.True(scenario.Network.RunUntil(() => scenario.Session.State == PeerState.Closed, TimeSpan.FromSeconds(60)));
        Assert.Equal(PeerSession.HandshakeTimeout, scenario.Network.Now - start);
        Assert.Contains("handshake within 30 s", scenario.Session.CloseReason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_viewer_that_is_never_heard_of_does_not_hold_its_session()
    {
        using var scenario = new PeerSessionScenario(5).Create();
        scenario.Network.Blocks = static (_, _, _) => true;
        Assert.True(scenario.Network.RunUntil(() => scenario.Session.State == PeerState.Closed, TimeSpan.FromSeconds(61)));
        Assert.StartsWith("ICE failed: ", scenario.Session.CloseReason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_closed_session_ignores_everything()
    {
        using var scenario = new PeerSessionScenario(6).Connect();
        var (session, now) = (scenario.Session, scenario.Network.Now);
        session.Close("Over.", now);
        session.Dispose();
        session.Dispose();
        Assert.True(scenario.AgentDtls.IsDisposed);

        using var frame = scenario.CreateFrame(isKeyFrame: true);
        session.WriteFrame(frame.Value, now);
        session.HandleDatagram(new byte[100], default, default, now);
        session.HandleTimeout(now);
        session.SetRemoteEndOfCandidates();
        Assert.Equal(PeerState.Closed, session.GetStatus().State);
        Assert.Equal("Over.", session.CloseReason);
    }

    private static void AssertCloses(string reason, Action<PeerSessionScenario> act)
    {
        using var scenario = new PeerSessionScenario(7).Connect();
        scenario.Stream(5);
        act(scenario);
        Assert.True(scenario.Network.RunUntil(() => scenario.Session.State == PeerState.Closed, TimeSpan.FromSeconds(1)));
        Assert.Contains(reason, scenario.Session.CloseReason, StringComparison.Ordinal);
    }
}
