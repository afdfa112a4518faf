namespace Agent.Devices.Sensors;

/// <summary>What a channel measures, in the units that Home Assistant uses.</summary>
/// <param name="DeviceClass">Home Assistant's, <c>null</c> where it has none.</param>
/// <param name="Unit">Empty for a number without one.</param>
/// <param name="Precision">Digits behind the decimal point that say something.</param>
/// <param name="Minimum">Nothing less can be.</param>
/// <param name="Maximum">Nothing more can be.</param>
public sealed record SensorQuantity(string? DeviceClass, string Unit, int Precision, double Minimum, double Maximum)
{
    private const double Milli = 1e-3;
    private const double Micro = 1e-6;
    private const double HectopascalsInKilopascal = 10;
    private const double PartsPerMillionInPercent = 10_000;
    private const double MillisiemensPerCentimetreInSiemensPerMetre = 10;
    private const double Anything = 1e12;
    private const double AbsoluteZero = -273.15;

    /// <summary>What sensors of humidity give in fog; beyond, it is no humidity any more (data sheet of the SHT4x, 4.6).</summary>
    private const double LeastHumidity = -6;
    private const double GreatestHumidity = 119;

    /// <summary>What the tables do not know: the number as it is.</summary>
    public static SensorQuantity Unknown { get; } = new(null, "", 3, -Anything, Anything);

    public static SensorQuantity Temperature { get; } = new("temperature", "°C", 1, AbsoluteZero, 2000);

    public static SensorQuantity Humidity { get; } = new("humidity", "%", 1, LeastHumidity, GreatestHumidity);

    public static SensorQuantity Pressure { get; } = new("atmospheric_pressure", "hPa", 1, 0, 1e6);

    private static SensorQuantity Voltage { get; } = new("voltage", "V", 3, -Anything, Anything);

    private static SensorQuantity Current { get; } = new("current", "A", 3, -Anything, Anything);

    private static SensorQuantity Power { get; } = new("power", "W", 2, -Anything, Anything);

    /// <summary>Channel types of the kernel document ABI/testing/sysfs-bus-iio, with the factor from its units to these.</summary>
    private static readonly (string Type, double Factor, SensorQuantity Quantity)[] s_iio =
    [
        ("temp", Milli, Temperature), ("humidityrelative", Milli, Humidity), ("pressure", HectopascalsInKilopascal, Pressure),
        ("illuminance", 1, new("illuminance", "lx", 0, 0, Anything)),
        ("voltage", Milli, Voltage), ("altvoltage", Milli, Voltage), ("current", Milli, Current), ("power", Milli, Power),
        ("resistance", 1, new(null, "Ω", 0, -Anything, Anything)), ("distance", 1, new("distance", "m", 3, -Anything, Anything)),
        ("concentration_co2", PartsPerMillionInPercent, new("carbon_dioxide", "ppm", 0, 0, 1e6)),
        ("concentration_voc", PartsPerMillionInPercent, new("volatile_organic_compounds_parts", "ppm", 3, 0, 1e6)),
        ("concentration", 1, new(null, "%", 3, 0, 100)),
        ("massconcentration_pm1", 1, new("pm1", "µg/m³", 1, 0, 1e6)), ("massconcentration_pm2p5", 1, new("pm25", "µg/m³", 1, 0, 1e6)),
        ("massconcentration_pm4", 1, new("pm4", "µg/m³", 1, 0, 1e6)), ("massconcentration_pm10", 1, new("pm10", "µg/m³", 1, 0, 1e6)),
        ("massconcentration", 1, new(null, "µg/m³", 1, 0, 1e6)),
        ("electricalconductivity", MillisiemensPerCentimetreInSiemensPerMetre, new("conductivity", "mS/cm", 3, 0, Anything)),
        ("ph", 1, new("ph", "", 2, -Anything, Anything)), ("uvindex", 1, new(null, "UV index", 1, 0, Anything)),
        ("accel", 1, new(null, "m/s²", 3, -Anything, Anything)), ("anglvel", 1, new(null, "rad/s", 3, -Anything, Anything)),
        ("velocity", 1, new("speed", "m/s", 2, -Anything, Anything)), ("rot", 1, new(null, "°", 1, -Anything, Anything)),
    ];

    /// <summary>Channel types of the kernel document hwmon/sysfs-interface, likewise.</summary>
    private static readonly (string Type, double Factor, SensorQuantity Quantity)[] s_hwmon =
    [
        ("temp", Milli, Temperature), ("in", Milli, Voltage), ("humidity", Milli, Humidity), ("fan", 1, new(null, "rpm", 0, 0, 1e6)),
        ("curr", Milli, Current), ("power", Micro, Power),
    ];

    /// <summary>Hwmon's channel types.</summary>
    public static IEnumerable<string> HwmonTypes => s_hwmon.Select(entry => entry.Type);

    /// <summary>What an IIO channel measures: <c>temp</c>, <c>voltage0</c>, <c>temp_ambient</c>, <c>massconcentration_pm2p5</c>.</summary>
    /// <param name="channel">What stands in its attributes' names between <c>in_</c> and <c>_raw</c> or <c>_input</c>.</param>
    /// <param name="factor">Makes its unit of the ABI's.</param>
    public static SensorQuantity OfIio(string channel, out double factor)
    {
        var type = TypeOf(channel);
        var modifier = channel.IndexOf('_') is var bar and > 0 ? channel[bar..] : "";
        foreach (var name in new[] { type + modifier, type })
        {
            foreach (var entry in s_iio)
            {
                if (entry.Type != name) continue;
                factor = entry.Factor;
                return entry.Quantity;
            }
        }
        factor = 1;
        return Unknown;
    }

    /// <summary>What a channel of hardware monitoring measures: <c>temp1</c>, <c>in0</c>; <c>null</c> if it is none.</summary>
    public static SensorQuantity? OfHwmon(string channel, out double factor)
    {
        var found = Array.Find(s_hwmon, entry => entry.Type == TypeOf(channel));
        factor = found.Factor;
        return found.Quantity;
    }

    /// <summary>A channel's type: what stands before its index and its modifier.</summary>
    public static string TypeOf(string channel) => string.Concat(channel.TakeWhile(char.IsAsciiLetter));
}
