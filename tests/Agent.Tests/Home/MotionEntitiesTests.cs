using Agent.Devices;
using Agent.Devices.Motion;
using Agent.Home;
using Agent.Http;
using Agent.Media.Motion;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Tests.Home;

/// <summary>What a smart home is given of motion; that it moves is shown end to end.</summary>
public sealed class MotionEntitiesTests
{
    private static readonly MotionOptions Options = new()
    {
        Enabled = true, Settings = new MotionSettings { Zones = [new MotionZone("Front-gate", MotionArea.WholePicture)] },
    };

    [Fact]
    public async Task A_camera_with_motion_has_its_entities_and_one_without_has_none()
    {
        await using var home = new Home(null);
        Assert.Equal(
            ["porch_motion", "porch_motion_front_gate", "porch_last_event", "porch_motion_detection", "porch_motion_sensitivity"],
            home.Entities.All.Select(state => state.Entity.Id));
        Assert.Equal(("OFF", false), (home.Find("porch_motion").Value, home.Find("porch_motion").IsAvailable));
        Assert.Equal(("OFF", false), (home.Find("porch_motion_front_gate").Value, home.Find("porch_motion_front_gate").IsAvailable));
        Assert.Equal(("motion", "motion"), (home.Find("porch_motion").Entity.DeviceClass, home.Find("porch_motion_front_gate").Entity.DeviceClass));
        Assert.Equal(("ON", "50"), (home.Find("porch_motion_detection").Value, home.Find("porch_motion_sensitivity").Value));
        Assert.Equal(RefusalKind.TakesNoCommands, (await home.Entities.ExecuteAsync("porch_motion", "ON", default)).Kind);
        Assert.Equal(RefusalKind.Malformed, (await home.Entities.ExecuteAsync("porch_motion_sensitivity", "101", default)).Kind);
    }

    [Fact]
    public async Task What_is_set_takes_effect_and_is_remembered()
    {
        var folder = Directory.CreateTempSubdirectory("motion-").FullName;
        try
        {
            await using (var home = new Home(folder))
            {
                Assert.True((await home.Entities.ExecuteAsync("porch_motion_sensitivity", "72", default)).IsDone);
                Assert.True((await home.Entities.ExecuteAsync("porch_motion_detection", "off", default)).IsDone);
                Assert.Equal((72, false), (home.Motion.Sensitivity, home.Motion.IsWanted));
                Assert.Equal(("72", "OFF"), (home.Find("porch_motion_sensitivity").Value, home.Find("porch_motion_detection").Value));
            }
            await using var next = new Home(folder);
            Assert.Equal((72, false), (next.Motion.Sensitivity, next.Motion.IsWanted));
            Assert.Equal(("72", "OFF"), (next.Find("porch_motion_sensitivity").Value, next.Find("porch_motion_detection").Value));
            Assert.True((await next.Entities.ExecuteAsync("porch_motion_detection", "ON", default)).IsDone);
            Assert.True(next.Motion.IsWanted);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed class Home : IAsyncDisposable
    {
        private readonly PersistentState _state;
        private readonly CameraPipeline[] _cameras;
        private readonly HomeMotion _motion;

        public Home(string? folder)
        {
            _state = new PersistentState(folder, NullLogger<PersistentState>.Instance);
            _cameras =
            [
                new CameraPipeline(new CameraOptions { Name = "Porch", Motion = Options }, NullLoggerFactory.Instance),
                new CameraPipeline(new CameraOptions { Name = "yard" }, NullLoggerFactory.Instance),
            ];
            _motion = new HomeMotion([.. _cameras.Select(camera => new CameraUnit(camera, new CameraPrivacy(camera, _state)))], Entities, _state, NullLoggerFactory.Instance);
        }

        public EntityRegistry Entities { get; } = new();

        public CameraMotion Motion => Assert.Single(_motion.Cameras);

        public EntityState Find(string id) => Entities.Find(id)!;

        public async ValueTask DisposeAsync()
        {
            await _motion.DisposeAsync();
            foreach (var camera in _cameras) camera.Dispose();
            await _state.DisposeAsync();
        }
    }
}
