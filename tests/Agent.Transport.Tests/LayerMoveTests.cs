using System.Diagnostics;
using System.Net;
using Agent.Media;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Transport.Tests;

/// <summary>Viewers of a camera with two layers over the loopback interface, who say themselves what their links carry.</summary>
public sealed class LayerMoveTests : IDisposable
{
    private const int Ceiling = 800_000;
    private const int Wide = 2_000_000;
    private const int Thin = 200_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan FrameInterval = TimeSpan.FromMilliseconds(33);

    private readonly TestCamera _main = new();
    private readonly TestCamera _small = new("small");
    private readonly HashSet<string> _mainPictures = [];
    private readonly ViewerRegistry _registry;

    public LayerMoveTests()
    {
        _main.Hub.BitrateCeiling = Ceiling;
        _main.Hub.BitrateFloor = 100_000;
        _small.Hub.BitrateCeiling = 250_000;
        _main.Hub.SmallLayer = _small.Hub;
        _registry = ViewerRegistry.Open(
            new TransportOptions { UdpPort = 0, ListenAddresses = [IPAddress.Loopback] }, _main.Hubs, NullLoggerFactory.Instance);
    }

    public void Dispose() => _registry.Dispose();

    private static bool IsKeyFrame(byte[] picture) => (picture[4] & 0x1F) == 7;

    private bool IsMain(byte[] picture) => _mainPictures.Contains(Convert.ToHexString(picture));

    /// <summary>Publishes pictures of both layers, as far as they are subscribed to, and has viewers tell what their links carry.</summary>
    private async Task RunUntilAsync(Func<bool> isDone, params (TestViewer Viewer, int Rate)[] links)
    {
        var begin = Stopwatch.GetTimestamp();
        for (var i = 0; !isDone(); i++)
        {
            Assert.True(Stopwatch.GetElapsedTime(begin) < Patience, "it took too long");
            var at = Stopwatch.GetElapsedTime(0);
            if (_small.Hub.SubscriberCount > 0)
                _small.Publish(size: 500, at: at);
            if (_main.Hub.SubscriberCount > 0)
                _mainPictures.Add(Convert.ToHexString(_main.Publish(size: 1500, at: at).Bytes));
            if (i % 3 == 0)
            {
                foreach (var (viewer, rate) in links.Where(static link => link.Viewer.AccessUnits.Count > 0))
                    viewer.SendEstimate(rate);
            }

            await Task.Delay(FrameInterval);
        }
    }

    private async Task<string[]> GetLayersAsync() => [.. (await _registry.GetViewersAsync(default)).Select(static one => one.Layer ?? "none")];

    [Fact]
    public async Task A_thin_viewer_is_moved_to_the_small_layer_and_back_at_IDRs_without_a_gap_while_a_wide_one_keeps_the_main_one()
    {
        using var wide = await TestViewer.OpenAsync(_registry);
        using var thin = await TestViewer.OpenAsync(_registry);
        await RunUntilAsync(() => wide.AccessUnits.Count >= 5 && thin.AccessUnits.Count >= 5, (wide, Wide), (thin, Wide));
        Assert.Equal(0, _small.Hub.SubscriberCount);
        Assert.Equal((2, 0), (_main.Hub.Viewers, _small.Hub.Viewers));

        await RunUntilAsync(() => _small.Hub.Viewers == 1, (wide, Wide), (thin, Thin));
        Assert.Equal(["main", "small"], await GetLayersAsync());
        Assert.Equal((1, 1), (_main.Hub.SubscriberCount, _small.Hub.SubscriberCount));
        Assert.Equal(1, _main.Hub.Viewers);
        Assert.InRange(_small.Hub.BitrateLimit, 1, Thin);
        Assert.True(_main.Hub.BitrateLimit > Thin);
        var seen = thin.AccessUnits.Count;
        await RunUntilAsync(() => thin.AccessUnits.Count >= seen + 20, (wide, Wide), (thin, Thin));

        await RunUntilAsync(() => _small.Hub.Viewers == 0, (wide, Wide), (thin, Wide));
        seen = thin.AccessUnits.Count;
        await RunUntilAsync(() => thin.AccessUnits.Count >= seen + 5, (wide, Wide), (thin, Wide));
        Assert.Equal(["main", "main"], await GetLayersAsync());
        Assert.Equal((1, 0), (_main.Hub.SubscriberCount, _small.Hub.SubscriberCount));
        Assert.Equal(FrameHub.NoBitrateLimit, _small.Hub.BitrateLimit);
        Assert.Equal(2, Assert.Single(_registry.GetStatus().Links).LayerMoves);

        Assert.All(wide.AccessUnits, picture => Assert.True(IsMain(picture)));
        var pictures = thin.AccessUnits.ToArray();
        Assert.Equal(3, Runs(pictures.Select(IsMain)));
        for (var i = 1; i < pictures.Length; i++)
            Assert.True(IsMain(pictures[i]) == IsMain(pictures[i - 1]) || IsKeyFrame(pictures[i]), "a layer begins with an IDR");
        // Every access unit was put together of consecutive packets, and each is later than the one before.
        Assert.Equal(thin.Timestamps.Count, pictures.Length);
        Assert.All(thin.Timestamps.Zip(thin.Timestamps.Skip(1)), static pair => Assert.True((int)(pair.Second - pair.First) > 0));

        static int Runs(IEnumerable<bool> values) => values.Aggregate((Count: 0, Last: (bool?)null), (sum, value) => (sum.Count + (sum.Last == value ? 0 : 1), value)).Count;
    }

    [Fact]
    public async Task A_lone_thin_viewer_goes_to_the_small_layer_and_returns_when_that_is_taken_away()
    {
        _main.Hub.BitrateFloor = 300_000;
        using var viewer = await TestViewer.OpenAsync(_registry);
        await RunUntilAsync(() => _small.Hub.Viewers == 1, (viewer, Thin));
        Assert.Equal((0, 1), (_main.Hub.SubscriberCount, _small.Hub.SubscriberCount));

        _main.Hub.SmallLayer = null;
        await RunUntilAsync(() => _main.Hub.Viewers == 1, (viewer, Thin));
        Assert.Equal((1, 0), (_main.Hub.SubscriberCount, _small.Hub.SubscriberCount));
        Assert.Equal(["main"], await GetLayersAsync());
    }

    [Fact]
    public async Task A_viewer_that_leaves_the_small_layer_for_good_ends_it()
    {
        _main.Hub.BitrateFloor = 300_000;
        using var viewer = await TestViewer.OpenAsync(_registry);
        await RunUntilAsync(() => _small.Hub.Viewers == 1, (viewer, Thin));
        await _registry.CloseAsync(viewer.SessionId, "a test", default);
        await RunUntilAsync(() => _registry.GetStatus().Viewers == 0);
        Assert.Equal((0, 0), (_main.Hub.SubscriberCount, _small.Hub.SubscriberCount));
        Assert.Equal((0, 0), (_main.Hub.Viewers, _small.Hub.Viewers));
    }
}
