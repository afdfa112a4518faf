using Agent.Configuration;
using Agent.Devices.Pwm;
using Agent.Home;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Tests.Home;

public sealed class PwmEntitiesTests : IAsyncDisposable
{
    private readonly EntityRegistry _entities = new();
    private readonly PersistentState _state = new(null, NullLogger<PersistentState>.Instance);

    public ValueTask DisposeAsync() => _state.DisposeAsync();

    private PwmEntities? Create(AgentOptions options) => PwmEntities.Create(options, _entities, _state, NullLoggerFactory.Instance);

    [Fact]
    public void Without_a_section_there_is_nothing()
    {
        Assert.Null(Create(new AgentOptions()));
        Assert.Empty(_entities.All);
    }

    [Theory]
    [InlineData(LightAtStart.Restore, "ON", "40", "40")]
    [InlineData(LightAtStart.Restore, "OFF", "40", "0")]
    [InlineData(LightAtStart.Restore, null, null, "0")]
    [InlineData(LightAtStart.On, "OFF", "40", "40")]
    [InlineData(LightAtStart.On, null, null, "100")]
    [InlineData(LightAtStart.On, "ON", "-7", "100")]
    [InlineData(LightAtStart.On, "ON", "999", "100")]
    [InlineData(LightAtStart.Off, "ON", "40", "0")]
    public void A_light_starts_as_configured_from_what_was_kept(LightAtStart start, string? isOn, string? brightness, string expected)
    {
        _state.Keep("pwm.porch_lamp.on", isOn);
        _state.Keep("pwm.porch_lamp.brightness", brightness);
        using var pwm = Create(new AgentOptions { PwmLights = [new PwmLightOptions { Name = "porch_lamp", Start = start }] });
        var light = Assert.Single(_entities.All);
        Assert.Equal(("porch lamp", expected, false, true), (light.Entity.Name, light.Value, light.IsAvailable, light.TakesCommands));
        Assert.True(Assert.IsType<LightEntity>(light.Entity).HasBrightness);
    }

    [Fact]
    public void A_name_that_is_taken_is_left_to_whoever_has_it()
    {
        _entities.Register(new SensorEntity("viewers", "Viewers"));
        using var pwm = Create(new AgentOptions { PwmLights = [new PwmLightOptions { Name = "viewers" }, new PwmLightOptions { Name = "lamp", Channel = 1 }] });
        Assert.Equal(["viewers", "lamp"], _entities.All.Select(state => state.Entity.Id));
        Assert.IsType<SensorEntity>(_entities.Find("viewers")!.Entity);
    }
}
