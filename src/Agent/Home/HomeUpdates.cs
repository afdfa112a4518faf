using Agent.Http;
using Agent.Transport;

namespace Agent.Home;

/// <summary>Keeps the device's own entities up to date by one task, and each camera's by another, from its making to its disposal.</summary>
internal sealed partial class HomeUpdates : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>Of a camera's entities that one with the longest name, but for its controls.</summary>
    private const string LongestSuffix = "target_frame_rate";

    /// <summary>A task that hangs in a camera's driver must not keep the broker from being told that the agent stops.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromMilliseconds(300);

    private readonly DeviceEntities _device;
    private readonly CameraUpdates[] _cameras;
    private readonly IViewerGateway _viewers;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly PeriodicTimer _timer;
    private readonly Task _task;

    /// <param name="entities">Gets the entities, before this returns.</param>
    /// <param name="cameras">The cameras.</param>
    /// <param name="viewers">Counts them.</param>
    /// <param name="state">Remembers what is chosen.</param>
    /// <param name="isWatched">Whether anybody would see a picture: those of nobody's are not taken.</param>
    /// <param name="restart">Ends the agent so that it is started anew; <c>null</c> if nobody would start it.</param>
    /// <param name="clock">Paces the updates and says when the agent was started.</param>
    /// <param name="log">For bugs.</param>
    public HomeUpdates(
        EntityRegistry entities, IEnumerable<CameraUnit> cameras, IViewerGateway viewers, PersistentState state, Func<bool> isWatched, Action? restart, TimeProvider clock,
        ILogger<HomeUpdates> log)
    {
        (_viewers, _log) = (viewers, log);
        var named = cameras.ToLookup(camera => Entity.IsId($"{CameraEntities.ToId(camera.Pipeline.Options.Name)}_{LongestSuffix}"));
        foreach (var other in named[false]) LogLongName(other.Pipeline.Options.Name);
        var byId = named[true].ToLookup(camera => CameraEntities.ToId(camera.Pipeline.Options.Name));
        _cameras = [.. byId.Select(same => same.First()).Select(camera => new CameraUpdates(
            camera.Pipeline, new CameraEntities(camera, entities), new CameraControlEntities(camera.Pipeline, entities, log),
            new CameraModeEntities(camera.Pipeline, entities, state), isWatched, Interval, clock, log))];
        foreach (var other in byId.SelectMany(same => same.Skip(1))) LogSameId(other.Pipeline.Options.Name);
        _device = new DeviceEntities(entities, new DeviceHealth(), state.Folder ?? "/", restart, clock);
        _timer = new PeriodicTimer(DeviceEntities.Interval, clock);
        _task = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _task;
        _timer.Dispose();
        _stop.Dispose();
        var cameras = Task.WhenAll(_cameras.Select(camera => camera.DisposeAsync().AsTask()));
        try
        {
            await cameras.WaitAsync(StopTimeout);
        }
        catch (TimeoutException)
        {
            LogSlowStop(StopTimeout.TotalMilliseconds);
        }
    }

    private async Task RunAsync()
    {
        try
        {
            do _device.Publish(_viewers.GetStatus().Viewers);
            while (await _timer.WaitForNextTickAsync(_stop.Token));
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
        catch (Exception bug)
        {
            // The task has no caller to throw to, and the rest of the agent can go on without a smart home.
            LogBroken(bug);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Camera {Camera} is not shown to the smart home: another's name differs in case or '-' and '_' only; rename one")]
    private partial void LogSameId(string camera);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Camera {Camera} is not shown to the smart home: its name is too long for entity ids; give it a shorter one")]
    private partial void LogLongName(string camera);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A camera's driver has not answered within {Milliseconds} ms of the stop; leaving it behind")]
    private partial void LogSlowStop(double milliseconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "The smart home is told nothing more: this is a bug")]
    private partial void LogBroken(Exception bug);
}
