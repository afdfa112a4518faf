using System.Net;
using System.Net.Sockets;
using Agent.Rtc;
using Agent.Rtc.Ice;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Transport.Tests;

/// <summary>The agent and a real coturn; viewers that can reach the agent through it only.</summary>
public sealed class TurnRelayTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TestCamera _camera = new();
    private readonly Coturn _coturn = new(nonceSeconds: 1);
    private readonly Coturn _lasting = new(nonceSeconds: 600);
    private ViewerRegistry? _registry;

    public async ValueTask DisposeAsync()
    {
        _registry?.Dispose();
        await _coturn.DisposeAsync();
        await _lasting.DisposeAsync();
    }

    [Theory]
    [InlineData("turn:127.0.0.1:{0}?transport=udp")]
    [InlineData("turn:127.0.0.1:{0}?transport=tcp")]
    [InlineData("turns:localhost:{1}")]
    [InlineData("turns:127.0.0.1:{1}?transport=tcp")]
    [InlineData("turn:127.0.0.1:9?transport=udp turn:127.0.0.1:9?transport=tcp turns:localhost:{1}")] // nothing answers at the discard port
    public async Task A_viewer_behind_a_firewall_gets_pictures_through_the_relay(string url)
    {
        await _coturn.StartAsync();
        Open(url);
        await ReadyAsync();
        using var viewer = await OpenViewerAsync(relayOnly: true);
        Assert.Matches(@"a=candidate:\d+ 1 udp \d+ 127\.0\.0\.1 \d+ typ relay raddr 0\.0\.0\.0 rport 9\r\n", viewer.Answer.Answer);
        await PublishUntilAsync(() => viewer.AccessUnits.Count >= 100);

        var pair = Assert.Single(await _registry!.GetViewersAsync(default)).Peer.SelectedPair!;
        Assert.Equal(IceCandidateType.Relayed, pair.LocalType);
        var status = _registry.GetStatus();
        Assert.True(status.RelayedSent > 100 && status.RelayedReceived > 3, $"{status.RelayedSent} {status.RelayedReceived}");
        Assert.Equal(0, status.RelayedDropped);
        Assert.Equal(pair.Local, Assert.Single(status.IceServers[^1].RelayedAddresses));
        await WaitForAsync(() => _coturn.Output.Contains("CHANNEL_BIND processed, success", StringComparison.Ordinal));

        // The nonces were stale after a second and the allocation's life is 8 s; nobody notices.
        await PublishUntilAsync(() => _coturn.Output.Contains("REFRESH processed, success", StringComparison.Ordinal));
        Assert.Contains("error 438", _coturn.Output);
    }

    [Fact]
    public async Task A_stun_server_tells_the_mapped_address_and_without_a_nat_that_is_no_further_candidate()
    {
        await _coturn.StartAsync();
        Open("stun:localhost:{0}");
        var server = await ReadyAsync();
        Assert.Equal(TransportAddress.From(IPAddress.Loopback, _registry!.UdpPort), Assert.Single(server.MappedAddresses));
        using var viewer = await OpenViewerAsync();
        Assert.DoesNotContain("srflx", viewer.Answer.Answer);
    }

    [Fact]
    public async Task A_server_that_was_killed_is_used_again_when_it_is_back()
    {
        await _coturn.StartAsync();
        Open("turn:127.0.0.1:{0}?transport=udp");
        await ReadyAsync();
        await _coturn.StopAsync();
        await _coturn.StartAsync();
        await WaitForAsync(() => _registry!.GetStatus().IceServers[0].State != IceServerState.Ready, TimeSpan.FromSeconds(40));
        await ReadyAsync();
        using var viewer = await OpenViewerAsync(relayOnly: true);
        await PublishUntilAsync(() => viewer.AccessUnits.Count >= 5);
    }

    [Theory]
    [InlineData("turns:127.0.0.1:{1}", false, "certificate")] // signed by nobody the system knows
    [InlineData("turns:127.0.0.2:{2}", true, "does not answer|refused|connected")]
    public async Task A_stream_that_does_not_come_about_says_why(string url, bool isTrusted, string reason)
    {
        await _coturn.StartAsync();
        Open(url, Coturn.Secret, isTrusted ? _coturn.CertificateFile : null);
        await WaitForAsync(() => _registry!.GetStatus().IceServers[0].State == IceServerState.Failed);
        Assert.Matches(reason, _registry!.GetStatus().IceServers[0].Error);
    }

    [Fact]
    public async Task An_agent_that_stops_gives_its_allocation_back()
    {
        await _lasting.StartAsync();
        Open($"turn:127.0.0.1:{_lasting.Port}");
        await ReadyAsync();
        _registry!.Dispose();
        await WaitForAsync(() => _lasting.Output.Contains("lifetime=0", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_that_does_not_answer_delays_no_viewer_and_wrong_credentials_are_told_in_words()
    {
        await _coturn.StartAsync();
        using var silent = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        Open($"stun:127.0.0.1:{((IPEndPoint)silent.Client.LocalEndPoint!).Port}");
        using (var viewer = await OpenViewerAsync())
            await PublishUntilAsync(() => viewer.AccessUnits.Count >= 5);
        Assert.Equal(IceServerState.Trying, _registry!.GetStatus().IceServers[0].State);
        _registry.Dispose();

        Open("turn:127.0.0.1:{0}", "south");
        await WaitForAsync(() => _registry.GetStatus().IceServers[0].State == IceServerState.Failed);
        Assert.Contains("(401)", _registry.GetStatus().IceServers[0].Error);
        using var another = await OpenViewerAsync();
        await PublishUntilAsync(() => another.AccessUnits.Count >= 5);
    }

    private void Open(string urls, string secret = Coturn.Secret) => Open(urls, secret, _coturn.CertificateFile);

    private void Open(string urls, string secret, string? caFile) => _registry = ViewerRegistry.Open(
        new TransportOptions
        {
            UdpPort = 0,
            ListenAddresses = [IPAddress.Loopback],
            IceServers = [new IceServerOptions { Urls = [.. urls.Split(' ').Select(Parse)], Secret = secret, CaFile = caFile }],
        },
        _camera.Hubs, NullLoggerFactory.Instance);

    private IceServerUrl Parse(string url)
    {
        Assert.True(IceServerUrl.TryParse(string.Format(null, url, _coturn.Port, _coturn.TlsPort, 9), out var parsed));
        return parsed;
    }

    private async Task<IceServerStatus> ReadyAsync()
    {
        IceServerStatus? Find() => _registry!.GetStatus().IceServers.FirstOrDefault(server => server.State == IceServerState.Ready);
        await WaitForAsync(() => Find() is not null);
        return Find()!;
    }

    private Task<TestViewer> OpenViewerAsync(bool relayOnly = false)
    {
        _camera.Publish(); // the servers may have taken so long that the camera counts as one that stands still
        return TestViewer.OpenAsync(_registry!, relayOnly: relayOnly);
    }

    private async Task PublishUntilAsync(Func<bool> isDone)
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (!isDone())
        {
            _camera.Publish();
            await Task.Delay(10, timeout.Token);
        }
    }

    private static async Task WaitForAsync(Func<bool> isDone, TimeSpan? patience = null)
    {
        using var timeout = new CancellationTokenSource(patience ?? Patience);
        while (!isDone())
            await Task.Delay(20, timeout.Token);
    }
}
