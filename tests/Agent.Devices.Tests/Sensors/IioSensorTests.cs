using Agent.Devices.Sensors;

namespace Agent.Devices.Tests.Sensors;

public sealed class IioSensorTests : IDisposable
{
    private readonly FakeSysfs _sysfs = new();

    public void Dispose() => _sysfs.Dispose();

    private SensorReading Read(string? device, string channel, string? label = null)
    {
        using var sensor = new IioSensor(_sysfs.Root, device, channel, label);
        return sensor.Read();
    }

    [Theory]
    [InlineData("temp", 25.08, "in_temp_input", "25080\n")]
    [InlineData("temp", 25.08, "in_temp_input", "25080.000000000\n")]
    [InlineData("temp", -40, "in_temp_input", "-40000\n")]
    [InlineData("humidityrelative", 46.332, "in_humidityrelative_input", "46332\n")]
    [InlineData("pressure", 1006.53270, "in_pressure_input", "100.653270\n")]
    [InlineData("illuminance", 320.5, "in_illuminance_input", "320.5\n")]
    [InlineData("illuminance", 125, "in_illuminance_raw", "150\n", "in_illuminance_scale", "0.833333333333\n")]
    [InlineData("temp", 23.5, "in_temp_raw", "470\n", "in_temp_offset", "-235\n", "in_temp_scale", "100\n")]
    [InlineData("voltage0", 1.65, "in_voltage0_raw", "2048\n", "in_voltage0_scale", "0.805664062\n")]
    [InlineData("voltage0", 1.65, "in_voltage0_raw", "2048\n", "in_voltage_scale", "0.805664062\n")]
    [InlineData("voltage0", 1.65, "in_voltage0_raw", "2048\n", "in_voltage_scale", "9\n", "in_voltage0_scale", "0.805664062\n")]
    [InlineData("voltage0", 0.02, "in_voltage0_raw", "10\n", "in_voltage_scale", "2\n", "in_voltage_offset", "0\n")]
    [InlineData("voltage0-voltage1", -0.02, "in_voltage0-voltage1_raw", "-10\n", "in_voltage-voltage_scale", "2\n")]
    [InlineData("temp_ambient", 21.05, "in_temp_ambient_raw", "2105\n", "in_temp_scale", "10\n")]
    [InlineData("concentration_co2", 812, "in_concentration_co2_raw", "812\n", "in_concentration_co2_scale", "0.0001\n")]
    [InlineData("massconcentration_pm2p5", 12.25, "in_massconcentration_pm2p5_input", "12.25\n")]
    [InlineData("current1", 0.25, "in_current1_raw", "250\n")]
    [InlineData("accel_x", 9.81, "in_accel_x_raw", "981\n", "in_accel_scale", "0.01\n")]
    [InlineData("mystery", 7, "in_mystery_raw", "7\n")]
    public void A_channel_is_scaled_by_its_own_attributes_to_the_units_of_a_home(string channel, double expected, params string[] attributes)
    {
        _sysfs.AddIio(0, "chip", "1-0040", [.. attributes.Chunk(2).Select(pair => (pair[0], pair[1]))]);
        Read("chip", channel).Is(expected);
    }

    [Fact]
    public void The_processed_value_goes_before_the_raw_one()
    {
        _sysfs.AddIio(0, "chip", "1-0040", ("in_temp_raw", "1"), ("in_temp_input", "20000"));
        Read("chip", "temp").Is(20);
        Assert.Equal(["temp"], IioSensor.ChannelsOf(Path.Combine(_sysfs.Root, "bus/iio/devices/iio:device0")));
    }

    [Theory]
    [InlineData("bme280")]
    [InlineData("greenhouse")]
    [InlineData("iio:device1")]
    [InlineData("1")]
    [InlineData("1-0076")]
    [InlineData("/soc/i2c@7e804000/bme280@76")]
    public void A_device_is_found_by_what_it_is_called(string device)
    {
        _sysfs.AddIio(0, "ads1015", "1-0048", ("in_voltage0_raw", "1"));
        _sysfs.AddIio(1, "bme280", "1-0076", ("in_temp_input", "19500"), ("label", "greenhouse\n"));
        Read(device, "temp").Is(19.5);
    }

