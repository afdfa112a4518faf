using System.Text.Json;
using System.Threading.Channels;
using Agent.Transport.Channels;

namespace Agent.Tests.Channels;

/// <summary>Viewers' channels without a media loop: what is said to them is kept, as JSON.</summary>
internal sealed class FakeChannels : IViewerChannels
{
    private readonly Channel<ViewerMessage> _messages = Channel.CreateUnbounded<ViewerMessage>();
    private readonly Channel<JsonElement> _sent = Channel.CreateUnbounded<JsonElement>();

    public int Listeners { get; set; } = 1;

    internal List<ViewerChannel> Closed { get; } = [];

    /// <summary>Broadcasts with the camera that they are for.</summary>
    internal List<(string? Camera, JsonElement Message, int Length)> Broadcasts { get; } = [];

    public ValueTask<ViewerMessage> ReadAsync(CancellationToken cancellation) => _messages.Reader.ReadAsync(cancellation);

    public bool TrySend(ViewerChannel channel, ReadOnlyMemory<byte> text) => _sent.Writer.TryWrite(Parse(text));

    public bool TryClose(ViewerChannel channel)
    {
        Closed.Add(channel);
        return true;
    }

    public bool TryBroadcast(ReadOnlyMemory<byte> text, string? camera = null)
    {
        Broadcasts.Add((camera, Parse(text), text.Length));
        return true;
    }

    /// <summary>The next message to a viewer.</summary>
    internal async Task<JsonElement> NextAsync() => await _sent.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));

    internal bool HasSent => _sent.Reader.TryPeek(out _);

    private static JsonElement Parse(ReadOnlyMemory<byte> text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}

/// <summary>A clock that stands until it is moved.</summary>
internal sealed class StillClock : TimeProvider
{
    private TimeSpan _passed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _passed.Ticks;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + TimeSpan.FromDays(1) + _passed;

    internal void Advance(TimeSpan time) => _passed += time;
}
