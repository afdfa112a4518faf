using Agent.Devices.Sensors;
using Agent.Home;
using Agent.Http;
using Agent.Tests.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Tests.Home;

public sealed class SensorEntitiesTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly EntityRegistry _entities = new();

    private SensorEntities? Create(Func<SensorReading> read, params SensorOptions[] options) =>
        SensorEntities.Create(options, _ => new Source(read), _entities, TimeProvider.System, NullLoggerFactory.Instance);

    [Fact]
    public void Without_a_section_there_is_nothing()
    {
        Assert.Null(Create(() => SensorReading.Of(1)));
        Assert.Empty(_entities.All);
    }

    [Fact]
    public void A_sensor_is_an_entity_with_what_its_channel_says()
    {
        using var sensors = Create(() => SensorReading.Of(1), new SensorOptions { Name = "green_house", Channel = "humidityrelative" });
        var state = Assert.Single(_entities.All);
        Assert.Equal(
            new SensorEntity("green_house", "green house") { DeviceClass = "humidity", Unit = "%", StateClass = "measurement", Precision = 1, Options = ((SensorEntity)state.Entity).Options },
            state.Entity);
        Assert.Equal((false, null, false), (state.IsAvailable, state.Value, state.TakesCommands));
    }

    [Fact]
    public void A_name_that_is_taken_is_left_to_whoever_has_it()
    {
        _entities.Register(new SwitchEntity("air", "Air"));
        using var sensors = Create(() => SensorReading.Of(1), new SensorOptions { Name = "air" }, new SensorOptions { Name = "pool" });
        Assert.Equal(["air", "pool"], _entities.All.Select(state => state.Entity.Id));
        Assert.IsType<SwitchEntity>(_entities.Find("air")!.Entity);
        Assert.Equal("pool", Assert.Single(sensors!.Status).Name);
    }

    [Fact]
    public void Values_and_failures_reach_the_registry_and_the_metrics()
    {
        var reading = SensorReading.Of(21.46);
        using var changed = new AutoResetEvent(false);
        using var sensors = Create(() => reading, new SensorOptions { Name = "air", Interval = TimeSpan.FromMilliseconds(100) })!;
        _entities.Changed += (_, change) =>
        {
            if (change == EntityChange.Availability) changed.Set();
        };
        sensors.Start();
        Assert.True(changed.WaitOne(Patience));
        Assert.Equal(("21.5", true), (_entities.Find("air")!.Value, _entities.Find("air")!.IsAvailable));
        var state = new AgentState(new FakeGateway(), () => [], () => null, TimeProvider.System) { Sensors = () => sensors };
        var page = MetricsPage.Write(state);
        Assert.Contains("camera_agent_sensor_value{sensor=\"air\"} 21.46\n", page, StringComparison.Ordinal);
        Assert.Contains("camera_agent_sensor_available{sensor=\"air\"} 1\n", page, StringComparison.Ordinal);
        Assert.Contains("camera_agent_sensor_failures_total{sensor=\"air\"} 0\n", page, StringComparison.Ordinal);
        reading = SensorReading.Absent("gone");
        Assert.True(changed.WaitOne(Patience));
        Assert.False(_entities.Find("air")!.IsAvailable);
        page = MetricsPage.Write(state);
        Assert.DoesNotContain("camera_agent_sensor_value", page, StringComparison.Ordinal);
        Assert.Contains("camera_agent_sensor_available{sensor=\"air\"} 0\n", page, StringComparison.Ordinal);
    }

    private sealed class Source(Func<SensorReading> read) : ISensorSource
    {
        public SensorReading Read() => read();

        public void Dispose()
        {
        }
    }
}
