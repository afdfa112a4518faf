using Agent.Rtc.Ice;

namespace Agent.Rtc.Tests.Ice;

/// <summary>The agent's own addresses come and go while a viewer watches.</summary>
public sealed class IceAgentAddressChangeTests
{
    private static readonly TransportAddress Viewer = IceNode.Parse("192.0.2.1:1000");
    private static readonly TransportAddress Second = IceNode.Parse("192.0.2.3:2000");

    private readonly ScriptedPeer _peer = new(IceRole.Controlled, "192.0.2.2:2000");

    public IceAgentAddressChangeTests()
    {
        _peer.Agent.AddRemoteCandidate(IceCandidate.CreateHost(Viewer), _peer.Now);
        _peer.Check(Viewer, 2_000_000, useCandidate: true);
        _peer.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(Viewer, _peer.SelectedRemote);
    }

    private TransportAddress SelectedLocal => _peer.Agent.TryGetSelectedPath(out var local, out _) ? local : default;

    [Fact]
    public void A_new_address_is_checked_at_once_so_that_the_viewer_knows_of_it_and_media_stays_where_it_is()
    {
        var checks = _peer.ChecksSeen;
        _peer.Agent.AddLocalCandidate(IceCandidate.CreateHost(Second), _peer.Now);
        _peer.RunFor(TimeSpan.FromMilliseconds(100));

        Assert.Equal(checks + 1, _peer.ChecksSeen);
        Assert.Equal("Succeeded", Assert.Single(_peer.Agent.GetPairs(), pair => pair.Local == Second).State);
        Assert.Equal(_peer.AgentAddress, SelectedLocal);
    }

    [Fact]
    public void When_the_address_in_use_goes_its_pair_fails_at_once_and_media_moves_to_another_within_a_check()
    {
        _peer.Agent.AddLocalCandidate(IceCandidate.CreateHost(Second), _peer.Now);
        _peer.RunFor(TimeSpan.FromMilliseconds(100));
        _peer.Agent.RemoveLocalCandidate(_peer.AgentAddress, _peer.Now);
        var lost = Assert.Single(_peer.Agent.GetPairs(), pair => pair.Local == _peer.AgentAddress);
        Assert.Equal("Failed", lost.State);
        Assert.Contains("address", lost.FailureReason, StringComparison.Ordinal);

        _peer.RunFor(TimeSpan.FromMilliseconds(100));
        Assert.Equal(Second, SelectedLocal);
        Assert.Equal(IceConnectionState.Connected, _peer.Agent.State);
    }

    [Fact]
    public void An_address_that_replaces_the_one_in_use_takes_over_whichever_change_comes_first()
    {
        _peer.Agent.RemoveLocalCandidate(_peer.AgentAddress, _peer.Now);
        Assert.True(SelectedLocal.IsNone);
        _peer.RunFor(TimeSpan.FromSeconds(3));
        _peer.Agent.AddLocalCandidate(IceCandidate.CreateHost(Second), _peer.Now);
        _peer.RunFor(TimeSpan.FromMilliseconds(100));
        Assert.Equal(Second, SelectedLocal);
    }

    [Fact]
    public void An_address_that_comes_back_is_used_again()
    {
        _peer.Agent.RemoveLocalCandidate(_peer.AgentAddress, _peer.Now);
        _peer.RunFor(TimeSpan.FromSeconds(3));
        _peer.Agent.AddLocalCandidate(IceCandidate.CreateHost(_peer.AgentAddress), _peer.Now);
        _peer.RunFor(TimeSpan.FromMilliseconds(100));
        Assert.Equal(_peer.AgentAddress, SelectedLocal);

        // The viewer nominates what it sees working; then consent is kept on that.
        _peer.Check(Viewer, 2_000_000, useCandidate: true);
        _peer.RunFor(TimeSpan.FromMinutes(2));
        Assert.Equal(_peer.AgentAddress, SelectedLocal);
    }

    [Fact]
    public void Without_any_address_the_session_ends_when_consent_would_have()
    {
        _peer.Agent.RemoveLocalCandidate(_peer.AgentAddress, _peer.Now);
        _peer.RunFor(TimeSpan.FromSeconds(20));
        Assert.Equal(IceConnectionState.Connected, _peer.Agent.State);
        _peer.RunFor(TimeSpan.FromSeconds(15));
        Assert.Equal(IceConnectionState.Failed, _peer.Agent.State);
        Assert.Contains("address", _peer.Agent.FailureReason, StringComparison.Ordinal);
    }

    /// <summary>Addresses of a laptop that roams for a day: nothing is left behind.</summary>
    [Fact]
    public void Many_changes_leave_a_bounded_number_of_pairs()
    {
        for (var i = 0; i < 300; i++)
        {
            var address = IceNode.Parse($"198.51.100.{1 + (i % 250)}:2000");
            _peer.Agent.AddLocalCandidate(IceCandidate.CreateHost(address), _peer.Now);
            _peer.RunFor(TimeSpan.FromMilliseconds(200));
            _peer.Agent.RemoveLocalCandidate(address, _peer.Now);
        }

        Assert.InRange(_peer.Agent.GetPairs().Count, 1, IceLimits.MaximumPairs + 1);
        Assert.Equal(_peer.AgentAddress, SelectedLocal);
    }
}
