using System.Collections.Concurrent;
using System.Net;
using Agent.Rtc;
using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;
using Agent.Rtc.Sdp;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Transport.Tests;

public sealed class ViewerRegistryTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly TestCamera _camera = new();
    private readonly ConcurrentQueue<IdleDtlsEndpoint> _endpoints = [];
    private readonly BlockingCollection<(string Id, string Reason)> _closed = [];
    private readonly ConcurrentQueue<string> _namesAsked = [];
    private readonly ViewerRegistry _registry;
    private IPAddress? _resolved = IPAddress.Parse("192.0.2.200");

    public ViewerRegistryTests()
    {
        var options = new TransportOptions { UdpPort = 0, ListenAddresses = [IPAddress.Loopback], MaximumViewers = 3 };
        _registry = new ViewerRegistry(
            options, _camera.Hubs,
            () =>
            {
                var endpoint = new IdleDtlsEndpoint();
                _endpoints.Enqueue(endpoint);
                return endpoint;
            },
            TestOffer.Fingerprint, SystemRandomSource.Instance, NullLoggerFactory.Instance,
            name =>
            {
                _namesAsked.Enqueue(name);
                return Task.FromResult<IPAddress?>(_resolved);
            });
        _registry.ViewerClosed += (id, reason) => _closed.Add((id, reason));
    }

    public void Dispose()
    {
        _registry.Dispose();
        _closed.Dispose();
    }

    [Fact]
    public async Task A_loop_that_does_not_take_its_turn_is_seen()
    {
        Assert.True(await _registry.CheckProgressAsync());
        using var hang = new ManualResetEventSlim();
        Assert.True(_registry.Loop.TryInvoke(() => hang.Wait(Patience), out var hanging));
        Assert.False(await _registry.CheckProgressAsync());
        hang.Set();
        Assert.True(await hanging);
        Assert.True(await _registry.CheckProgressAsync());
    }

    [Fact]
    public async Task An_offer_is_answered_with_an_unguessable_id_an_etag_and_this_hosts_candidate()
    {
        var first = await OpenAsync();
        var second = await OpenAsync();
        Assert.Null(first.Error);
        Assert.Equal(24, first.SessionId.Length); // 144 bits in base64url
        Assert.Matches("^[A-Za-z0-9_-]+$", first.SessionId);
        Assert.NotEqual(first.SessionId, second.SessionId);
        Assert.NotEqual(first.ETag, second.ETag);
        Assert.Contains($" 127.0.0.1 {_registry.UdpPort} typ host", first.Answer, StringComparison.Ordinal);
        Assert.Equal(first.ETag, await _registry.GetETagAsync(first.SessionId, default));
        Assert.Null(await _registry.GetETagAsync("unknown", default));

        var viewers = await _registry.GetViewersAsync(default);
        Assert.Equal([first.SessionId, second.SessionId], viewers.Select(one => one.SessionId));
        Assert.All(viewers, one => Assert.Equal((TestCamera.Name, "test", "a test", PeerState.Connecting), (one.Camera, one.Via, one.Client, one.Peer.State)));
        Assert.Equal((2, 2), (_registry.GetStatus().Viewers, _registry.GetStatus().ViewersTotal));
        Assert.Equal([$"127.0.0.1:{_registry.UdpPort}"], _registry.GetStatus().ListenAddresses);
    }

    [Fact]
    public async Task A_session_that_has_not_connected_does_not_make_the_camera_encode()
    {
        var session = await OpenAsync();
        Assert.Equal(0, _camera.Hub.SubscriberCount);
        await CloseAsync(session.SessionId);
        Assert.Equal(0, _camera.Hub.SubscriberCount);
    }

    [Fact]
    public async Task Refusals_say_which_cameras_there_are_and_when_to_come_again()
    {
        var unknown = await _registry.OpenAsync(new ViewerOffer("nowhere", TestOffer.Write(), "test", "a test"), default);
        Assert.Equal(ViewerErrorKind.UnknownCamera, unknown.Error!.Kind);
        Assert.EndsWith("this agent has: main.", unknown.Error.Message, StringComparison.Ordinal);

        var malformed = await _registry.OpenAsync(new ViewerOffer(TestCamera.Name, "no SDP"u8.ToArray(), "test", "a test"), default);
        Assert.Equal(ViewerErrorKind.Malformed, malformed.Error!.Kind);

        _camera.Hub.NoteStopped();
        var stopped = await OpenAsync();
        Assert.Equal(ViewerErrorKind.NotProducing, stopped.Error!.Kind);
        Assert.NotNull(stopped.Error.RetryAfter);
        Assert.Equal(0, _registry.GetStatus().ViewersTotal);
    }

    [Fact]
    public async Task The_cap_refuses_and_a_closed_or_refused_viewer_frees_its_place()
    {
        for (var i = 0; i < 5; i++)
            await _registry.OpenAsync(new ViewerOffer(TestCamera.Name, "no SDP"u8.ToArray(), "test", "a test"), default);
        var viewers = new[] { await OpenAsync(), await OpenAsync(), await OpenAsync() };
        Assert.All(viewers, one => Assert.Null(one.Error));

        var refused = await OpenAsync();
        Assert.Equal(ViewerErrorKind.Busy, refused.Error!.Kind);
        Assert.NotNull(refused.Error.RetryAfter);

        await CloseAsync(viewers[1].SessionId);
        Assert.Null((await OpenAsync()).Error);
    }

    [Fact]
    public async Task A_full_command_queue_answers_busy_at_once_and_is_counted()
    {
        var opened = await OpenAsync();
        using var gate = new ManualResetEventSlim();
        using var blocked = new ManualResetEventSlim();
        Assert.True(_registry.Loop.TryInvoke(() => { blocked.Set(); gate.Wait(); return 0; }, out _));
        blocked.Wait(Patience);
        for (var i = 0; i < MediaLoop.CommandCapacity; i++)
            Assert.True(_registry.Loop.TryInvoke(() => 0, out _));

        var answer = await OpenAsync();
        Assert.Equal(ViewerErrorKind.Busy, answer.Error!.Kind);
        var trickled = await _registry.TrickleAsync(opened.SessionId, new TrickleFragment(null, [], false), default);
        Assert.Equal(ViewerErrorKind.Busy, trickled!.Kind);
        Assert.Equal(2, _registry.GetStatus().CommandsDropped);
        Assert.True(_endpoints.Last().IsDisposed, "the association of the refused viewer");

        var closing = _registry.CloseAsync(opened.SessionId, "the test says so", default); // waits for room
        gate.Set();
        Assert.True(await closing);
        Assert.Null((await OpenAsync()).Error);
    }

    [Fact]
    public async Task Closing_raises_the_event_away_from_the_loop_with_the_reason()
    {
        var opened = await OpenAsync();
        string? thread = null;
        _registry.ViewerClosed += (_, _) => thread = Thread.CurrentThread.Name;
        await CloseAsync(opened.SessionId);
        Assert.NotEqual("media-loop", thread);
        Assert.False(await _registry.CloseAsync(opened.SessionId, "again", default));
        Assert.True(_endpoints.Single().IsDisposed);
    }

    [Fact]
    public async Task A_session_that_throws_is_closed_and_counted_and_the_others_stay()
    {
        var doomed = await OpenAsync();
        var other = await OpenAsync();
        _endpoints.First().IsBroken = true;
        var trickled = await _registry.TrickleAsync(doomed.SessionId, Candidate("192.0.2.9"), default);
        Assert.Null(trickled);
        Assert.True(_closed.TryTake(out var closed, Patience));
        Assert.Equal((doomed.SessionId, "internal error: a bug"), closed);
        Assert.Equal(other.SessionId, Assert.Single(await _registry.GetViewersAsync(default)).SessionId);
        Assert.Equal(1, _registry.GetStatus().SessionFaults);
    }

    [Fact]
    public async Task Trickled_candidates_of_another_ice_generation_and_unknown_sessions_change_nothing()
    {
        var opened = await OpenAsync();
        var stale = Candidate("192.0.2.9") with { Ice = new IceCredentials("older", "older-password-older-password") };
        Assert.Null(await _registry.TrickleAsync(opened.SessionId, stale, default));
        Assert.Empty((await _registry.GetViewersAsync(default)).Single().Peer.Pairs);
        Assert.Null(await _registry.TrickleAsync(opened.SessionId, Candidate("192.0.2.10") with { Ice = TestOffer.Ice }, default));
        Assert.Equal("192.0.2.10:5000", (await _registry.GetViewersAsync(default)).Single().Peer.Pairs.Single().Remote.ToString());
        Assert.Equal(ViewerErrorKind.UnknownSession, (await _registry.TrickleAsync("unknown", stale, default))!.Kind);
    }

    [Fact]
    public async Task Mdns_names_become_pairs_once_resolved_and_public_names_are_not_looked_up()
    {
        var offer = TestOffer.Write(null, null, "candidate:1 1 udp 2113937151 5c7b0b3e-aaaa-bbbb-cccc-000000000001.local 5001 typ host");
        var opened = await _registry.OpenAsync(new ViewerOffer(TestCamera.Name, offer, "test", "a test"), default);
        Assert.Null(opened.Error);
        await _registry.TrickleAsync(opened.SessionId, Candidate("attacker.example.com"), default);
        await WaitForAsync(async () => (await _registry.GetViewersAsync(default)).Single().Peer.Pairs.Count == 1);
        Assert.Equal("192.0.2.200:5001", (await _registry.GetViewersAsync(default)).Single().Peer.Pairs.Single().Remote.ToString());
        Assert.Equal(["5c7b0b3e-aaaa-bbbb-cccc-000000000001.local"], _namesAsked);
        Assert.Equal(1, _registry.GetStatus().NamesUnresolved);

        _resolved = null;
        await _registry.TrickleAsync(opened.SessionId, Candidate("silent.local"), default);
        await WaitForAsync(() => Task.FromResult(_registry.GetStatus().NamesUnresolved == 2));
    }

    [Fact]
    public async Task One_viewer_may_have_only_so_many_names_asked_for_at_once()
    {
        const int tooMany = 3;
        var names = Enumerable.Range(0, CandidateResolver.MaximumNamesPerViewer + tooMany);
        var offer = TestOffer.Write(null, null, [.. names.Select(i => $"candidate:1 1 udp 2113937151 name-{i}.local 5001 typ host")]);
        Assert.Null((await _registry.OpenAsync(new ViewerOffer(TestCamera.Name, offer, "test", "a test"), default)).Error);
        await WaitForAsync(() => Task.FromResult(_namesAsked.Count >= CandidateResolver.MaximumNamesPerViewer));
        Assert.Equal(CandidateResolver.MaximumNamesPerViewer, _namesAsked.Count);
        Assert.Equal(tooMany, _registry.GetStatus().NamesUnresolved);
    }

    [Fact]
    public async Task An_ice_restart_gives_new_credentials_and_a_new_etag_and_a_bad_one_keeps_the_old()
    {
        var opened = await OpenAsync();
        var noCredentials = await _registry.RestartIceAsync(opened.SessionId, Candidate("192.0.2.9"), default);
        Assert.Equal(ViewerErrorKind.Malformed, noCredentials.Error!.Kind);
        var sameCredentials = await _registry.RestartIceAsync(opened.SessionId, new TrickleFragment(TestOffer.Ice, [], false), default);
        Assert.Equal(ViewerErrorKind.Malformed, sameCredentials.Error!.Kind);
        Assert.Equal(opened.ETag, await _registry.GetETagAsync(opened.SessionId, default));

        var fresh = new TrickleFragment(new IceCredentials("fresh", "fresh-password-fresh-password"), [], false);
        var restarted = await _registry.RestartIceAsync(opened.SessionId, fresh, default);
        Assert.Null(restarted.Error);
        Assert.NotEqual(opened.ETag, restarted.ETag);
        Assert.Equal(restarted.ETag, await _registry.GetETagAsync(opened.SessionId, default));
        Assert.True(SdpNegotiation.TryParseTrickleFragment(System.Text.Encoding.UTF8.GetBytes(restarted.SdpFragment), out var parsed, out _));
        Assert.DoesNotContain(parsed!.Ice!.Ufrag, opened.Answer, StringComparison.Ordinal);
        Assert.Equal(_registry.UdpPort, Assert.Single(parsed.Candidates).Port); // the passive TCP one is for active peers only
        Assert.Equal(ViewerErrorKind.UnknownSession, (await _registry.RestartIceAsync("unknown", fresh, default)).Error!.Kind);
    }

    [Fact]
    public async Task An_offer_of_the_same_session_restarts_ice_and_any_other_does_not()
    {
        var opened = await OpenAsync();
        var fresh = new IceCredentials("fresh", "freshpasswordfreshpassword");

        Assert.Null(await _registry.RestartIceAsync("unknown", TestOffer.Write(fresh), default));
        Assert.Null(await _registry.RestartIceAsync(opened.SessionId, TestOffer.Write(), default)); // the same credentials
        Assert.Null(await _registry.RestartIceAsync(opened.SessionId, TestOffer.Write(fresh, new DtlsFingerprint("sha-256", new byte[32].Select(_ => (byte)1).ToArray())), default));
        Assert.Null(await _registry.RestartIceAsync(opened.SessionId, "v=0\r\n"u8.ToArray(), default));
        Assert.Equal(opened.ETag, await _registry.GetETagAsync(opened.SessionId, default));

        var restarted = await _registry.RestartIceAsync(opened.SessionId, TestOffer.Write(fresh), default);
        Assert.Equal(opened.SessionId, restarted!.SessionId);
        Assert.Equal(restarted.ETag, await _registry.GetETagAsync(opened.SessionId, default));
        var without = new System.Text.RegularExpressions.Regex("a=ice-(ufrag|pwd):.*\r\n");
        Assert.Equal(without.Replace(opened.Answer, ""), without.Replace(restarted.Answer, ""));
        Assert.NotEqual(opened.Answer, restarted.Answer);
        Assert.Equal(1, _registry.GetStatus().Viewers);
    }

    [Fact]
    public async Task After_disposal_every_viewer_is_closed_and_callers_are_told()
    {
        var opened = await OpenAsync();
        _registry.Dispose();
        Assert.True(_closed.TryTake(out var closed, Patience));
        Assert.Equal((opened.SessionId, "the agent is shutting down"), closed);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await OpenAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await _registry.GetViewersAsync(default));
        Assert.All(_endpoints, one => Assert.True(one.IsDisposed));
    }

    private static TrickleFragment Candidate(string host) =>
        new(null, [new SignaledCandidate(IceCandidateType.Host, host, 5000, 2113937151, "1")], false);

    private static async Task WaitForAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!await condition())
            await Task.Delay(10, limit.Token);
    }

    private ValueTask<ViewerAnswer> OpenAsync() =>
        _registry.OpenAsync(new ViewerOffer(TestCamera.Name, TestOffer.Write(), "test", "a test"), default);

    private async Task CloseAsync(string id)
    {
        Assert.True(await _registry.CloseAsync(id, "the test says so", default));
        Assert.True(_closed.TryTake(out var closed, Patience));
        Assert.Equal((id, "the test says so"), closed);
    }
}
