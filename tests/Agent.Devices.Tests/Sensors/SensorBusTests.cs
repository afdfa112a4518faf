using Agent.Devices.Sensors;

namespace Agent.Devices.Tests.Sensors;

public sealed class SensorBusTests : IDisposable
{
    private readonly CollectingLoggers _log = new();

    public void Dispose() => _log.Dispose();

    private readonly Sensor _first;
    private readonly Sensor _second;
    private readonly SensorBus _bus;
    private readonly List<string> _begun = [];

    public SensorBusTests()
    {
        (_first, _second) = (Make("first", 10), Make("second", 30));
        _bus = new SensorBus("w1", [_first, _second]);
    }

    private Sensor Make(string name, int seconds) => new(new SensorOptions { Name = name, Interval = TimeSpan.FromSeconds(seconds) }, new SensorTests.NoSource(), _log);

    private double Advance(double seconds)
    {
        var next = _bus.Advance(TimeSpan.FromSeconds(seconds), (bus, sensor) => _begun.Add(sensor.Options.Name));
        return next == TimeSpan.MaxValue ? double.PositiveInfinity : next.TotalSeconds;
    }

    private void Complete(double value, double seconds) => _bus.Complete(SensorReading.Of(value), TimeSpan.FromSeconds(seconds));

    [Fact]
    public void One_is_read_after_the_other_the_longest_waiting_first()
    {
        Assert.Equal(10, Advance(0));
        Assert.Equal(10, Advance(0.5));
        Assert.Equal(["first"], _begun);
        Complete(20, 0.75);
        Advance(0.75);
        Assert.Equal(["first", "second"], _begun);
        Complete(21, 1.5);
        Assert.Equal(10, Advance(1.5));
        Advance(35);
        Complete(20, 36);
        Advance(36);
        Assert.Equal(["first", "second", "first", "second"], _begun);
    }

    [Fact]
    public void A_driver_that_does_not_answer_makes_its_bus_unavailable_until_it_does()
    {
        Advance(0);
        Complete(20, 0);
        Advance(0);
        Complete(21, 0);
        Assert.Equal(10, Advance(0));
        Assert.Equal(20, Advance(10));
        Assert.Equal((20.0, 21.0), (_first.GetStatus().Value, _second.GetStatus().Value));
        Assert.Equal(double.PositiveInfinity, Advance(20));
        Assert.Equal((null, null), (_first.GetStatus().Value, _second.GetStatus().Value));
        Assert.Equal(1, _bus.Hangs);
        Assert.Equal(
            [
                "Sensor first is unavailable: its driver has not answered for 10 s. It is tried again",
                "Sensor second is unavailable: the driver of first, on the same bus, has not answered for 10 s. It is tried again",
            ],
            _log.Lines);
        // Nothing further is asked of it, and the answer that comes in the end is an old one.
        _begun.Clear();
        Assert.Equal(double.PositiveInfinity, Advance(1000));
        Assert.Empty(_begun);
        Complete(99, 2000);
        Assert.Null(_first.GetStatus().Value);
        Advance(2000);
        Complete(22, 2000.5);
        Advance(2000.5);
        Complete(23, 2001);
        Assert.Equal((22.0, 23.0), (_first.GetStatus().Value, _second.GetStatus().Value));
        Assert.Equal(["Sensor first is back", "Sensor second is back"], _log.Lines.Skip(2));
    }
}