    [Fact]
    public void Without_a_name_it_is_the_only_one_with_the_channel()
    {
        _sysfs.AddIio(0, "ads1015", "1-0048", ("in_voltage0_raw", "1"));
        _sysfs.AddIio(1, "bme280", "1-0076", ("in_temp_input", "19500"));
        Read(null, "temp").Is(19.5);
        Read(null, "pressure").Fails("no IIO device has that channel; there are ads1015 (1-0048), bme280 (1-0076)", isAbsent: true);
        _sysfs.AddIio(2, "bme280", "1-0077", ("in_temp_input", "1"));
        Read(null, "temp").Fails("several have that channel: write \"device\", one of ads1015 (1-0048), bme280 (1-0076), bme280 (1-0077)", isAbsent: false);
        Read("bme280", "temp").Fails("several are called \"bme280\"", isAbsent: false);
        Read("1-0077", "temp").Is(0.001);
    }

    [Fact]
    public void A_channel_is_found_by_its_label()
    {
        _sysfs.AddIio(0, "ads1015", "1-0048", ("in_voltage0_raw", "1"), ("in_voltage0_label", "panel\n"), ("in_voltage1_raw", "12600"), ("in_voltage1_label", "battery\n"));
        Read("ads1015", "voltage", "battery").Is(12.6);
        Read("ads1015", "voltage", "grid").Fails("ads1015 (1-0048) has no voltage channel labelled \"grid\"; it has voltage0, voltage1", isAbsent: true);
    }

    [Fact]
    public void What_is_missing_is_said_with_the_mend()
    {
        Read("bme280", "temp").Fails("there is no IIO device at all: enable the sensor in the device tree", isAbsent: true);
        _sysfs.AddIio(0, "bme280", "1-0076", ("in_temp_input", "1"));
        Read("bme680", "temp").Fails("there is no IIO device \"bme680\"; there are bme280 (1-0076)", isAbsent: true);
        Read("bme280", "tmep").Fails("bme280 (1-0076) has no channel tmep; it has temp", isAbsent: true);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("cold\n")]
    [InlineData("NaN\n")]
    [InlineData("Infinity\n")]
    [InlineData("-")]
    [InlineData("1 2\n")]
    [InlineData("1e999\n")]
    [InlineData("12.5 dB\n")]
    [InlineData("1\0002\n")]
    public void What_is_no_number_is_refused(string content)
    {
        var device = _sysfs.AddIio(0, "chip", "1-0040", ("in_temp_raw", content), ("in_temp_scale", "1"));
        Read("chip", "temp").Fails("in_temp_raw holds no number but", isAbsent: false);
        FakeSysfs.Set(device, "in_temp_raw", "1");
        FakeSysfs.Set(device, "in_temp_scale", content);
        Read("chip", "temp").Fails("in_temp_scale holds no number but", isAbsent: false);
    }

    [Fact]
    public void Huge_contents_are_refused_and_not_repeated_in_full()
    {
        _sysfs.AddIio(0, "chip", "1-0040", ("in_temp_input", new string('7', 100_000)), ("in_pressure_input", new string('\u0007', 100_000)));
        var reading = Read("chip", "pressure");
        reading.Fails("holds no number but", isAbsent: false);
        Assert.True(reading.Problem!.Length < 300);
        Assert.DoesNotContain('\u0007', reading.Problem);
        Read("chip", "temp").Fails("holds no number", isAbsent: false);
    }

    [Fact]
    public void A_device_that_goes_and_comes_back_under_another_number_is_found_again()
    {
        var device = _sysfs.AddIio(0, "bme280", "1-0076", ("in_temp_input", "20000"));
        using var sensor = new IioSensor(_sysfs.Root, "bme280", "temp", null);
        sensor.Read().Is(20);
        FakeSysfs.Set(device, "in_temp_input", "gone");
        sensor.Read().Fails("holds no number", isAbsent: false);
        _sysfs.RemoveIio(0, "1-0076");
        sensor.Read().Fails("there is no IIO device", isAbsent: true);
        _sysfs.AddIio(3, "bme280", "1-0076", ("in_temp_input", "21000"));
        sensor.Read().Is(21);
    }

    [Fact]
    public void Reading_again_and_again_allocates_nothing()
    {
        var device = _sysfs.AddIio(0, "chip", "1-0040", ("in_temp_raw", "470"), ("in_temp_offset", "-235"), ("in_temp_scale", "100"));
        using var sensor = new IioSensor(_sysfs.Root, "chip", "temp", null);
        sensor.Read().Is(23.5);
        FakeSysfs.Set(device, "in_temp_raw", "480");
        var before = GC.GetAllocatedBytesForCurrentThread();
        var sum = 0.0;
        for (var i = 0; i < 100; i++) sum += sensor.Read().Value;
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(2450, sum, 1e-6);
    }
}
