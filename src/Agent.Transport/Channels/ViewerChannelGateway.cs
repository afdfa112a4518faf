using Agent.Rtc;

namespace Agent.Transport.Channels;

/// <inheritdoc/>
internal sealed class ViewerChannelGateway(MediaLoop loop, ViewerInbox inbox) : IViewerChannels
{
    /// <inheritdoc/>
    public int Listeners => inbox.Listeners;

    /// <inheritdoc/>
    public ValueTask<ViewerMessage> ReadAsync(CancellationToken cancellation) => inbox.ReadAsync(cancellation);

    /// <inheritdoc/>
    public bool TrySend(ViewerChannel channel, ReadOnlyMemory<byte> text) =>
        TryApply(channel, text, static (one, to, bytes, now) => one.Channels.Send(to, bytes.Span, now));

    /// <inheritdoc/>
    public bool TryClose(ViewerChannel channel) => TryApply(channel, default, static (one, to, _, now) => one.Channels.Close(to, now));

    /// <inheritdoc/>
    public bool TryBroadcast(ReadOnlyMemory<byte> text, string? camera) => loop.TryInvoke(
        () =>
        {
            // Backwards: a session that throws is removed.
            for (var i = loop.Viewers.Count - 1; i >= 0; i--)
            {
                if (camera is null || loop.Viewers[i].Terms.Camera == camera)
                    loop.Apply(loop.Viewers[i], text, static (one, bytes, now) => one.Channels.SendTelemetry(bytes.Span, now));
            }

            return true;
        },
        out _);

    private bool TryApply(ViewerChannel channel, ReadOnlyMemory<byte> text, Action<Viewer, ViewerChannel, ReadOnlyMemory<byte>, MonotonicTime> action) => loop.TryInvoke(
        () =>
        {
            if (loop.Viewers.FirstOrDefault(one => one.Terms.SessionId == channel.SessionId) is { } viewer)
                loop.Apply(viewer, (channel, text, action), static (one, state, now) => state.action(one, state.channel, state.text, now));
            return true;
        },
        out _);
}
