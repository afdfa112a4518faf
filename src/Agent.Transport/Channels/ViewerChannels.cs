using Agent.Rtc;
using Agent.Rtc.DataChannels;

namespace Agent.Transport.Channels;

/// <summary>One viewer's data channels inside the media loop, which owns everything here.</summary>
internal sealed class ViewerChannels(ViewerTerms terms, ViewerInbox inbox) : IDataChannelHandler
{
    /// <summary>Longest message that is passed on whole; commands are a tenth of it.</summary>
    internal const int MaximumMessageBytes = 4096;

    /// <summary>Bytes that may wait on the way to a viewer before telemetry is dropped: newer values are on their heels.</summary>
    internal const int MaximumBacklog = 16 * 1024;

    private readonly Dictionary<DataChannel, ViewerChannel> _open = [];
    private readonly ViewerShare _share = new();
    private DataChannelTransport? _transport;
    private DataChannel? _telemetry;

    internal void Attach(DataChannelTransport? transport) => _transport = transport;

    /// <inheritdoc/>
    public void OnOpened(DataChannel channel)
    {
        var known = new ViewerChannel(terms.SessionId, channel.Id, channel.Label, terms.Via, terms.Client);
        _open.Add(channel, known);
        if (channel.Label == ViewerChannelLabels.Telemetry && _telemetry is null)
        {
            _telemetry = channel;
            inbox.AddListener(1);
        }

        inbox.Post(new ViewerMessage(known, null, 0), _share);
    }

    /// <inheritdoc/>
    public void OnMessage(DataChannel channel, ReadOnlySpan<byte> message, bool isText)
    {
        if (isText && _open.TryGetValue(channel, out var known))
            inbox.Post(new ViewerMessage(known, message[..Math.Min(message.Length, MaximumMessageBytes)].ToArray(), message.Length), _share);
        else
            inbox.CountDropped();
    }

    /// <inheritdoc/>
    public void OnClosed(DataChannel channel)
    {
        _open.Remove(channel);
        if (channel != _telemetry) return;
        _telemetry = null;
        inbox.AddListener(-1);
    }

    internal void Send(ViewerChannel channel, ReadOnlySpan<byte> text, MonotonicTime now)
    {
        if (Find(channel) is { } open) _transport!.TrySend(open, text, isText: true, now);
    }

    internal void Close(ViewerChannel channel, MonotonicTime now)
    {
        if (Find(channel) is { } open) _transport!.Close(open, now);
    }

    /// <summary>To who listens; dropped and counted where too much waits already.</summary>
    internal void SendTelemetry(ReadOnlySpan<byte> text, MonotonicTime now)
    {
        if (_telemetry is null) return;
        if (_transport!.BufferedBytes > MaximumBacklog || !_transport.TrySend(_telemetry, text, isText: true, now)) inbox.CountTelemetryDropped();
    }

    private DataChannel? Find(ViewerChannel channel)
    {
        foreach (var (open, known) in _open)
        {
            if (ReferenceEquals(known, channel)) return open;
        }

        return null;
    }
}
