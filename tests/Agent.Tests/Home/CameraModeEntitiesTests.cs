using Agent.Devices;
using Agent.Home;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Tests.Home;

public sealed class CameraModeEntitiesTests : IAsyncDisposable
{
    private readonly EntityRegistry _home = new();
    private readonly PersistentState _state = new(null, NullLogger<PersistentState>.Instance);

    private static CameraPipeline Camera(VideoSourceKind kind = VideoSourceKind.Test) => new(
        new CameraOptions { Name = "porch", Source = new() { Kind = kind, Width = 400, Height = 226, FrameRate = 10 } }, NullLoggerFactory.Instance);

    public ValueTask DisposeAsync() => _state.DisposeAsync();

    private async Task<CommandOutcome> ExecuteAsync(string id, string command) => await _home.ExecuteAsync(id, command, CancellationToken.None);

    [Fact]
    public async Task A_choice_is_remembered_until_the_configured_value_is_chosen_again()
    {
        using var camera = Camera();
        var isOpen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        camera.ControlsChanged += () => isOpen.TrySetResult();
        var entities = new CameraModeEntities(camera, _home, _state);
        entities.Update();
        Assert.Equal(
            [("porch_target_frame_rate", "10"), ("porch_encoder_kind", "auto")], _home.All.Select(e => (e.Entity.Id, e.Value!)));
        camera.Start();
        await isOpen.Task.WaitAsync(TimeSpan.FromSeconds(30));
        entities.Update();
        var sizes = Assert.IsType<SelectEntity>(_home.Find("porch_resolution")!.Entity).Options;
        Assert.Equal(["320x180", "320x240", "400x226", "640x360", "640x480", "960x540", "1280x720", "1280x960", "1920x1080"], sizes);
        Assert.Equal("400x226", _home.Find("porch_resolution")!.Value);

        Assert.True((await ExecuteAsync("porch_resolution", "640X480")).IsDone);
        Assert.True((await ExecuteAsync("porch_target_frame_rate", "5")).IsDone);
        Assert.True((await ExecuteAsync("porch_encoder_kind", "openh264")).IsDone);
        Assert.Equal(new CameraMode { Size = new(640, 480), FrameRate = 5, Encoder = VideoEncoderKind.OpenH264 }, camera.Mode);
        Assert.Equal(("640x480", "5", "openh264"), (_home.Find("porch_resolution")!.Value, _home.Find("porch_target_frame_rate")!.Value, _home.Find("porch_encoder_kind")!.Value));
        foreach (var (id, command) in new[] { ("resolution", "641x480"), ("target_frame_rate", "0"), ("target_frame_rate", "NaN"), ("encoder_kind", "x265") })
        {
            Assert.Equal(RefusalKind.Malformed, (await ExecuteAsync($"porch_{id}", command)).Kind);
        }
        entities.Update();
        Assert.Equal("640x480", _home.Find("porch_resolution")!.Value);

        using (var next = Camera())
        {
            _ = new CameraModeEntities(next, new EntityRegistry(), _state);
            Assert.Equal(camera.Mode, next.Mode);
        }
        await ExecuteAsync("porch_resolution", "400x226");
        await ExecuteAsync("porch_target_frame_rate", "10");
        await ExecuteAsync("porch_encoder_kind", "auto");
        Assert.Equal(new CameraMode(), camera.Mode);
        Assert.Null(_state.Find("camera.porch.resolution") ?? _state.Find("camera.porch.frameRate") ?? _state.Find("camera.porch.encoder"));
    }

    [Fact]
    public void A_source_that_brings_its_own_size_and_rate_has_the_encoder_only_whatever_was_remembered()
    {
        _state.Keep("camera.porch.resolution", "640x480");
        _state.Keep("camera.porch.frameRate", "5");
        _state.Keep("camera.porch.encoder", "no such");
        using var camera = Camera(VideoSourceKind.Exec);
        var entities = new CameraModeEntities(camera, _home, _state);
        entities.Update();
        Assert.Equal(["porch_encoder_kind"], _home.All.Select(e => e.Entity.Id));
        Assert.Equal(new CameraMode(), camera.Mode);
    }
}
