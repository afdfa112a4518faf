using Agent.Configuration;
using Agent.Devices;
using Agent.Home;
using Agent.Transport.Channels;

namespace Agent.Channels;

/// <summary>What is said on viewers' data channels: one task hears them, another tells them.</summary>
internal sealed partial class ViewerConversations : IAsyncDisposable
{
    /// <summary>A handler that takes longer is given up, as over MQTT and HTTP.</summary>
    private static readonly TimeSpan s_commandTimeout = TimeSpan.FromSeconds(10);

    private readonly IViewerChannels _channels;
    private readonly ControlChannel _control;
    private readonly TelemetryChannel _telemetry;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _tasks;

    public ViewerConversations(
        AgentOptions options, EntityRegistry entities, IViewerChannels channels, IReadOnlyList<CameraPipeline> cameras, TimeProvider clock, ILoggerFactory loggers)
    {
        _channels = channels;
        _log = loggers.CreateLogger<ViewerConversations>();

        // WHEP is behind the same token as POST /api/entities. A broker's access list tells who may watch from who may command: only it knows.
        _control = new ControlChannel(
            entities, channels, via => via == "whep" || (via == "mqtt" && options.Mqtt.ViewersMayCommand), s_commandTimeout, clock,
            loggers.CreateLogger<ControlChannel>());
        _telemetry = new TelemetryChannel(entities, channels, cameras, clock);
        _tasks = Task.WhenAll(Task.Run(HearAsync), Task.Run(TellAsync));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _tasks;
        await _control.DisposeAsync();
        _telemetry.Dispose();
        _stop.Dispose();
    }

    private Task HearAsync() => GuardAsync(async () =>
    {
        while (true)
        {
            var message = await _channels.ReadAsync(_stop.Token);
            switch (message.Channel.Label, message.Text)
            {
                case (ViewerChannelLabels.Control, null):
                    _control.Open(message.Channel);
                    break;
                case (ViewerChannelLabels.Control, _):
                    _control.Handle(message);
                    break;
                case (ViewerChannelLabels.Telemetry, null):
                    _telemetry.Open(message.Channel);
                    break;
                case (ViewerChannelLabels.Telemetry, _):
                    break; // there is nothing to say on it
                case (_, null):
                    _channels.TrySend(message.Channel, ChannelJson.Error("unknown-channel", "This agent has the channels \"control\" and \"telemetry\"."));
                    _channels.TryClose(message.Channel);
                    break;
            }
        }
    });

    private Task TellAsync() => GuardAsync(() => _telemetry.RunAsync(_stop.Token));

    private async Task GuardAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Disposed.
        }
        catch (ObjectDisposedException) when (_stop.IsCancellationRequested)
        {
            // The media loop went first.
        }
        catch (Exception bug)
        {
            // The task has no caller to throw to, and pictures go on without it.
            LogBroken(bug);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Viewers' data channels are not served any more: this is a bug")]
    private partial void LogBroken(Exception bug);
}
