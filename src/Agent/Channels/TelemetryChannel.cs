using System.Diagnostics;
using System.Text.Json;
using Agent.Devices;
using Agent.Home;
using Agent.Transport.Channels;

namespace Agent.Channels;

/// <summary>
/// The channel <c>telemetry</c>: entities' states as they change and each camera's statistics once a second, with the times at which they
/// were so. Nothing is sent twice, so all states are told again now and then. Costs nothing while nobody listens.
/// </summary>
internal sealed class TelemetryChannel : IDisposable
{
    /// <summary>A message that fits one packet is lost no more often than packets are: 1132 bytes less what JSON adds to the last state.</summary>
    internal const int MessageBytes = 900;

    /// <summary>Changes within it travel together: a servo's steps, a slider's.</summary>
    private static readonly TimeSpan s_gathering = TimeSpan.FromMilliseconds(20);

    internal static readonly TimeSpan StatisticsInterval = TimeSpan.FromSeconds(1);

    /// <summary>How long a viewer that has missed a change shows the old state at most.</summary>
    internal static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(10);

    private readonly EntityRegistry _entities;
    private readonly IViewerChannels _channels;
    private readonly IReadOnlyList<CameraPipeline> _cameras;
    private readonly TimeProvider _clock;
    private readonly EntityTimes _times;
    private long _statisticsAt;
    private long _refreshedAt;

    public TelemetryChannel(EntityRegistry entities, IViewerChannels channels, IReadOnlyList<CameraPipeline> cameras, TimeProvider clock)
    {
        (_entities, _channels, _cameras, _clock) = (entities, channels, cameras, clock);
        _times = new EntityTimes(entities, clock);
        _statisticsAt = _refreshedAt = clock.GetTimestamp();
    }

    /// <summary>Tells a new listener everything.</summary>
    public void Open(ViewerChannel channel) => SendStates(_times.All(), text => _channels.TrySend(channel, text));

    /// <summary>Tells all listeners what happens, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await _times.WaitAsync(StatisticsInterval, cancellation);
            Tell();
            await Task.Delay(s_gathering, _clock, cancellation);
        }
    }

    public void Dispose() => _times.Dispose();

    /// <summary>What is due now.</summary>
    internal void Tell()
    {
        var changed = _times.Take();
        if (_channels.Listeners == 0) return;
        if (IsDue(ref _refreshedAt, RefreshInterval)) changed = _times.All();
        SendStates(changed, text => _channels.TryBroadcast(text));
        if (!IsDue(ref _statisticsAt, StatisticsInterval)) return;
        foreach (var camera in _cameras) _channels.TryBroadcast(DescribeCamera(camera), camera.Options.Name);
    }

    private bool IsDue(ref long last, TimeSpan interval)
    {
        var now = _clock.GetTimestamp();
        if (_clock.GetElapsedTime(last, now) < interval) return false;
        last = now;
        return true;
    }

    private void SendStates(IReadOnlyList<(string Id, long At)> states, Action<ReadOnlyMemory<byte>> send)
    {
        for (var next = 0; next < states.Count;)
        {
            var text = ChannelJson.Write("states", states, (json, all) =>
            {
                json.WriteNumber("sentAt", _clock.GetUtcNow().ToUnixTimeMilliseconds());
                json.WriteStartArray("states");
                for (; next < all.Count && json.BytesCommitted + json.BytesPending < MessageBytes; next++) WriteState(json, all[next].Id, all[next].At);
                json.WriteEndArray();
            });
            send(text);
        }
    }

    private void WriteState(Utf8JsonWriter json, string id, long at)
    {
        var state = _entities.Find(id);
        json.WriteStartObject();
        json.WriteString("id", id);
        if (state is null) json.WriteBoolean("removed", true);
        if (state?.Value is { } value) json.WriteString("value", value);
        if (state is { IsAvailable: false }) json.WriteBoolean("available", false);
        if (at != 0) json.WriteNumber("at", at);
        json.WriteEndObject();
    }

    private ReadOnlyMemory<byte> DescribeCamera(CameraPipeline camera)
    {
        var now = _clock.GetUtcNow();
        var captured = camera.LastCapturedAt;
        // Frames' times are on CLOCK_MONOTONIC, which Stopwatch reads.
        var capturedAt = captured == TimeSpan.Zero ? (DateTimeOffset?)null : now - (Stopwatch.GetElapsedTime(0) - captured);
        return ChannelJson.Write("camera", (camera.GetStatus(), now, capturedAt), static (json, one) =>
        {
            var (status, sentAt, frameAt) = one;
            json.WriteNumber("sentAt", sentAt.ToUnixTimeMilliseconds());
            json.WriteString("camera", status.Name);
            if (frameAt is { } at) json.WriteNumber("capturedAt", at.ToUnixTimeMilliseconds());
            json.WriteBoolean("producing", status.IsProducing);
            json.WriteNumber("framesPerSecond", Math.Round(status.FramesPerSecond, 1));
            json.WriteNumber("bitsPerSecond", status.BitrateBps);
            json.WriteNumber("targetBitsPerSecond", status.TargetBitrateBps);
            json.WriteNumber("framesEncoded", status.FramesEncoded);
            json.WriteNumber("framesDropped", status.FramesDropped);
        });
    }
}
