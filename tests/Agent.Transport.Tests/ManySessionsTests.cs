using System.Net;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Transport.Tests;

/// <summary>Measures the whole process, so nothing else may run meanwhile.</summary>
[CollectionDefinition(nameof(ManySessionsTests), DisableParallelization = true)]
public sealed class ManySessionsCollection;

[Collection(nameof(ManySessionsTests))]
public sealed class ManySessionsTests : IDisposable
{
    private const int Together = 50;
    private const double Flat = 1.2; // what a full collection leaves varies by less
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly TestCamera _camera = new();
    private readonly ViewerRegistry _registry;

    public ManySessionsTests() => _registry = ViewerRegistry.Open(
        new TransportOptions { UdpPort = 0, ListenAddresses = [IPAddress.Loopback], MaximumViewers = Together },
        _camera.Hubs, NullLoggerFactory.Instance);

    public void Dispose() => _registry.Dispose();

    [Fact]
    public async Task Thousands_of_sessions_that_come_and_go_leave_neither_memory_nor_descriptors_behind()
    {
        await OpenAndCloseAsync(200);
        await WatchAsync(2);
        var memory = GC.GetTotalMemory(forceFullCollection: true);
        var descriptors = CountDescriptors();

        for (var i = 0; i < 5; i++)
        {
            await OpenAndCloseAsync(400);
            await WatchAsync(2);
        }

        var memoryAfter = GC.GetTotalMemory(forceFullCollection: true);
        Assert.True(memoryAfter < memory * Flat, $"{memory} bytes grew to {memoryAfter}");
        Assert.True(CountDescriptors() < descriptors * Flat, $"{descriptors} descriptors grew to {CountDescriptors()}");
        Assert.Equal(0, _camera.Hub.SubscriberCount);
        Assert.Equal((0, 0L), (_registry.GetStatus().Viewers, _registry.GetStatus().SessionFaults));
    }

    /// <summary>
    /// Offers of viewers that never come: half without a candidate, whose timer is a minute away, and half whose candidate answers nothing
    /// and which make this side the DTLS server, which starts at once.
    /// </summary>
    private async Task OpenAndCloseAsync(int count)
    {
        var passive = TestOffer.Write();
        var reachable = Encoding.UTF8.GetString(TestOffer.Write(candidates: "candidate:1 1 udp 2130706431 127.0.0.1 9 typ host"));
        var active = Encoding.UTF8.GetBytes(reachable.Replace("setup:actpass", "setup:active", StringComparison.Ordinal));
        for (var done = 0; done < count; done += Together)
        {
            var answers = new List<ViewerAnswer>();
            for (var i = 0; i < Together; i++)
                answers.Add(await _registry.OpenAsync(new ViewerOffer(TestCamera.Name, i % 2 == 0 ? passive : active, "test", "a test"), default));
            Assert.All(answers, one => Assert.Null(one.Error));
            foreach (var answer in answers)
                Assert.True(await _registry.CloseAsync(answer.SessionId, "the test says so", default));
            await WaitForAsync(() => _registry.GetStatus().Viewers == 0);
        }
    }

    private async Task WatchAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            using var viewer = await TestViewer.OpenAsync(_registry);
            await WaitForAsync(() =>
            {
                _camera.Publish();
                return viewer.AccessUnits.Count > 0;
            });
            Assert.True(await _registry.CloseAsync(viewer.SessionId, "the test says so", default));
            await WaitForAsync(() => _registry.GetStatus().Viewers == 0);
        }
    }

    private static int CountDescriptors() => Directory.GetFiles("/proc/self/fd").Length;

    private static async Task WaitForAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(10, limit.Token);
    }
}
