using Agent.Configuration;
using Agent.Devices.Pwm;
using Agent.Home;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Tests.Home;

public sealed class PanTiltEntitiesTests : IAsyncDisposable
{
    private static readonly PanTiltOptions Options = new()
    {
        Name = "porch", Home = new(10, 5), Tilt = new() { Channel = 1, MinimumAngle = -30 }, Presets = [new PanTiltPreset("front_door", new(-20, 0))],
    };

    private readonly EntityRegistry _entities = new();
    private readonly PersistentState _state = new(null, NullLogger<PersistentState>.Instance);
    private readonly List<string?> _answers = [];

    public ValueTask DisposeAsync() => _state.DisposeAsync();

    /// <summary>The thread's part is played here.</summary>
    private PanTiltEntities Make(PanTiltOptions? options = null) => new(options ?? Options, _entities, _state, NullLogger.Instance, (_, run) =>
    {
        var answer = run(TimeSpan.Zero);
        _answers.Add(answer);
        return Task.FromResult(answer);
    });

    [Fact]
    public void Every_entity_is_shown_with_its_limits_and_none_is_available_before_the_channels_are()
    {
        Make();
        Assert.Equal(
            ["porch_pan", "porch_tilt", "porch_stop", "porch_home", "porch_store_home", "porch_preset_front_door", "porch_store_front_door", "porch_moving"],
            _entities.All.Select(state => state.Entity.Id));
        Assert.Equal(PanTiltEntities.Ids(Options).Order(), _entities.All.Select(state => state.Entity.Id).Order());
        Assert.All(_entities.All, state => Assert.False(state.IsAvailable));
        var tilt = Assert.IsType<NumberEntity>(_entities.Find("porch_tilt")!.Entity);
        Assert.Equal((-30, 45, 0.5, "°"), (tilt.Minimum, tilt.Maximum, tilt.Step, tilt.Unit));
        Assert.Equal(("10", "5", "OFF"), (_entities.Find("porch_pan")!.Value, _entities.Find("porch_tilt")!.Value, _entities.Find("porch_moving")!.Value));
    }

    [Theory]
    [InlineData("-12.5 40", "-12.5", "40")]
    [InlineData("-300 300", "-45", "45")]
    [InlineData("nonsense", "10", "5")]
    [InlineData("NaN 3", "10", "5")]
    [InlineData(null, "10", "5")]
    public void It_looks_where_it_looked_last_within_todays_limits(string? kept, string pan, string tilt)
    {
        _state.Keep("panTilt.porch.position", kept);
        Make();
        Assert.Equal((pan, tilt), (_entities.Find("porch_pan")!.Value, _entities.Find("porch_tilt")!.Value));
    }

    [Fact]
    public async Task A_command_reaches_the_device_and_its_refusal_whoever_asked()
    {
        Make();
        foreach (var id in new[] { "porch_pan", "porch_preset_front_door", "porch_stop", "porch_home" })
        {
            _entities.SetAvailable(id, true);
            var outcome = await _entities.ExecuteAsync(id, "12", default);
            Assert.Equal(RefusalKind.Failed, outcome.Kind);
            Assert.Contains("is not open yet", outcome.Problem, StringComparison.Ordinal);
        }
        Assert.Equal(4, _answers.Count);
    }

    [Fact]
    public async Task A_preset_is_stored_over_the_configured_one()
    {
        _state.Keep("panTilt.porch.position", "-40 12.3");
        Make();
        _entities.SetAvailable("porch_store_front_door", true);
        Assert.True((await _entities.ExecuteAsync("porch_store_front_door", "PRESS", default)).IsDone);
        Assert.Equal("-40 12.3", _state.Find("panTilt.porch.preset.front_door"));
    }

    [Fact]
    public void A_name_that_is_taken_is_left_to_whoever_has_it()
    {
        _entities.Register(new SensorEntity("porch_pan", "A camera's control"));
        using var pwm = PwmEntities.Create(new AgentOptions { PanTilts = [Options, Options with { Name = "yard" }] }, _entities, _state, NullLoggerFactory.Instance);
        Assert.Null(_entities.Find("porch_tilt"));
        Assert.NotNull(_entities.Find("yard_tilt"));
    }
}
