using Agent.Devices.Sensors;

namespace Agent.Devices.Tests.Sensors;

public sealed class SensorTests : IDisposable
{
    private readonly CollectingLoggers _log = new();

    public void Dispose() => _log.Dispose();

    private readonly List<string> _seen = [];
    private TimeSpan _now;

    private Sensor Make(SensorOptions options)
    {
        var sensor = new Sensor(options with { Name = "x" }, new NoSource(), _log);
        sensor.ValueChanged += value => _seen.Add(value);
        sensor.AvailabilityChanged += isAvailable => _seen.Add(isAvailable ? "available" : "unavailable");
        return sensor;
    }

    /// <summary>Lets the sensor's time come and gives it readings, one after the other; returns what was seen.</summary>
    private string Give(Sensor sensor, params SensorReading[] readings)
    {
        _seen.Clear();
        foreach (var reading in readings)
        {
            _now = sensor.Due > _now ? sensor.Due : _now;
            sensor.Take(reading, _now);
        }
        return string.Join(' ', _seen);
    }

    private string Give(Sensor sensor, params double[] values) => Give(sensor, [.. values.Select(SensorReading.Of)]);

    [Fact]
    public void The_value_comes_before_it_is_available()
    {
        var sensor = Make(new SensorOptions());
        Assert.Null(sensor.GetStatus().Value);
        Assert.Equal("21.5 available", Give(sensor, 21.46));
        Assert.Equal("21.6", Give(sensor, 21.56));
        Assert.Equal(new SensorStatus("x", 21.56, 2, 0), sensor.GetStatus());
        Assert.Equal(TimeSpan.FromSeconds(60), sensor.Due);
    }

    [Theory]
    [InlineData(null, null, -0.04, "0.0")]
    [InlineData(0, null, 21.5, "22")]
    [InlineData(3, null, 21.5, "21.500")]
    [InlineData(null, "°F", 21.5, "70.7")]
    [InlineData(2, "K", 0, "273.15")]
    public void It_is_shown_in_the_unit_and_with_the_digits_that_are_wanted(int? precision, string? unit, double value, string expected)
    {
        Assert.Equal($"{expected} available", Give(Make(new SensorOptions { Precision = precision, Unit = unit }), value));
    }

    [Theory]
    [InlineData("pressure", "mmHg", 1013.25, "760.0")]
    [InlineData("pressure", "inHg", 1013.25, "29.9")]
    [InlineData("pressure", "kPa", 1013.25, "101.3")]
    [InlineData("voltage0", "mV", 1.2345, "1234.500")]
    [InlineData("humidityrelative", null, 103.2, "100.0")]
    [InlineData("humidityrelative", null, -1, "0.0")]
    public void Each_quantity_has_its_own(string channel, string? unit, double value, string expected)
    {
        Assert.Equal($"{expected} available", Give(Make(new SensorOptions { Channel = channel, Unit = unit }), value));
    }

    [Fact]
    public void Calibration_is_done_in_the_unit_shown()
    {
        Assert.Equal("69.7 available", Give(Make(new SensorOptions { Unit = "°F", Offset = -1 }), 21.5));
        // A soil's moisture: 2.8 V dry, 1.2 V wet.
        Assert.Equal("50.0 available", Give(Make(new SensorOptions { Channel = "voltage0", Unit = "%", Scale = -62.5, Offset = 175, Precision = 1 }), 2));
    }

    [Fact]
    public void Small_changes_are_not_shown_before_it_is_time_to()
    {
        var sensor = Make(new SensorOptions { DeadBand = 0.5, Interval = TimeSpan.FromMinutes(1), Refresh = TimeSpan.FromMinutes(5) });
        Assert.Equal("20.0 available", Give(sensor, 20));
        Assert.Equal("", Give(sensor, 20.3, 20.4, 19.6));
        Assert.Equal("20.5", Give(sensor, 20.5));
        Assert.Equal("", Give(sensor, 20.1, 20.2, 20.3, 20.4));
        Assert.Equal("20.4", Give(sensor, 20.4));
        Assert.Equal("19.0", Give(sensor, 19));
    }

    [Fact]
    public void Small_steps_in_one_direction_add_up()
    {
        var sensor = Make(new SensorOptions { DeadBand = 0.5 });
        Assert.Equal("20.0 available 20.6 21.2", Give(sensor, 20, 20.2, 20.4, 20.6, 20.8, 21, 21.2));
    }

    [Fact]
    public void The_median_leaves_outliers_out()
    {
        var sensor = Make(new SensorOptions { Samples = 3, Interval = TimeSpan.FromSeconds(30) });
        Assert.Equal("20.0 available", Give(sensor, 20));
        Assert.Equal(TimeSpan.FromSeconds(10), sensor.Due);
        Assert.Equal("20.2", Give(sensor, 20.2, 80));
        Assert.Equal("21.0", Give(sensor, -30, 21, 22));
    }

