using Agent.Devices.Probe;
using Agent.Devices.Sources;
using Agent.Home;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Tests.Home;

/// <summary>A camera's controls as entities, over a driver that is made up here.</summary>
public sealed class CameraControlEntitiesTests
{
    private static readonly ControlReport Brightness = Integer("brightness", 0, 255, 5, 130);
    private static readonly ControlReport AutoExposure = new(
        2, "auto_exposure", "Auto Exposure", "menu", 0, 3, 1, 3, 3, [new(1, "Manual Mode"), new(3, "Aperture Priority Mode")], null);
    private static readonly ControlReport ExposureTime = Integer("exposure_time_absolute", 1, 5000, 1, 166) with { Obstacle = "auto_exposure holds it" };
    private static readonly ControlReport PowerLine = new(
        4, "power_line_frequency", "Power Line Frequency", "menu", 0, 2, 1, 1, 1, [new(0, "Disabled"), new(1, "50 Hz"), new(2, "60 Hz")], null);
    private static readonly ControlReport Flip = new(5, "horizontal_flip", "Horizontal Flip", "boolean", 0, 1, 1, 0, 0, [], null);
    private static readonly ControlReport Reset = new(6, "pan_reset", "Pan, Reset", "button", 0, 0, 0, 0, null, [], null);

    private readonly EntityRegistry _home = new();
    private readonly List<(string Name, string Value)> _wishes = [];
    private readonly CameraControlEntities _entities;
    private IReadOnlyList<ControlReport> _controls = [Brightness, AutoExposure, ExposureTime, PowerLine, Flip, Reset];
    private string _source = "v4l2 Acme";

    public CameraControlEntitiesTests() =>
        _entities = new("Front-1", _home, () => _source, () => _controls, Set, NullLogger.Instance);

    private static ControlReport Integer(string key, long minimum, long maximum, long step, long value) =>
        new(1, key, key, "integer", minimum, maximum, step, minimum, value, [], null);

    private ControlOutcome Set(string name, string value)
    {
        _wishes.Add((name, value));
        return name == "exposure_time_absolute" ? new(false, 0, "it is held")
            : new(true, value switch { "true" => 1, "false" => 0, "140" => 135, "PRESS" => 0, _ => long.Parse(value, System.Globalization.CultureInfo.InvariantCulture) }, null);
    }

    private EntityState Find(string control) => _home.Find($"front_1_control_{control}")!;

    private ValueTask<CommandOutcome> ExecuteAsync(string control, string command) => _home.ExecuteAsync($"front_1_control_{control}", command, CancellationToken.None);

    [Fact]
    public void Each_control_becomes_the_kind_that_it_is()
    {
        _entities.Update();
        Assert.Equal(
            [("brightness", "130", true, true), ("auto_exposure", "Aperture Priority Mode", true, true), ("exposure_time_absolute", "166", false, true),
             ("power_line_frequency", "50 Hz", true, false), ("horizontal_flip", "OFF", true, false), ("pan_reset", null, true, false)],
            _home.All.Select(e => (e.Entity.Id["front_1_control_".Length..], e.Value, e.IsAvailable, e.Entity.IsEnabledByDefault)));
        Assert.All(_home.All, e => Assert.Equal(EntityCategory.Config, e.Entity.Category));
        var number = Assert.IsType<NumberEntity>(Find("brightness").Entity);
        Assert.Equal((0, 255, 5, "Front-1 brightness"), (number.Minimum, number.Maximum, number.Step, number.Name));
        Assert.Equal(["Disabled", "50 Hz", "60 Hz"], Assert.IsType<SelectEntity>(Find("power_line_frequency").Entity).Options);
        Assert.IsType<SwitchEntity>(Find("horizontal_flip").Entity);
        Assert.IsType<ButtonEntity>(Find("pan_reset").Entity);
    }

