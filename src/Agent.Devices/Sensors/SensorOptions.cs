namespace Agent.Devices.Sensors;

/// <summary>How a sensor is reached.</summary>
public enum SensorKind
{
    /// <summary>A channel of the kernel's Industrial I/O drivers.</summary>
    Iio,
    /// <summary>A channel of the kernel's hardware monitoring drivers.</summary>
    Hwmon,
    /// <summary>A 1-Wire thermometer of the kernel's w1_therm driver.</summary>
    W1,
    /// <summary>A BME280 or BMP280 through i2c-dev, without a kernel driver.</summary>
    Bme280,
}

/// <summary>What several samples become.</summary>
public enum SensorAverage
{
    /// <summary>The middle one: outliers do not count.</summary>
    Median,
    /// <summary>The arithmetic mean: noise becomes less.</summary>
    Mean,
}

/// <summary>A sensor as configured.</summary>
public sealed record SensorOptions
{
    /// <summary>The BME280's address with SDO low, as most boards have it.</summary>
    public const int DefaultAddress = 0x76;

    private const string Thermometer = "temp";

    public string Name { get; init; } = "";

    public SensorKind Kind { get; init; }

    /// <summary>Which device; <c>null</c> if there is one only.</summary>
    public string? Device { get; init; }

    /// <summary>Which of its channels; <c>null</c> for its temperature.</summary>
    public string? Channel { get; init; }

    /// <summary>The label of one of several channels of the same type.</summary>
    public string? Label { get; init; }

    /// <summary>The chip's address on the I2C bus.</summary>
    public int Address { get; init; } = DefaultAddress;

    /// <summary>From one value to the next.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Readings for each value.</summary>
    public int Samples { get; init; } = 1;

    public SensorAverage Average { get; init; }

    /// <summary>Smaller changes are not shown at once.</summary>
    public double DeadBand { get; init; }

    /// <summary>How long they are not.</summary>
    public TimeSpan Refresh { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Digits behind the decimal point; <c>null</c> for the quantity's.</summary>
    public int? Precision { get; init; }

    /// <summary>The unit to show; <c>null</c> for the quantity's.</summary>
    public string? Unit { get; init; }

    /// <summary>Home Assistant's device class; <c>null</c> for the quantity's.</summary>
    public string? DeviceClass { get; init; }

    /// <summary>For people; <c>null</c> for one made of <see cref="Name"/>.</summary>
    public string? DisplayName { get; init; }

    /// <summary>Calibration, in the unit shown: what is measured is multiplied with this.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>And this is added.</summary>
    public double Offset { get; init; }

    /// <summary>Values below are refused, in the unit shown; not a number for no limit.</summary>
    public double Minimum { get; init; } = double.NaN;

    /// <summary>Values above are refused, likewise.</summary>
    public double Maximum { get; init; } = double.NaN;

    public bool IsCalibrated => Scale != 1 || Offset != 0;

    /// <summary>The channel, whether written or not.</summary>
    public string ActualChannel => Channel ?? (Kind == SensorKind.Hwmon && Label is null ? $"{Thermometer}1" : Thermometer);

    /// <summary>What it measures.</summary>
    public SensorQuantity Quantity =>
        Kind == SensorKind.Hwmon ? SensorQuantity.OfHwmon(ActualChannel, out _) ?? SensorQuantity.Unknown : SensorQuantity.OfIio(ActualChannel, out _);

    /// <summary>The unit of what is shown; <c>null</c> for a number without one.</summary>
    public string? ShownUnit => (Unit ?? Quantity.Unit) is { Length: > 0 } unit ? unit : null;

    /// <summary>What is shown behind the decimal point.</summary>
    public int ShownPrecision => Precision ?? Quantity.Precision;

    /// <summary>Home Assistant's device class of what is shown: that of the quantity unless calibration makes another one of it.</summary>
    public string? ShownClass => DeviceClass ?? (UnitConversion.Find(Quantity.Unit, Unit ?? Quantity.Unit) is null ? null : Quantity.DeviceClass);
}
