using Agent.Media;
using Agent.Rtc;
using Agent.Rtc.Rtp;

namespace Agent.Transport;

/// <summary>The links of one camera's viewers, for the metrics.</summary>
/// <param name="Camera">Its name.</param>
/// <param name="LowestEstimateBps">Of the viewer with the narrowest link, bit/s; 0 without viewers.</param>
/// <param name="HighestEstimateBps">Of the one with the widest.</param>
/// <param name="LongestQueue">What waits to be sent to a viewer, as the time that it takes.</param>
/// <param name="BitrateLimitBps">What the links of the main layer's viewers leave to its encoder; <c>null</c> if they set no limit.</param>
/// <param name="LayerMoves">Times that a viewer was moved from one layer to the other.</param>
public sealed record CameraLinks(
    string Camera, long LowestEstimateBps, long HighestEstimateBps, TimeSpan LongestQueue, int? BitrateLimitBps, long LayerMoves);

/// <summary>
/// A camera's streams in the media loop and who is given which: everybody the main one, but for those whose links are too thin for it while there is a
/// smaller one. A viewer gets the frames of its old layer until the IDR of the new one is there. The loop's own, but for the status.
/// </summary>
internal sealed class CameraFeed
{
    /// <summary>Estimates change with feedback, which comes about as often.</summary>
    internal static readonly TimeSpan UpdateInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>The IDR for a viewer that is to be moved is asked for again after this: an encoder may have left out the picture.</summary>
    private static readonly TimeSpan s_askAgainAfter = TimeSpan.FromSeconds(1);

    private readonly TransportOptions _options;
    private readonly Action _wake;
    private readonly List<LayerFeed> _layers = [];
    private MonotonicTime? _updatedAt;
    private long _lowest;
    private long _highest;
    private long _queueTicks;
    private long _moves;

    internal CameraFeed(FrameHub hub, TransportOptions options, Action wake)
    {
        (_options, _wake) = (options, wake);
        Main = new LayerFeed(hub, options, wake);
        _layers.Add(Main);
    }

    /// <summary>The camera's own.</summary>
    internal FrameHub Hub => Main.Hub;

    internal LayerFeed Main { get; }

    /// <summary>The smaller one, once there has been one.</summary>
    internal LayerFeed? Small { get; private set; }

    internal IReadOnlyList<LayerFeed> Layers => _layers;

    /// <summary>Who gets this camera's frames, the connected viewers.</summary>
    internal List<Viewer> Viewers { get; } = [];

    /// <summary>Any thread: access units dropped because the loop was behind.</summary>
    internal long Dropped => Main.Dropped + (Small?.Dropped ?? 0);

    /// <summary>Any thread.</summary>
    internal CameraLinks Status => new(
        Hub.Camera, Volatile.Read(ref _lowest), Volatile.Read(ref _highest), new TimeSpan(Volatile.Read(ref _queueTicks)),
        Hub.BitrateLimit == FrameHub.NoBitrateLimit ? null : Hub.BitrateLimit, Volatile.Read(ref _moves));

    /// <summary>
    /// Gives a connected viewer the frames from the next IDR on, which its session has asked for; the first one makes the camera encode.
    /// </summary>
    internal void Join(Viewer viewer)
    {
        Viewers.Add(viewer);
        (viewer.Layer, viewer.NextLayer) = (Main, null);
        // Before the first picture is encoded.
        Main.Bitrate.Update(Viewers, Main, SystemClock.Now);
        Main.Hold();
        CountViewers();
    }

    /// <summary>The viewer is gone, whether it had joined or not.</summary>
    internal void Leave(Viewer viewer)
    {
        if (!Viewers.Remove(viewer))
            return;
        viewer.Layer?.Release();
        viewer.NextLayer?.Release();
        (viewer.Layer, viewer.NextLayer) = (null, null);
        CountViewers();
        if (Viewers.Count == 0)
            NoteLinks(0, 0, 0);
    }

    /// <summary>The next picture should be an IDR, of what the viewer is given.</summary>
    internal void RequestKeyFrame(Viewer viewer)
    {
        var now = SystemClock.Now;
        var layer = viewer.Layer ?? Main;
        // Of the bitrate that its link has now, which may be the reason for it.
        layer.Bitrate.Update(Viewers, layer, now);
        if (viewer.Layer is not null)
            ChooseLayer(viewer, needsKeyFrame: true, now);
        // One that is about to be moved gets an IDR there.
        if (viewer.NextLayer is null)
            layer.Hub.RequestKeyFrame();
    }

