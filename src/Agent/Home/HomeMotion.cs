using Agent.Devices.Motion;
using Agent.Http;

namespace Agent.Home;

/// <summary>Looks for motion in the pictures of each camera that is configured so, and shows it to the smart home.</summary>
internal sealed class HomeMotion : IAsyncDisposable
{
    private readonly CameraMotion[] _cameras;
    private readonly MotionEntities[] _entities;

    /// <param name="cameras">All of them.</param>
    /// <param name="entities">Gets their entities, before this returns.</param>
    /// <param name="state">Remembers what is set at run time.</param>
    /// <param name="loggers">Say why a camera's pictures cannot be looked at.</param>
    public HomeMotion(IEnumerable<CameraUnit> cameras, EntityRegistry entities, PersistentState state, ILoggerFactory loggers)
    {
        // Of two whose ids would be the same the home shows the first.
        var units = cameras.DistinctBy(camera => CameraEntities.ToId(camera.Pipeline.Options.Name)).Where(camera => camera.Pipeline.Options.Motion.Enabled).ToArray();
        _cameras = [.. units.Select(camera => new CameraMotion(camera.Pipeline, loggers))];
        _entities = [.. units.Zip(_cameras, (camera, motion) => new MotionEntities(motion, camera.Snapshots, entities, state))];
    }

    /// <summary>For the metrics.</summary>
    public IReadOnlyList<CameraMotion> Cameras => _cameras;

    public async ValueTask DisposeAsync()
    {
        foreach (var camera in _cameras) camera.Dispose();
        foreach (var entities in _entities) await entities.DisposeAsync();
    }
}
