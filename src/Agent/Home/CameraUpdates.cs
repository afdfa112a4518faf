using System.Threading.Channels;
using Agent.Devices;

namespace Agent.Home;

/// <summary>
/// Keeps one camera's entities up to date, by a task of its own: a camera that is slow, or whose driver hangs, holds up no other. From its making to its disposal.
/// </summary>
internal sealed partial class CameraUpdates : IAsyncDisposable
{
    /// <summary>For a dashboard; the button takes one at once.</summary>
    private static readonly TimeSpan SnapshotInterval = TimeSpan.FromMinutes(1);

    private readonly CameraPipeline _pipeline;
    private readonly CameraEntities _camera;
    private readonly CameraControlEntities _controls;
    private readonly CameraModeEntities _mode;
    private readonly Func<bool> _isWatched;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _timer;
    private readonly Task _task;

    public CameraUpdates(
        CameraPipeline pipeline, CameraEntities camera, CameraControlEntities controls, CameraModeEntities mode, Func<bool> isWatched, TimeSpan interval,
        TimeProvider clock, ILogger log)
    {
        (_pipeline, _camera, _controls, _mode, _isWatched, _clock, _log) = (pipeline, camera, controls, mode, isWatched, clock, log);
        pipeline.ControlsChanged += Wake;
        _timer = clock.CreateTimer(_ => Wake(), null, TimeSpan.Zero, interval);
        _task = Task.Run(() => RunAsync(interval));
    }

    public async ValueTask DisposeAsync()
    {
        _pipeline.ControlsChanged -= Wake;
        await _timer.DisposeAsync();
        await _stop.CancelAsync();
        await _task;
        _stop.Dispose();
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    private async Task RunAsync(TimeSpan firstSnapshot)
    {
        var started = _clock.GetTimestamp();
        var nextSnapshot = firstSnapshot;
        Task snapshot = Task.CompletedTask;
        try
        {
            await foreach (var _ in _wake.Reader.ReadAllAsync(_stop.Token))
            {
                _camera.Publish();
                _controls.Update();
                _mode.Update();
                var now = _clock.GetElapsedTime(started);
                if (now < nextSnapshot || !snapshot.IsCompleted || !_isWatched()) continue;
                await snapshot;
                snapshot = _camera.TakeSnapshotAsync(_stop.Token);
                nextSnapshot = now + SnapshotInterval;
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
        catch (Exception bug)
        {
            // The task has no caller to throw to, and the rest of the agent can go on without a smart home.
            LogBroken(bug, _pipeline.Options.Name);
        }
        await snapshot.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The smart home is told nothing more of camera {Camera}: this is a bug")]
    private partial void LogBroken(Exception bug, string camera);
}