    [Fact]
    public void The_mean_takes_all()
    {
        var sensor = Make(new SensorOptions { Samples = 4, Average = SensorAverage.Mean });
        Assert.Equal("20.0 available 23.0 2.5", Give(sensor, 20, 22, 24, 26, 1, 2, 3, 4));
    }

    [Fact]
    public void A_median_of_an_even_number_is_in_the_middle()
    {
        Assert.Equal("9.0 available 3.5", Give(Make(new SensorOptions { Samples = 4 }), 9, 3, 1, 4));
    }

    [Fact]
    public void A_failure_now_and_then_is_tried_again_soon_and_not_seen()
    {
        var sensor = Make(new SensorOptions());
        Give(sensor, 20);
        Assert.Equal("21.0", Give(sensor, SensorReading.Failed("noise"), SensorReading.Failed("noise"), SensorReading.Of(21)));
        // 30 s to the next reading, then half a second and a second.
        Assert.Equal(TimeSpan.FromSeconds(31.5), _now);
        Assert.Empty(_log.Lines);
        Assert.Equal(new SensorStatus("x", 21, 4, 2), sensor.GetStatus());
    }

    [Fact]
    public void A_sensor_that_keeps_failing_is_unavailable_says_so_once_and_comes_back()
    {
        var sensor = Make(new SensorOptions { Samples = 2 });
        Give(sensor, 20);
        Assert.Equal("unavailable", Give(sensor, [.. Enumerable.Repeat(SensorReading.Failed("the CRC is wrong"), 20)]));
        Assert.Null(sensor.GetStatus().Value);
        Assert.Equal("Sensor x is unavailable: the CRC is wrong. It is tried again", Assert.Single(_log.Lines, line => !line.Contains("still")));
        var at = _now;
        Give(sensor, SensorReading.Failed("the CRC is wrong"));
        Assert.Equal(ReopenDelay.Longest, _now - at);
        // What was measured before the failure is not averaged with.
        Assert.Equal("10.0 available 11.0", Give(sensor, 10, 12));
        Assert.Equal("Sensor x is back", _log.Lines.Last());
    }

    [Fact]
    public void A_sensor_that_is_gone_is_unavailable_at_once()
    {
        var sensor = Make(new SensorOptions());
        Give(sensor, 20);
        Assert.Equal("unavailable", Give(sensor, SensorReading.Absent("there is no IIO device")));
        Assert.Equal("20.0 available", Give(sensor, 20));
    }

    [Theory]
    [InlineData("temp", double.NaN)]
    [InlineData("temp", double.PositiveInfinity)]
    [InlineData("temp", -300)]
    [InlineData("humidityrelative", 250)]
    [InlineData("illuminance", -1)]
    [InlineData("pressure", -0.1)]
    [InlineData("mystery", 1e13)]
    public void What_cannot_be_is_never_shown(string channel, double value)
    {
        Assert.Equal("", Give(Make(new SensorOptions { Channel = channel }), value, value, value, value));
    }

    [Fact]
    public void What_is_beyond_the_configured_limits_is_never_shown()
    {
        var sensor = Make(new SensorOptions { Minimum = -20, Maximum = 50 });
        Assert.Equal("50.0 available -20.0 unavailable", Give(sensor, 50, -20, 50.1, -20.1, 51));
        Assert.Equal("10.0 available", Give(sensor, 10));
    }

    [Fact]
    public void A_reading_that_comes_late_does_not_hurry_the_next()
    {
        var sensor = Make(new SensorOptions { Interval = TimeSpan.FromSeconds(10) });
        sensor.Take(SensorReading.Of(1), TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.FromSeconds(10), sensor.Due);
        sensor.Take(SensorReading.Of(1), TimeSpan.FromSeconds(12));
        Assert.Equal(TimeSpan.FromSeconds(20), sensor.Due);
        sensor.Take(SensorReading.Of(1), TimeSpan.FromSeconds(60));
        Assert.Equal(TimeSpan.FromSeconds(70), sensor.Due);
    }

    [Fact]
    public void A_value_within_the_dead_band_allocates_nothing()
    {
        var sensor = Make(new SensorOptions { DeadBand = 1, Samples = 5, Refresh = TimeSpan.FromHours(24) });
        for (var i = 0; i < 10; i++) sensor.Take(SensorReading.Of(20), TimeSpan.FromSeconds(i));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) sensor.Take(SensorReading.Of(20.3), TimeSpan.FromSeconds(10 + i));
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    internal sealed class NoSource : ISensorSource
    {
        public SensorReading Read() => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
