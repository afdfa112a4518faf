namespace Agent.Transport.Channels;

/// <summary>Labels of the data channels that viewers open.</summary>
public static class ViewerChannelLabels
{
    /// <summary>Commands and their outcomes: reliable, ordered.</summary>
    public const string Control = "control";

    /// <summary>What is going on, newest first in importance: unordered, never sent twice.</summary>
    public const string Telemetry = "telemetry";
}

/// <summary>A viewer's open data channel, as the other side of the media loop knows it.</summary>
/// <param name="sessionId">The viewer's.</param>
/// <param name="id">The channel's number in that session.</param>
/// <param name="label">As the viewer named it.</param>
/// <param name="via">How the viewer was signalled: "whep" or "mqtt".</param>
/// <param name="client">Who, for the log.</param>
public sealed class ViewerChannel(string sessionId, ushort id, string label, string via, string client)
{
    public string SessionId => sessionId;

    public ushort Id => id;

    public string Label => label;

    public string Via => via;

    public string Client => client;

    /// <summary>Whatever its reader wants to keep with it.</summary>
    public object? State { get; set; }
}

/// <summary>Something on a viewer's channel: without <see cref="Text"/>, that it was opened.</summary>
/// <param name="Channel">Where.</param>
/// <param name="Text">A message, UTF-8 as far as the sender keeps to it; of one that is too long only the beginning.</param>
/// <param name="Length">Bytes of the whole message.</param>
public readonly record struct ViewerMessage(ViewerChannel Channel, ReadOnlyMemory<byte>? Text, int Length);

/// <summary>
/// The viewers' data channels outside the media loop, from any thread. What viewers say crosses in a bounded queue, of which each has a
/// share; the newest message is dropped and counted when that is full. What is said to them crosses in the loop's queue of commands.
/// </summary>
public interface IViewerChannels
{
    /// <summary>Viewers that listen to telemetry now.</summary>
    int Listeners { get; }

    /// <summary>Waits for the next message; one reader.</summary>
    ValueTask<ViewerMessage> ReadAsync(CancellationToken cancellation);

    /// <summary>Sends a text message; false if the loop's queue is full. A channel that has gone or is full does not get it.</summary>
    bool TrySend(ViewerChannel channel, ReadOnlyMemory<byte> text);

    /// <summary>Closes a channel after what was sent; false if the loop's queue is full.</summary>
    bool TryClose(ViewerChannel channel);

    /// <summary>Sends a text message to everyone who listens to telemetry; false if the loop's queue is full.</summary>
    /// <param name="text">UTF-8; what does not fit one packet is lost more often than the rest.</param>
    /// <param name="camera">Only to those who watch this camera, <c>null</c> for all.</param>
    bool TryBroadcast(ReadOnlyMemory<byte> text, string? camera = null);
}
