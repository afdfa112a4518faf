using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Agent.Interop.Libc;
using Agent.Rtc;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Transport.Tests;

/// <summary>ICE-TCP over the loopback interface: viewers, slow viewers and strangers.</summary>
public sealed class TcpTransportTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan FrameInterval = TimeSpan.FromMilliseconds(10);

    private readonly TestCamera _camera = new();
    private readonly ViewerRegistry _registry;

    public TcpTransportTests() => _registry = ViewerRegistry.Open(
        // Test viewers send no feedback, for want of which the rate would go down.
        new TransportOptions { UdpPort = 0, ListenAddresses = [IPAddress.Loopback], Adaptation = false }, _camera.Hubs, NullLoggerFactory.Instance);

    private TcpStatus Status => _registry.GetStatus().Tcp!;

    public void Dispose() => _registry.Dispose();

    [Fact]
    public async Task A_viewer_that_connects_by_TCP_gets_the_published_bytes()
    {
        using var viewer = await TestViewer.OpenAsync(_registry, tcp: true);
        await PublishUntilAsync(() => viewer.AccessUnits.Count >= 20);

        var status = Assert.Single(await _registry.GetViewersAsync(default)).Peer;
        Assert.True(status.SelectedPair!.Remote.IsTcp);
        Assert.Equal(viewer.LocalEndPoint.Port, status.SelectedPair.Remote.Port);
        Assert.Equal((1, 0L, 0L), (Status.Connections, Status.ConnectionsRefused, Status.PacketsDropped));
        Assert.Equal(0, _registry.GetStatus().SendErrors);
    }

    [Fact]
    public async Task Answers_have_passive_candidates_of_lower_priority_on_the_same_port_unless_TCP_is_off()
    {
        using var viewer = await TestViewer.OpenAsync(_registry);
        var candidates = Regex.Matches(viewer.Answer.Answer, @"a=candidate:\d+ 1 (udp|tcp) (\d+) 127.0.0.1 (\d+) typ host( tcptype passive)?\r");
        Assert.Equal(["udp", "tcp"], candidates.Select(one => one.Groups[1].Value));
        Assert.True(uint.Parse(candidates[0].Groups[2].Value) > uint.Parse(candidates[1].Groups[2].Value));
        Assert.All(candidates, one => Assert.Equal(_registry.UdpPort.ToString(), one.Groups[3].Value));
        Assert.Equal(["", " tcptype passive"], candidates.Select(one => one.Groups[4].Value));

        using var without = ViewerRegistry.Open(
            new TransportOptions { UdpPort = 0, Tcp = false, ListenAddresses = [IPAddress.Loopback] }, _camera.Hubs, NullLoggerFactory.Instance);
        using var other = await TestViewer.OpenAsync(without);
        Assert.DoesNotContain("tcptype", other.Answer.Answer, StringComparison.Ordinal);
        Assert.Null(without.GetStatus().Tcp);
        using var refused = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Throws<SocketException>(() => refused.Connect(IPAddress.Loopback, without.UdpPort));
    }

    [Fact]
    public async Task A_TCP_port_that_another_program_has_leaves_UDP_working()
    {
        Assert.Throws<LibcException>(() => TcpListenSocket.Bind(IPAddress.Loopback, (ushort)_registry.UdpPort));
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        using var registry = ViewerRegistry.Open(
            new TransportOptions { UdpPort = ((IPEndPoint)other.LocalEndPoint!).Port, ListenAddresses = [IPAddress.Loopback] }, _camera.Hubs, NullLoggerFactory.Instance);
        using var viewer = await TestViewer.OpenAsync(registry);
        await PublishUntilAsync(() => viewer.AccessUnits.Count >= 3);

        Assert.Null(registry.GetStatus().Tcp);
    }

    /// <summary>
    /// Media waits in the session once the connection is full, and there whole frames give way: what arrives afterwards are frames that were
    /// published, the rest of those begun, and then from an IDR on.
    /// </summary>
    [Fact]
    public async Task A_viewer_that_reads_too_slowly_loses_whole_frames_up_to_an_idr_and_nobody_else_notices()
    {
        using var slow = await TestViewer.OpenAsync(_registry, tcp: true);
        using var other = await TestViewer.OpenAsync(_registry);
        await PublishUntilAsync(() => slow.AccessUnits.Count >= 5 && other.AccessUnits.Count >= 5);
        slow.StopReading();
        var published = new List<byte[]>();
        await PublishUntilAsync(() => GetFramesDropped(0) > 20, published, size: 60_000);
        Assert.Equal(0, Status.PacketsDropped);
        var seen = other.AccessUnits.Count;
        await PublishUntilAsync(() => other.AccessUnits.Count > seen + 3, published);

        var before = slow.AccessUnits.Count;
        slow.ReadAgain();
        await PublishUntilAsync(() => slow.AccessUnits.Skip(before).Any(one => one.AsSpan().SequenceEqual(published[^1])), published);

        var arrived = slow.AccessUnits.Skip(before).ToList();
        var indexes = arrived.ConvertAll(one => published.FindIndex(sent => sent.AsSpan().SequenceEqual(one)));
        Assert.DoesNotContain(-1, indexes); // each is whole, as the viewer saw no gap in the sequence numbers
        Assert.Equal(indexes.Order(), indexes);
        var gap = Enumerable.Range(1, indexes.Count - 1).First(i => indexes[i] != indexes[i - 1] + 1);
        Assert.Equal(0x67, arrived[gap][4]); // begins with its SPS: an IDR
    }

    [Fact]
    public async Task When_the_connection_closes_its_pair_fails_at_once_with_the_reason_and_the_session_waits_for_another()
    {
        using var viewer = await TestViewer.OpenAsync(_registry, tcp: true);
        await PublishUntilAsync(() => viewer.AccessUnits.Count >= 3);
        viewer.Disconnect();
        await WaitForAsync(() => Status.Connections == 0);

        var status = Assert.Single(await _registry.GetViewersAsync(default)).Peer;
        Assert.Null(status.SelectedPair);
        Assert.Equal(PeerState.Connected, status.State);
        Assert.Contains("closed", Assert.Single(status.Pairs, pair => pair.Remote.IsTcp).FailureReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_viewers_connections_are_closed_with_its_session()
    {
        using var viewer = await TestViewer.OpenAsync(_registry, tcp: true);
        await PublishUntilAsync(() => viewer.AccessUnits.Count >= 3);
        Assert.True(await _registry.CloseAsync(viewer.SessionId, "the test says so", default));
        await WaitForAsync(() => Status.Connections == 0);
        await WaitForAsync(() => viewer.HasEnded);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")] // a length of 18245
    [InlineData("\0\u0004abcd")] // a packet that is no check
    [InlineData("\0\0")] // an empty one
    public async Task A_stranger_that_says_anything_but_a_check_is_sent_away(string text)
    {
        using var stranger = Connect();
        stranger.Send(System.Text.Encoding.Latin1.GetBytes(text));
        await WaitForAsync(() => Status is { ConnectionsRefused: 1, Connections: 0 });
        Assert.Equal(0, stranger.Receive(new byte[1]));
    }

    [Fact]
    public async Task A_silent_stranger_is_sent_away_when_its_time_is_up()
    {
        using var stranger = Connect();
        await WaitForAsync(() => Status.Connections == 1);
        await WaitForAsync(() => Status is { ConnectionsRefused: 1, Connections: 0 });
    }

    [Fact]
    public async Task A_flood_of_strangers_takes_a_bounded_number_of_connections_and_keeps_no_viewer_out()
    {
        var strangers = new List<Socket>();
        try
        {
            for (var i = 0; i < 3 * TcpTransport.MaximumUnproven; i++)
                strangers.Add(Connect());
            await WaitForAsync(() => Status.ConnectionsAccepted == strangers.Count && Status.Connections == TcpTransport.MaximumUnproven);

            using var viewer = await TestViewer.OpenAsync(_registry, tcp: true);
            await PublishUntilAsync(() => viewer.AccessUnits.Count >= 3);
            Assert.True(Status.Connections <= TcpTransport.MaximumUnproven + 1);
        }
        finally
        {
            strangers.ForEach(one => one.Dispose());
        }
    }

    [Fact]
    public async Task Media_over_TCP_allocates_nothing_per_packet_on_the_loop()
    {
        using var viewer = await TestViewer.OpenAsync(_registry, tcp: true);

        // First faster, then as below: the pool comes to hold the frames of the retransmission history, and room for all of them idle.
        await PublishUntilAsync(() => viewer.AccessUnits.Count >= 300, interval: FrameInterval / 5);
        await PublishUntilAsync(() => viewer.AccessUnits.Count >= 600);
        var before = GetBytesAllocatedByLoop();
        var sent = Status.PacketsSent;
        var seen = viewer.AccessUnits.Count;
        await PublishUntilAsync(() => viewer.AccessUnits.Count >= seen + 200);
        var allocated = GetBytesAllocatedByLoop() - before;

        Assert.True(Status.PacketsSent > sent + 800, $"only {Status.PacketsSent - sent} packets");
        Assert.Equal(0, allocated);
    }

    private static async Task WaitForAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(10, limit.Token);
    }

    private Socket Connect()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Loopback, _registry.UdpPort);
        return socket;
    }

    private long GetFramesDropped(int viewer)
    {
        var viewers = _registry.GetViewersAsync(default).AsTask().GetAwaiter().GetResult();
        return viewers[viewer].Peer.Video.FramesDropped;
    }

    private long GetBytesAllocatedByLoop()
    {
        Assert.True(_registry.Loop.TryInvoke(GC.GetAllocatedBytesForCurrentThread, out var bytes));
        // An await would make the loop's thread allocate what resumes it.
        Assert.True(SpinWait.SpinUntil(() => bytes.IsCompleted, Patience));
        return bytes.GetAwaiter().GetResult();
    }

    private async Task PublishUntilAsync(Func<bool> condition, List<byte[]>? published = null, int size = 5000, TimeSpan? interval = null)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
        {
            var bytes = _camera.Publish(size: size).Bytes;
            published?.Add(bytes);
            await Task.Delay(interval ?? FrameInterval, limit.Token);
        }
    }
}
