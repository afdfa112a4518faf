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
    private const int Watching = 10;

    /// <summary>
    /// Buffers that are lent and given back become more with the first two thousand viewers, by 0.7 MB, and no more after them (seen with
    /// MANY_CONNECTS=3000); a thousand that left a kilobyte each would be beyond this.
    /// </summary>
    private const double Flat = 1.35;
    private const int Rounds = 5;
    private const int ThreadsOfPool = 8; // the thread pool adds and takes away as it likes; a thread for each session would be thousands
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>Offers of viewers that never come; how many can be told by the environment.</summary>
    private static readonly int s_sessions = ReadCount("MANY_SESSIONS", 10_000);

    /// <summary>Viewers that connect and watch until a picture has come, half of them by TCP. The same.</summary>
    private static readonly int s_connects = ReadCount("MANY_CONNECTS", 1000);

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
        await WatchAsync(5 * Watching);
        var memory = GC.GetTotalMemory(forceFullCollection: true);
        var descriptors = CountDescriptors();
        var threads = CountThreads();
        var resident = Environment.WorkingSet;

        for (var i = 0; i < Rounds; i++)
        {
            await OpenAndCloseAsync(s_sessions / Rounds);
            await WatchAsync(s_connects / Rounds);
            output.WriteLine($"{GC.GetTotalMemory(forceFullCollection: true)} bytes after round {i + 1}");
        }

        var memoryAfter = GC.GetTotalMemory(forceFullCollection: true);
        output.WriteLine(
            $"{s_sessions} sessions and {s_connects} viewers: managed {memory} to {memoryAfter} bytes, resident {resident} to {Environment.WorkingSet} bytes, "
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
        for (var done = 0; done < count; done += Watching)
        {
            var viewers = await Task.WhenAll(Enumerable.Range(0, Watching).Select(i => TestViewer.OpenAsync(_registry, tcp: i % 2 == 1)));
            await WaitForAsync(() =>
            {
                _camera.Publish();
                return viewers.All(viewer => viewer.AccessUnits.Count > 0);
            });
            foreach (var viewer in viewers)
            {
                Assert.True(await _registry.CloseAsync(viewer.SessionId, "the test says so", default));
                viewer.Dispose();
            }
            await WaitForAsync(() => _registry.GetStatus().Viewers == 0);
        }
    }

    private static int ReadCount(string variable, int standard) =>
        int.Parse(Environment.GetEnvironmentVariable(variable) ?? standard.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static int CountThreads() => Directory.GetDirectories("/proc/self/task").Length;

    private static int CountDescriptors() => Directory.GetFiles("/proc/self/fd").Length;

    private static async Task WaitForAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(10, limit.Token);
    }
}
