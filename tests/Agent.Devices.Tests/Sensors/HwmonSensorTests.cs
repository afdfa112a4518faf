using Agent.Devices.Sensors;

namespace Agent.Devices.Tests.Sensors;

public sealed class HwmonSensorTests : IDisposable
{
    private readonly FakeSysfs _sysfs = new();

    public void Dispose() => _sysfs.Dispose();

    private SensorReading Read(string? chip, string channel, string? label = null)
    {
        using var sensor = new HwmonSensor(_sysfs.Root, chip, channel, label);
        return sensor.Read();
    }

    [Theory]
    [InlineData("temp1", "temp1_input", "25500\n", 25.5)]
    [InlineData("in0", "in0_input", "3312\n", 3.312)]
    [InlineData("humidity1", "humidity1_input", "43210\n", 43.21)]
    [InlineData("fan2", "fan2_input", "1450\n", 1450)]
    [InlineData("curr1", "curr1_input", "-120\n", -0.12)]
    [InlineData("power1", "power1_input", "2500000\n", 2.5)]
    [InlineData("power1", "power1_average", "2500000\n", 2.5)]
    public void A_channel_is_read_in_the_units_of_a_home(string channel, string attribute, string content, double expected)
    {
        _sysfs.AddHwmon(0, "lm75", "1-0048", (attribute, content));
        Read("lm75", channel).Is(expected);
        Read("1-0048", channel).Is(expected);
        Read(null, channel).Is(expected);
    }

    [Fact]
    public void A_channel_is_found_by_its_label()
    {
        _sysfs.AddHwmon(1, "nvme", "0000:01:00.0", ("temp1_input", "40000"), ("temp1_label", "Composite"), ("temp2_input", "50000"), ("temp2_label", "Sensor 1"));
        Read("nvme", "temp", "Sensor 1").Is(50);
        Read("nvme", "temp", "Sensor 9").Fails("nvme (0000:01:00.0) has no temp channel labelled \"Sensor 9\"; it has temp1, temp2", isAbsent: true);
        Read("nvme", "temp3").Fails("nvme (0000:01:00.0) has no channel temp3; it has temp1, temp2", isAbsent: true);
    }

    [Fact]
    public void A_sensor_that_the_chip_calls_faulty_gives_no_value()
    {
        var chip = _sysfs.AddHwmon(0, "max6675", "spi0.0", ("temp1_input", "0"), ("temp1_fault", "1"));
        Read("max6675", "temp1").Fails("temp1_fault says that the sensor is faulty", isAbsent: false);
        FakeSysfs.Set(chip, "temp1_fault", "0");
        Read("max6675", "temp1").Is(0);
    }
}
