namespace Agent.Devices.Sensors;

/// <summary>Makes a sensor's source of its configuration.</summary>
public static class SensorSources
{
    /// <summary>Where the kernel shows its devices.</summary>
    public const string DefaultRoot = "/sys";

    /// <summary>The I2C bus on a Raspberry Pi's pins 3 and 5.</summary>
    public const string DefaultI2cBus = "/dev/i2c-1";

    /// <summary>What a BME280 measures, by the names that IIO gives it.</summary>
    public static IReadOnlyList<string> Bme280Channels { get; } = [Bme280Sensor.Temperature, Bme280Sensor.Pressure, Bme280Sensor.Humidity];

    public static ISensorSource Make(SensorOptions options) => Make(options, DefaultRoot);

    /// <summary>Sensors with the same are read one after the other.</summary>
    public static string BusOf(SensorOptions options) => options.Kind switch
    {
        // Thermometers on a wire share it, and there is seldom more than one wire.
        SensorKind.W1 => "w1",
        SensorKind.Bme280 => options.Device ?? DefaultI2cBus,
        SensorKind.Hwmon => $"hwmon {options.Device}",
        _ => $"iio {options.Device}",
    };

    internal static ISensorSource Make(SensorOptions options, string root) => options.Kind switch
    {
        SensorKind.W1 => new W1Thermometer(root, options.Device),
        SensorKind.Bme280 => new Bme280Sensor(options.Device ?? DefaultI2cBus, options.Address, options.ActualChannel),
        SensorKind.Hwmon => new HwmonSensor(root, options.Device, options.ActualChannel, options.Label),
        _ => new IioSensor(root, options.Device, options.ActualChannel, options.Label),
    };
}
