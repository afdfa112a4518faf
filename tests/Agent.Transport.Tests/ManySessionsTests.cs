using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace Agent.Transport.Tests;

/// <summary>Measures the whole process, so nothing else may run meanwhile.</summary>
[CollectionDefinition(nameof(ManySessionsTests), DisableParallelization = true)]
public sealed class ManySessionsCollection;

[Collection(nameof(ManySessionsTests))]
public sealed class ManySessionsTests(ITestOutputHelper output) : IDisposable
{
    private const int Together = 50;
    private const double Flat = 1.2; // what a full collection leaves varies by less
    private const int Rounds = 5;
    private const int ThreadsOfPool = 8; // the thread pool adds and takes away as it likes; a thread for each session would be thousands
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>2 000 in all by default, which take seconds; MANY_SESSIONS=10000 in the environment makes more.</summary>
    private static readonly int s_sessions = int.Parse(Environment.GetEnvironmentVariable("MANY_SESSIONS") ?? "2000", CultureInfo.InvariantCulture);

    private readonly TestCamera _camera = new();
    private ViewerRegistry _registry = null!;

    public void Dispose() => _registry.Dispose();

    [Fact]
    public async Task Thousands_of_sessions_that_come_and_go_leave_neither_memory_nor_descriptors_behind()
    {
        _registry = ViewerRegistry.Open(
            new TransportOptions { UdpPort = 0, ListenAddresses = [IPAddress.Loopback], MaximumViewers = Together },
            _camera.Hubs, NullLoggerFactory.Instance);
        await OpenAndCloseAsync(200);
        await WatchAsync(2);
        var memory = GC.GetTotalMemory(forceFullCollection: true);
        var descriptors = CountDescriptors();
        var threads = CountThreads();
        var resident = Environment.WorkingSet;

        for (var i = 0; i < Rounds; i++)
        {
            await OpenAndCloseAsync(s_sessions / Rounds);
            await WatchAsync(2);
        }

        var memoryAfter = GC.GetTotalMemory(forceFullCollection: true);
        output.WriteLine(
            $"{s_sessions} sessions: managed {memory} to {memoryAfter} bytes, resident {resident} to {Environment.WorkingSet} bytes, "
            + $"{descriptors} to {CountDescriptors()} descriptors, {threads} to {CountThreads()} threads");
        Assert.True(CountThreads() <= threads + ThreadsOfPool, $"{threads} threads grew to {CountThreads()}");
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
            using var viewer = await TestViewer.OpenAsync(_registry, tcp: i % 2 == 1);
            await WaitForAsync(() =>
            {
                _camera.Publish();
                return viewer.AccessUnits.Count > 0;
            });
            Assert.True(await _registry.CloseAsync(viewer.SessionId, "the test says so", default));
            await WaitForAsync(() => _registry.GetStatus().Viewers == 0);
        }
    }

    private static int CountThreads() => Directory.GetDirectories("/proc/self/task").Length;

    private static int CountDescriptors() => Directory.GetFiles("/proc/self/fd").Length;

    private static async Task WaitForAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(10, limit.Token);
    }
}