    /// <summary>Whether a layer's frame is one for the viewer, who arrives at its new layer with the IDR.</summary>
    internal bool IsFor(Viewer viewer, LayerFeed layer, PacketizedFrame frame)
    {
        if (viewer.NextLayer != layer || !frame.IsKeyFrame)
            return viewer.Layer == layer;

        viewer.Layer?.Release();
        (viewer.Layer, viewer.NextLayer) = (layer, null);
        // What waits of the old layer is older than this, and a thin link would take long for it.
        viewer.Session.StartVideoOver();
        Volatile.Write(ref _moves, _moves + 1);
        CountViewers();
        return true;
    }

    /// <summary>Draws the conclusions from the viewers' estimates; to be called whenever the loop turns.</summary>
    internal void Update(MonotonicTime now)
    {
        if (!_options.Adaptation || Viewers.Count == 0 || now - _updatedAt < UpdateInterval)
            return;

        _updatedAt = now;
        long lowest = long.MaxValue, highest = 0, queue = 0;
        foreach (var viewer in Viewers)
        {
            viewer.Session.SetMaximumBitrate(Hub.BitrateCeiling, now);
            if (viewer.Session.Congestion is not { } congestion)
                continue;
            lowest = Math.Min(lowest, congestion.EstimateBps);
            highest = Math.Max(highest, congestion.EstimateBps);
            queue = Math.Max(queue, congestion.QueueDelay.Ticks);
        }

        NoteLinks(highest == 0 ? 0 : lowest, highest, queue);
        Main.Bitrate.Update(Viewers, Main, now);
        Small?.Bitrate.Update(Viewers, Small, now);
        foreach (var viewer in Viewers)
            ChooseLayer(viewer, needsKeyFrame: false, now);
    }

    private void ChooseLayer(Viewer viewer, bool needsKeyFrame, MonotonicTime now)
    {
        var hub = Hub.SmallLayer;
        if (hub is not null && Small is null)
            _layers.Add(Small = new LayerFeed(hub, _options, _wake));
        if (hub is null)
            viewer.Choice.Reset();
        else if (viewer.Session is { VideoBitrate: { } rate, Congestion: { } congestion })
            viewer.Choice.Update(new LayerLink(rate, congestion.QueueDelay, GetMainBitrate(viewer, rate), Hub.BitrateFloor), needsKeyFrame, now);

        var wanted = viewer.Choice.WantsSmall ? Small! : Main;
        if (viewer.Target != wanted)
            Move(viewer, wanted, now);
        else if (viewer.NextLayer is { } next && now - viewer.AskedAt >= s_askAgainAfter)
            Ask(viewer, next, now);
    }

    /// <summary>What the main layer makes for this viewer and those who have it.</summary>
    private long GetMainBitrate(Viewer viewer, long rate) => viewer.Target == Main
        ? Math.Min(Hub.BitrateLimit, Hub.BitrateCeiling)
        : Math.Min(Main.Bitrate.Predict(rate), Hub.BitrateCeiling);

    private void Move(Viewer viewer, LayerFeed layer, MonotonicTime now)
    {
        viewer.NextLayer?.Release();
        if (viewer.Layer == layer)
        {
            viewer.NextLayer = null;
            return;
        }

        viewer.NextLayer = layer;
        // Before its first picture is encoded.
        layer.Bitrate.Update(Viewers, layer, now);
        layer.Hold();
        Ask(viewer, layer, now);
    }

    private static void Ask(Viewer viewer, LayerFeed layer, MonotonicTime now)
    {
        layer.Hub.RequestKeyFrame();
        viewer.AskedAt = now;
    }

    private void CountViewers()
    {
        Hub.Viewers = Viewers.Count(static viewer => viewer.Layer == viewer.Feed.Main);
        if (Small is not null)
            Small.Hub.Viewers = Viewers.Count - Hub.Viewers;
    }

    private void NoteLinks(long lowest, long highest, long queueTicks)
    {
        Volatile.Write(ref _lowest, lowest);
        Volatile.Write(ref _highest, highest);
        Volatile.Write(ref _queueTicks, queueTicks);
    }
}
