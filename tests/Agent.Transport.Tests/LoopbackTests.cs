using System.Net;
using System.Net.Sockets;
using Agent.Rtc;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Transport.Tests;

/// <summary>The whole transport over the loopback interface: real sockets, DTLS and SRTP, and viewers that put pictures together.</summary>
public sealed class LoopbackTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan FrameInterval = TimeSpan.FromMilliseconds(10);

    private readonly TestCamera _camera = new();
    private readonly ViewerRegistry _registry;

    public LoopbackTests() => _registry = ViewerRegistry.Open(
        // These viewers send no feedback, and frames come faster than a camera's.
        new TransportOptions { UdpPort = 0, ListenAddresses = [IPAddress.Loopback], Adaptation = false }, _camera.Hubs, NullLoggerFactory.Instance);

    public void Dispose() => _registry.Dispose();

    [Fact]
    public async Task Two_viewers_of_one_camera_get_the_published_bytes_from_one_subscription()
    {
        using var first = await TestViewer.OpenAsync(_registry);
        using var second = await TestViewer.OpenAsync(_registry);
        var published = await PublishUntilAsync(() => first.AccessUnits.Count >= 20 && second.AccessUnits.Count >= 20);

        Assert.Equal(1, _camera.Hub.SubscriberCount);
        AssertIsRunOf(published, first.AccessUnits);
        AssertIsRunOf(published, second.AccessUnits);
        var viewers = await _registry.GetViewersAsync(default);
        Assert.All(viewers, one => Assert.Equal(PeerState.Connected, one.Peer.State));
        Assert.Equal(
            new[] { first.LocalEndPoint.Port, second.LocalEndPoint.Port }, viewers.Select(one => (int)one.Peer.SelectedPair!.Remote.Port));
        Assert.Equal(0, _registry.GetStatus().SendErrors);
    }

    [Fact]
    public async Task A_server_that_takes_an_offer_gets_the_stream_and_a_withdrawn_offer_holds_no_place()
    {
        var withdrawn = _registry.CreateOffer(TestCamera.Name, out var refusal);
        Assert.Null(refusal);
        _registry.Withdraw(withdrawn!);

        using var server = await TestViewer.AnswerAsync(_registry, _registry.CreateOffer(TestCamera.Name, out _)!);
        var published = await PublishUntilAsync(() => server.AccessUnits.Count >= 20);

        AssertIsRunOf(published, server.AccessUnits);
        var status = Assert.Single(await _registry.GetViewersAsync(default));
        Assert.Equal((PeerState.Connected, "a test server"), (status.Peer.State, status.Client));
    }

    [Fact]
    public async Task An_answer_that_cannot_be_used_is_refused_with_the_reason()
    {
        async Task<string> RefuseAsync(string answer)
        {
            var offer = _registry.CreateOffer(TestCamera.Name, out _)!;
            return (await _registry.AcceptAnswerAsync(offer, System.Text.Encoding.UTF8.GetBytes(answer), "test", "a test server")).Error!.Message;
        }

        Assert.Contains("the text is empty", await RefuseAsync(""));
        Assert.Contains("the server rejects the video", await RefuseAsync("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 UDP/TLS/RTP/SAVPF 96\r\n"));
        Assert.Contains("one m=video section", await RefuseAsync("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"));
        Assert.Empty(await _registry.GetViewersAsync(default));
        Assert.Equal("There is no camera of that name; this agent has: main.", Refusal("attic"));

        string Refusal(string camera)
        {
            Assert.Null(_registry.CreateOffer(camera, out var refusal));
            return refusal!.Message;
        }
    }

    [Fact]
    public async Task A_viewer_that_joins_gets_an_idr_first_and_another_one_when_it_asks()
    {
        using var first = await TestViewer.OpenAsync(_registry);
        await PublishUntilAsync(() => first.AccessUnits.Count >= 20);
        using var late = await TestViewer.OpenAsync(_registry);
        await PublishUntilAsync(() => late.AccessUnits.Count >= 5);
        Assert.True(IsKeyFrame(late.AccessUnits.First()));

        var seen = first.AccessUnits.Count;
        await Task.Delay(Media.FrameHub.MinimumKeyFrameInterval);
        late.RequestKeyFrame();
        await PublishUntilAsync(() => first.AccessUnits.Skip(seen).Any(IsKeyFrame));
    }

    [Fact]
    public async Task When_the_loop_is_behind_frames_up_to_the_next_idr_are_dropped_and_counted_and_an_idr_is_asked_for()
    {
        using var viewer = await TestViewer.OpenAsync(_registry);
        await PublishUntilAsync(() => viewer.AccessUnits.Count >= 5);
        await Task.Delay(Media.FrameHub.MinimumKeyFrameInterval);
        _camera.Publish(keyFrame: true); // clears what is still requested
        Assert.True(_registry.Loop.TryInvoke(() => 0, out var settled));
        await settled;
        await Task.Delay(Media.FrameHub.MinimumKeyFrameInterval);
        var before = viewer.AccessUnits.Count;

        using var gate = new ManualResetEventSlim();
        using var blocked = new ManualResetEventSlim();
        Assert.True(_registry.Loop.TryInvoke(() => { blocked.Set(); gate.Wait(); return 0; }, out _));
        Assert.True(blocked.Wait(Patience));
        const int lost = 4;
        for (var i = 0; i < LayerFeed.QueueCapacity; i++)
            Assert.False(_camera.Publish().IsKeyFrame);
        Assert.Equal(0, _registry.GetStatus().AccessUnitsDropped);
        Assert.False(_camera.Publish().IsKeyFrame); // the queue is full: this one is lost and an IDR is asked for
        var (idr, isKeyFrame) = _camera.Publish(); // an IDR displaces what is queued, which nobody can wait for
        Assert.True(isKeyFrame);
        for (var i = 0; i < lost; i++)
            _camera.Publish();
        Assert.Equal(LayerFeed.QueueCapacity + 1, _registry.GetStatus().AccessUnitsDropped);
        gate.Set();

        await WaitForAsync(() => viewer.AccessUnits.Count >= before + 1 + lost);
        Assert.Contains(viewer.AccessUnits, one => one.AsSpan().SequenceEqual(idr));
    }

    [Fact]
    public async Task A_flood_of_garbage_does_not_disturb_a_viewer()
    {
        using var viewer = await TestViewer.OpenAsync(_registry);
        await PublishUntilAsync(() => viewer.AccessUnits.Count >= 5);
        using var stop = new CancellationTokenSource();
        var flood = Task.Run(() =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            var target = new IPEndPoint(IPAddress.Loopback, _registry.UdpPort);
            var random = new Random(7);
            var sent = 0;
            for (; !stop.IsCancellationRequested || sent < 20_000; sent++)
            {
                var datagram = new byte[random.Next(0, 1600)];
                random.NextBytes(datagram);
                if (datagram.Length > 0)
                    datagram[0] = (byte)(sent % 4 == 0 ? 0 : datagram[0]); // every fourth looks like STUN
                socket.SendTo(datagram, target);
            }

            return sent;
        });
        var before = viewer.AccessUnits.Count;
        var published = await PublishUntilAsync(() => viewer.AccessUnits.Count >= before + 50);
        await stop.CancelAsync();
        Assert.True(await flood >= 20_000);
        Assert.True(published.Count < 100, $"{published.Count} pictures were published until 50 had arrived");
        await WaitForAsync(() => _registry.GetStatus().DatagramsUnmatched > 1000);
        Assert.Equal(0, _registry.GetStatus().SessionFaults);
        Assert.Single(await _registry.GetViewersAsync(default));
    }

    [Fact]
    public async Task Closing_says_so_to_the_viewer_and_frees_the_session()
    {
        using var viewer = await TestViewer.OpenAsync(_registry);
        await PublishUntilAsync(() => viewer.AccessUnits.Count >= 2);
        Assert.True(await _registry.CloseAsync(viewer.SessionId, "the test says so", default));
        await WaitForAsync(() => _registry.GetStatus().Viewers == 0);
        Assert.Equal(0, _camera.Hub.SubscriberCount);
    }

    [Fact]
    public async Task In_steady_state_the_loop_allocates_nothing_per_packet()
    {
        using var viewer = await TestViewer.OpenAsync(_registry);

        // First faster, then as below: the pool comes to hold the frames of the retransmission history, and room for all of them idle.
        await PublishUntilAsync(() => viewer.AccessUnits.Count >= 300, FrameInterval / 5);
        await PublishUntilAsync(() => viewer.AccessUnits.Count >= 600);
        var sentBefore = _registry.GetStatus().DatagramsSent;
        var before = GetBytesAllocatedByLoop();
        var seen = viewer.AccessUnits.Count;
        await PublishUntilAsync(() => viewer.AccessUnits.Count >= seen + 200);
        var allocated = GetBytesAllocatedByLoop() - before;
        var packets = _registry.GetStatus().DatagramsSent - sentBefore;

        Assert.True(packets > 800, $"only {packets} packets");
        Assert.True(allocated == 0, $"{allocated} bytes were allocated for {packets} packets");
    }

    private long GetBytesAllocatedByLoop()
    {
        Assert.True(_registry.Loop.TryInvoke(GC.GetAllocatedBytesForCurrentThread, out var bytes));
        // An await would make the loop's thread allocate what resumes it.
        Assert.True(SpinWait.SpinUntil(() => bytes.IsCompleted, Patience));
        return bytes.GetAwaiter().GetResult();
    }

    private async Task<List<byte[]>> PublishUntilAsync(Func<bool> condition, TimeSpan? interval = null)
    {
        var published = new List<byte[]>();
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
        {
            published.Add(_camera.Publish().Bytes);
            await Task.Delay(interval ?? FrameInterval, limit.Token);
        }

        return published;
    }

    private static async Task WaitForAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(10, limit.Token);
    }

    private static bool IsKeyFrame(byte[] accessUnit) => accessUnit[4] == 0x67; // begins with its SPS

    /// <summary>What arrived is an unbroken run of what was published, from an IDR on.</summary>
    private static void AssertIsRunOf(List<byte[]> published, IEnumerable<byte[]> arrived)
    {
        var got = arrived.ToList();
        var start = published.FindIndex(one => one.AsSpan().SequenceEqual(got[0]));
        Assert.True(start >= 0, "the first access unit that arrived was never published");
        Assert.True(IsKeyFrame(got[0]));
        for (var i = 0; i < got.Count; i++)
            Assert.Equal(published[start + i], got[i]);
    }
}
