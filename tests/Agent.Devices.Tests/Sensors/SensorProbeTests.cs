using Agent.Devices.Probe;

namespace Agent.Devices.Tests.Sensors;

public sealed class SensorProbeTests : IDisposable
{
    private readonly FakeSysfs _sysfs = new();

    public void Dispose() => _sysfs.Dispose();

    [Fact]
    public void A_machine_without_sensors_has_none()
    {
        Assert.Empty(SensorProbe.Enumerate(_sysfs.Root));
        Assert.Empty(SensorProbe.EnumerateBuses(_sysfs.Root));
    }

    [Fact]
    public void Everything_that_measures_is_listed_with_its_values()
    {
        _sysfs.AddIio(0, "bme280", "1-0076", ("in_temp_input", "25080"), ("in_temp_oversampling_ratio", "2"), ("in_pressure_input", "100.653270"));
        _sysfs.AddIio(1, "ads1015", "1-0048", ("in_voltage0_raw", "garbage"), ("in_voltage0_label", "battery"));
        _sysfs.AddIio(2, "dac", "1-0060", ("out_voltage0_raw", "1"));
        _sysfs.AddHwmon(0, "nvme", "0000:01:00.0", ("temp1_input", "40000"), ("temp1_label", "Composite"), ("temp1_max", "80000"), ("fan1_input", "900"));
        _sysfs.AddThermometer("28-0123456789ab", ("temperature", "21500"));
        _sysfs.AddThermometer("3a-0123456789ab", ("state", "1"));
        var found = SensorProbe.Enumerate(_sysfs.Root);
        Assert.Equal(
            [
                "iio bme280 1-0076 iio:device0: pressure  1006.5 hPa, temp  25.1 °C", "iio ads1015 1-0048 iio:device1: voltage0 battery  V",
                "hwmon nvme 0000:01:00.0 hwmon0: fan1  900 rpm, temp1 Composite 40 °C", "w1 28-0123456789ab  28-0123456789ab: temp  21.5 °C",
            ],
            found.Select(d => $"{d.Kind} {d.Name} {d.Place} {d.Node}: {string.Join(", ", d.Channels.Select(c => FormattableString.Invariant($"{c.Channel} {c.Label} {c.Value} {c.Unit}")))}"));
        Assert.Contains("holds no number", found[1].Channels[0].Problem, StringComparison.Ordinal);
        Assert.Equal(
            """
            {
              "sensors": {
                "bme280_pressure": {
                  "kind": "iio",
                  "device": "bme280",
                  "channel": "pressure"
                },
                "bme280_temp": {
                  "kind": "iio",
                  "device": "bme280",
                  "channel": "temp"
                },
                "ads1015_voltage0": {
                  "kind": "iio",
                  "device": "ads1015",
                  "channel": "voltage0"
                },
                "temperature_89ab": {
                  "kind": "w1",
                  "device": "28-0123456789ab"
                }
              }
            }
            """,
            ConfigurationSuggestion.Write(new ProbeReport([], []) { Sensors = found }, hasRpicam: false));
    }

    [Fact]
    public void Two_of_a_kind_are_suggested_by_their_places()
    {
        _sysfs.AddIio(0, "bme280", "1-0076", ("in_temp_input", "1"));
        _sysfs.AddIio(1, "bme280", "1-0077", ("in_temp_input", "1"));
        var text = ConfigurationSuggestion.Write(new ProbeReport([], []) { Sensors = SensorProbe.Enumerate(_sysfs.Root) }, hasRpicam: false);
        Assert.Contains("\"device\": \"1-0076\"", text, StringComparison.Ordinal);
        Assert.Contains("\"bme280_temp_2\"", text, StringComparison.Ordinal);
        Assert.Contains("\"device\": \"1-0077\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public void I2c_buses_are_listed_with_the_chips_of_kernel_drivers()
    {
        _sysfs.AddI2cBus(1, "bcm2835 (i2c@7e804000)", ("1-0076", "bme280"), ("10-0050", "eeprom"));
        _sysfs.AddI2cBus(10, "i2c-10");
        Assert.Equal(
            ["/dev/i2c-1 bcm2835 (i2c@7e804000): bme280 (1-0076)", "/dev/i2c-10 i2c-10: eeprom (10-0050)"],
            SensorProbe.EnumerateBuses(_sysfs.Root).Select(bus => $"{bus.Path} {bus.Name}: {string.Join(", ", bus.Devices)}"));
    }
}
