using System.Threading.Channels;

namespace Agent.Transport.Channels;

/// <summary>What viewers say on their channels, from the media loop to one reader. Drop policy: the newest is dropped and counted.</summary>
internal sealed class ViewerInbox
{
    /// <summary>Every viewer of a small home at once, with room.</summary>
    internal const int Capacity = 256;

    private readonly Channel<(ViewerMessage Message, ViewerShare Share)> _queue = Channel.CreateBounded<(ViewerMessage, ViewerShare)>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, SingleWriter = true });
    private long _dropped;
    private long _telemetryDropped;
    private int _listeners;

    /// <summary>Messages of viewers that were not taken.</summary>
    internal long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Telemetry that was not sent because a viewer's way was full.</summary>
    internal long TelemetryDropped => Interlocked.Read(ref _telemetryDropped);

    internal int Listeners => Volatile.Read(ref _listeners);

    /// <summary>The loop's.</summary>
    internal void AddListener(int change) => Interlocked.Add(ref _listeners, change);

    /// <summary>The loop's.</summary>
    internal void Post(in ViewerMessage message, ViewerShare share)
    {
        var hasRoom = share.TryTake();
        if (hasRoom && _queue.Writer.TryWrite((message, share))) return;
        if (hasRoom) share.GiveBack();
        CountDropped();
    }

    /// <summary>The loop's: a message of a kind that no channel takes.</summary>
    internal void CountDropped() => Interlocked.Increment(ref _dropped);

    /// <summary>The loop's.</summary>
    internal void CountTelemetryDropped() => Interlocked.Increment(ref _telemetryDropped);

    internal async ValueTask<ViewerMessage> ReadAsync(CancellationToken cancellation)
    {
        var (message, share) = await _queue.Reader.ReadAsync(cancellation).ConfigureAwait(false);
        share.GiveBack();
        return message;
    }
}

/// <summary>One viewer's share of the inbox, so that a flood of one does not keep the others out.</summary>
internal sealed class ViewerShare
{
    /// <summary>A slider that is dragged sends as fast as the screen is drawn; the reader is never this far behind.</summary>
    internal const int Size = 32;

    private int _taken;

    internal bool TryTake()
    {
        if (Interlocked.Increment(ref _taken) <= Size) return true;
        GiveBack();
        return false;
    }

    internal void GiveBack() => Interlocked.Decrement(ref _taken);
}
