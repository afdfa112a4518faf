using Agent.Configuration;
using Agent.Devices;
using Agent.Devices.Gpio;
using Agent.Home;
using Agent.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Tests.Home;

public sealed class GpioEntitiesTests : IAsyncDisposable
{
    private readonly EntityRegistry _entities = new();
    private readonly PersistentState _state = new(null, NullLogger<PersistentState>.Instance);
    private readonly CameraPipeline _camera = new(new CameraOptions { Name = "porch" }, NullLoggerFactory.Instance);
    private readonly CameraPrivacy _privacy;

    public GpioEntitiesTests() => _privacy = new CameraPrivacy(_camera, _state);

    public ValueTask DisposeAsync() => _state.DisposeAsync();

    private GpioEntities? Create(params GpioOptions[] things) =>
        GpioEntities.Create(
            new AgentOptions { Gpio = things }, _entities, _state, new Dictionary<string, CameraUnit> { ["porch"] = new(_camera, _privacy) }, NullLoggerFactory.Instance);

    [Fact]
    public void Without_a_section_there_is_nothing()
    {
        Assert.Null(Create());
        Assert.Empty(_entities.All);
    }

    [Theory]
    [InlineData(GpioKind.Motion, typeof(BinarySensorEntity), "motion", null, false)]
    [InlineData(GpioKind.Door, typeof(BinarySensorEntity), "door", null, false)]
    [InlineData(GpioKind.Window, typeof(BinarySensorEntity), "window", null, false)]
    [InlineData(GpioKind.Contact, typeof(BinarySensorEntity), "moisture", null, false)]
    [InlineData(GpioKind.PrivacySwitch, typeof(BinarySensorEntity), null, null, false)]
    [InlineData(GpioKind.Button, typeof(EventEntity), "button", null, false)]
    [InlineData(GpioKind.Pulse, typeof(ButtonEntity), null, null, true)]
    [InlineData(GpioKind.Switch, typeof(SwitchEntity), "switch", "OFF", true)]
    [InlineData(GpioKind.Relay, typeof(SwitchEntity), null, "OFF", true)]
    [InlineData(GpioKind.IrLed, typeof(SwitchEntity), null, "OFF", true)]
    [InlineData(GpioKind.IrCut, typeof(SwitchEntity), null, "OFF", true)]
    [InlineData(GpioKind.Light, typeof(LightEntity), null, "0", true)]
    public void Each_kind_is_an_entity_that_is_unavailable_until_its_line_is_there(GpioKind kind, Type type, string? deviceClass, string? value, bool takesCommands)
    {
        using var gpio = Create(new GpioOptions { Name = "back_yard", Kind = kind, Line = "X", DeviceClass = kind == GpioKind.Contact ? "moisture" : null });
        var state = Assert.Single(_entities.All);
        Assert.IsType(type, state.Entity);
        Assert.Equal(
            ("back yard", deviceClass, value, false, takesCommands),
            (state.Entity.Name, state.Entity.DeviceClass, state.Value, state.IsAvailable, state.TakesCommands));
    }

    [Theory]
    [InlineData(OutputAtStart.Restore, "ON", "ON")]
    [InlineData(OutputAtStart.Restore, "OFF", "OFF")]
    [InlineData(OutputAtStart.Restore, null, "ON")]
    [InlineData(OutputAtStart.On, "OFF", "ON")]
    [InlineData(OutputAtStart.Off, "ON", "OFF")]
    public void A_filter_on_a_bridge_starts_as_configured_from_what_was_kept_and_for_daylight_otherwise(OutputAtStart start, string? kept, string expected)
    {
        _state.Keep("gpio.ir_cut.on", kept);
        using var gpio = Create(new GpioOptions { Name = "ir_cut", Kind = GpioKind.IrCut, Line = "X", OutLine = "Y", Start = start });
        Assert.Equal(expected, Assert.Single(_entities.All).Value);
    }

    [Fact]
    public void A_name_that_is_taken_is_left_to_whoever_has_it_but_a_privacy_switch_works_all_the_same()
    {
        _entities.Register(new SensorEntity("viewers", "Viewers"));
        using var gpio = Create(new GpioOptions { Name = "viewers", Kind = GpioKind.PrivacySwitch, Line = "X" });
        Assert.IsType<SensorEntity>(Assert.Single(_entities.All).Entity);
        Assert.True(_camera.WantsPrivacy);
    }

    [Fact]
    public async Task A_privacy_switch_that_has_not_been_read_keeps_its_cameras_off_and_cannot_be_overruled()
    {
        using var gpio = Create(new GpioOptions { Name = "key", Kind = GpioKind.PrivacySwitch, Line = "X", Cameras = ["porch"] });
        Assert.True(_camera.WantsPrivacy);
        var outcome = await _privacy.SetAsync(false, CancellationToken.None);
        Assert.Equal("camera \"porch\" is private by the switch \"key\" at the device, and by that alone it is turned on again", outcome.Problem);
        Assert.True(_camera.WantsPrivacy);
    }

    [Fact]
    public void A_privacy_switch_leaves_other_cameras_alone()
    {
        using var gpio = Create(new GpioOptions { Name = "key", Kind = GpioKind.PrivacySwitch, Line = "X", Cameras = ["hall"] });
        Assert.False(_camera.WantsPrivacy);
    }

    [Fact]
    public async Task When_the_last_switch_is_off_what_was_asked_for_counts_again()
    {
        _privacy.Enforce("one", true);
        _privacy.Enforce("two", true);
        _privacy.Enforce("one", false);
        Assert.True(_camera.WantsPrivacy);
        _privacy.Enforce("two", false);
        Assert.False(_camera.WantsPrivacy);
        _privacy.Enforce("one", true);
        var asked = _privacy.SetAsync(true, new CancellationToken(canceled: true)).AsTask();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        _privacy.Enforce("one", false);
        Assert.True(_camera.WantsPrivacy);
        Assert.True((await _privacy.SetAsync(false, CancellationToken.None)).IsDone);
        Assert.False(_camera.WantsPrivacy);
    }
}
