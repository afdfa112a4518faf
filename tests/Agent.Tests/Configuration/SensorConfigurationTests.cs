using System.Text;
using Agent.Configuration;
using Agent.Devices.Sensors;

namespace Agent.Tests.Configuration;

public sealed class SensorConfigurationTests
{
    private static AgentOptions Read(string json, out string[] problems)
    {
        var options = ConfigurationLoader.Read(Encoding.UTF8.GetBytes(json), "agent.json", new Dictionary<string, string>(), out var found);
        problems = [.. found.Select(p => p.ToString())];
        return options;
    }

    [Fact]
    public void Sensors_are_read()
    {
        var options = Read("""
            { "sensors": {
                "air": {},
                "soil": { "device": "ads1015", "channel": "voltage0", "interval": "5m", "samples": 9, "average": "mean", "deadBand": 0.5, "refresh": "1h", "precision": 0,
                          "unit": "%", "scale": -62.5, "offset": 175, "minimum": -5, "maximum": 105, "name": "Tomatoes", "deviceClass": "moisture" },
                "disk": { "kind": "hwmon", "device": "nvme", "channel": "temp", "label": "Composite", "unit": "°F" },
                "pool": { "kind": "w1", "device": "28-0123456789ab" },
                "attic": { "kind": "bme280", "device": "/dev/i2c-3", "address": "0x77", "channel": "pressure" } } }
            """, out var problems);
        Assert.Empty(problems);
        Assert.Equal(
            [
                new SensorOptions { Name = "air" },
                new SensorOptions
                {
                    Name = "soil", Device = "ads1015", Channel = "voltage0", Interval = TimeSpan.FromMinutes(5), Samples = 9, Average = SensorAverage.Mean,
                    DeadBand = 0.5, Refresh = TimeSpan.FromHours(1), Precision = 0, Unit = "%", Scale = -62.5, Offset = 175, Minimum = -5, Maximum = 105,
                    DisplayName = "Tomatoes", DeviceClass = "moisture",
                },
                new SensorOptions { Name = "disk", Kind = SensorKind.Hwmon, Device = "nvme", Channel = "temp", Label = "Composite", Unit = "°F" },
                new SensorOptions { Name = "pool", Kind = SensorKind.W1, Device = "28-0123456789ab" },
                new SensorOptions { Name = "attic", Kind = SensorKind.Bme280, Device = "/dev/i2c-3", Address = 0x77, Channel = "pressure" },
            ],
            options.Sensors);
    }

    [Theory]
    [InlineData("""{ "Air": {} }""", "sensors.Air: \"Air\" cannot be a name; use 1 to 64 lower-case letters, digits and '_', but not status, error, webrtc or response.")]
    [InlineData("""{ "a": { "kind": "w1", "device": "../28-0123456789ab" } }""", "sensors.a.device: \"../28-0123456789ab\" is no thermometer's id, such as \"28-0123456789ab\"; camera-agent probe lists them.")]
    [InlineData("""{ "a": { "kind": "w1", "channel": "temp" } }""", "sensors.a.channel: does not go with kind \"w1\"; remove it.")]
    [InlineData("""{ "a": { "kind": "bme280", "device": "/dev/sda" } }""", "sensors.a.device: \"/dev/sda\" is no I2C bus, such as \"/dev/i2c-1\".")]
    [InlineData("""{ "a": { "kind": "bme280", "channel": "humidity" } }""", "sensors.a.channel: found \"humidity\"; a BME280 has temp, pressure, humidityrelative.")]
    [InlineData("""{ "a": { "kind": "bme280", "address": "0x78" } }""", "sensors.a.address: found \"0x78\"; did you mean \"0x76\"?")]
    [InlineData("""{ "a": { "address": "0x77" } }""", "sensors.a.address: does not go with kind \"iio\"; remove it.")]
    [InlineData("""{ "a": { "channel": "../x" } }""", "sensors.a.channel: found \"../x\"; expected a channel as camera-agent probe lists them, such as \"temp\" or \"in0\".")]
    [InlineData("""{ "a": { "kind": "hwmon", "channel": "temp" } }""", "sensors.a.channel: found \"temp\"; hwmon has temp, in, humidity, fan, curr, power, each with a number.")]
    [InlineData("""{ "a": { "kind": "hwmon", "channel": "temp1", "label": "x" } }""", "sensors.a.channel: found \"temp1\"; hwmon has temp, in, humidity, fan, curr, power, each without a number beside label.")]
    [InlineData("""{ "a": { "unit": "hPa" } }""", "sensors.a.unit: found \"hPa\"; it can be °C, °F, K, or any unit that scale and offset make of °C.")]
    [InlineData("""{ "a": { "interval": "50ms" } }""", "sensors.a.interval: is less than 100ms.")]
    [InlineData("""{ "a": { "minimum": 3, "maximum": 2.5 } }""", "sensors.a.minimum: is above sensors.a.maximum, 2.5.")]
    [InlineData("""{ "a": { "samples": 0 } }""", "sensors.a.samples: found the number 0; expected an integer from 1 to 100.")]
    public void What_is_wrong_is_said(string sensors, string expected)
    {
        Read($$"""{ "sensors": {{sensors}} }""", out var problems);
        Assert.EndsWith(expected, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SensorKind.Iio, null, null, false, "temperature", "°C", 1)]
    [InlineData(SensorKind.Iio, "temp", "°F", false, "temperature", "°F", 1)]
    [InlineData(SensorKind.Iio, "humidityrelative", null, false, "humidity", "%", 1)]
    [InlineData(SensorKind.Iio, "pressure", null, false, "atmospheric_pressure", "hPa", 1)]
    [InlineData(SensorKind.Iio, "illuminance", null, false, "illuminance", "lx", 0)]
    [InlineData(SensorKind.Iio, "voltage3", null, true, "voltage", "V", 3)]
    [InlineData(SensorKind.Iio, "voltage3", "%", true, null, "%", 3)]
    [InlineData(SensorKind.Iio, "concentration_co2", null, false, "carbon_dioxide", "ppm", 0)]
    [InlineData(SensorKind.Iio, "massconcentration_pm2p5", null, false, "pm25", "µg/m³", 1)]
    [InlineData(SensorKind.Iio, "ph", null, false, "ph", null, 2)]
    [InlineData(SensorKind.Iio, "proximity", null, false, null, null, 3)]
    [InlineData(SensorKind.Hwmon, "in0", null, false, "voltage", "V", 3)]
    [InlineData(SensorKind.Hwmon, "fan1", null, false, null, "rpm", 0)]
    [InlineData(SensorKind.Hwmon, null, null, false, "temperature", "°C", 1)]
    [InlineData(SensorKind.W1, null, null, false, "temperature", "°C", 1)]
    [InlineData(SensorKind.Bme280, "pressure", null, false, "atmospheric_pressure", "hPa", 1)]
    public void What_home_assistant_is_told_follows_from_the_channel(SensorKind kind, string? channel, string? unit, bool isCalibrated, string? deviceClass, string? shown, int precision)
    {
        var options = new SensorOptions { Kind = kind, Channel = channel, Unit = unit, Scale = isCalibrated ? 2 : 1 };
        Assert.Equal((deviceClass, shown, precision), (options.ShownClass, options.ShownUnit, options.ShownPrecision));
    }
}