    [Fact]
    public async Task A_command_sets_the_driver_and_the_state_is_what_the_driver_made_of_it()
    {
        _entities.Update();
        foreach (var (control, command) in new[]
        {
            ("brightness", "140"), ("auto_exposure", "manual mode"), ("power_line_frequency", "60 Hz"), ("horizontal_flip", "on"), ("pan_reset", "PRESS"),
        })
        {
            Assert.True((await ExecuteAsync(control, command)).IsDone);
        }
        Assert.Equal([("brightness", "140"), ("auto_exposure", "1"), ("power_line_frequency", "2"), ("horizontal_flip", "true"), ("pan_reset", "PRESS")], _wishes);
        Assert.Equal(
            ("135", "Manual Mode", "60 Hz", "ON"),
            (Find("brightness").Value, Find("auto_exposure").Value, Find("power_line_frequency").Value, Find("horizontal_flip").Value));
        Assert.Equal(RefusalKind.Unavailable, (await ExecuteAsync("exposure_time_absolute", "5")).Kind);
        Assert.Equal(RefusalKind.Malformed, (await ExecuteAsync("power_line_frequency", "2")).Kind);

        // The automatism lets go, which the driver says at the next update; what it then refuses all the same is said.
        _controls = [ExposureTime with { Obstacle = null, Value = 200 }, Brightness with { Value = 10 }];
        _entities.Update();
        Assert.Equal(("200", true, "10"), (Find("exposure_time_absolute").Value, Find("exposure_time_absolute").IsAvailable, Find("brightness").Value));
        Assert.Equal("it is held", (await ExecuteAsync("exposure_time_absolute", "5")).Problem);
        Assert.Equal("200", Find("exposure_time_absolute").Value);
    }

    [Fact]
    public void While_the_camera_is_away_its_controls_are_unavailable_and_another_cameras_take_their_place()
    {
        _entities.Update();
        _controls = [];
        _entities.Update();
        Assert.Equal(6, _home.All.Count);
        Assert.All(_home.All, e => Assert.False(e.IsAvailable));

        _controls = [Brightness, Flip];
        _entities.Update();
        Assert.Equal(6, _home.All.Count);
        Assert.Equal(["brightness", "horizontal_flip"], _home.All.Where(e => e.IsAvailable).Select(e => e.Entity.Id["front_1_control_".Length..]));

        (_source, _controls) = ("v4l2 Other", [Integer("brightness", -64, 64, 1, 0), PowerLine with { Choices = [new(1, "50 Hz"), new(2, "60 Hz")] }]);
        _entities.Update();
        Assert.Equal([("front_1_control_brightness", "0"), ("front_1_control_power_line_frequency", "50 Hz")], _home.All.Select(e => (e.Entity.Id, e.Value!)));
        Assert.Equal(-64, Assert.IsType<NumberEntity>(Find("brightness").Entity).Minimum);
        Assert.Equal(["50 Hz", "60 Hz"], Assert.IsType<SelectEntity>(Find("power_line_frequency").Entity).Options);
    }

    [Fact]
    public void What_no_home_could_show_is_left_out_and_entries_of_one_name_are_told_apart()
    {
        _home.Register(new SensorEntity("front_1_control_gain", "Taken"));
        _controls =
        [
            Integer("gain", 0, 9, 1, 1), Integer("empty_range", 4, 4, 1, 4), Integer("", 0, 9, 1, 1), Integer(new string('x', 60), 0, 9, 1, 1),
            Flip with { Type = "bitmask", Key = "bits" }, Flip with { Type = "other", Key = "other" }, PowerLine with { Key = "none", Choices = [] },
            PowerLine with { Choices = [new(0, "Auto"), new(1, "auto"), new(2, "")] },
        ];
        _entities.Update();
        Assert.Equal(["front_1_control_gain", "front_1_control_power_line_frequency"], _home.All.Select(e => e.Entity.Id));
        Assert.Equal(["Auto (0)", "auto (1)", "(2)"], Assert.IsType<SelectEntity>(Find("power_line_frequency").Entity).Options);
        Assert.Equal("auto (1)", Find("power_line_frequency").Value);
    }
}
