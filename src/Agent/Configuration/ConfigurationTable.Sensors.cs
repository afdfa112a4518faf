using System.Globalization;
using System.Text.RegularExpressions;
using Agent.Devices.Sensors;
using SensorKey = Agent.Configuration.Key<Agent.Devices.Sensors.SensorOptions>;

namespace Agent.Configuration;

internal static partial class ConfigurationTable
{
    /// <summary>What any limit, offset and factor of a value may be.</summary>
    private const double GreatestSensorNumber = 1e9;
    private const int MostSamples = 100;
    private const int MostDigits = 6;
    private const int LongestUnit = 20;

    private static readonly TimeSpan s_shortestInterval = TimeSpan.FromMilliseconds(100);

    private static MapType<SensorOptions> Sensors => new(
        new SectionType<SensorOptions>(
            new SensorOptions(), CheckSensor,
            SensorKey.Of("kind", "How it is reached: iio and hwmon through the kernel's drivers, w1 for 1-Wire thermometers, bme280 for a BME280 or BMP280 without a kernel driver.",
                new ChoiceType<SensorKind>(("iio", SensorKind.Iio), ("hwmon", SensorKind.Hwmon), ("w1", SensorKind.W1), ("bme280", SensorKind.Bme280)),
                o => o.Kind, (o, v) => o with { Kind = v }),
            SensorKey.Of("device", "Which: the name, label, number, place (such as \"1-0076\") or device tree path of an IIO device or hwmon chip; a thermometer's id; bme280: the bus, without it /dev/i2c-1. Without it the only one that will do.",
                Text("a name as camera-agent probe lists them, such as \"bme280\", \"1-0076\", \"28-0123456789ab\" or \"/dev/i2c-1\"", text => text.Length is > 0 and <= 256 && IsWord(text)),
                o => o.Device, (o, v) => o with { Device = v }),
            SensorKey.Of("channel", "iio: what to read, such as temp, humidityrelative, pressure, illuminance, voltage0; hwmon: temp1, in0, fan1, curr1, power1, humidity1; bme280: temp, pressure, humidityrelative. Without it the temperature.",
                Text("a channel as camera-agent probe lists them, such as \"temp\" or \"in0\"", IsChannel, "^[a-z0-9_-]{1,64}$"), o => o.Channel, (o, v) => o with { Channel = v }),
            SensorKey.Of("label", "iio and hwmon: the channel's label, where channel says its type only, such as temp or in.",
                Text("a label as camera-agent probe lists them", IsWord), o => o.Label, (o, v) => o with { Label = v }),
            SensorKey.Of("address", "bme280 only: the chip's address on the bus.",
                new ChoiceType<int>(("0x76", SensorOptions.DefaultAddress), ("0x77", SensorOptions.DefaultAddress + 1)), o => o.Address, (o, v) => o with { Address = v }),
            SensorKey.Of("interval", "From one value to the next, 100ms at least.", PlainDuration, o => o.Interval, (o, v) => o with { Interval = v }),
            SensorKey.Of("samples", "Readings for each value, spread over the interval.", new IntegerType(1, MostSamples), o => o.Samples, (o, v) => o with { Samples = v }),
            SensorKey.Of("average", "What several samples become: median, which leaves outliers out, or mean.",
                new ChoiceType<SensorAverage>(("median", SensorAverage.Median), ("mean", SensorAverage.Mean)), o => o.Average, (o, v) => o with { Average = v }),
            SensorKey.Of("deadBand", "Changes smaller than this are not shown before refresh is over, in the unit shown.",
                new DecimalType(0, GreatestSensorNumber), o => o.DeadBand, (o, v) => o with { DeadBand = v }),
            SensorKey.Of("refresh", "How old a value that deadBand keeps becomes at most.", PlainDuration, o => o.Refresh, (o, v) => o with { Refresh = v }),
            SensorKey.Of("precision", "Digits behind the decimal point; without it what the quantity is worth.",
                new OptionalType<int>(new IntegerType(0, MostDigits)), o => o.Precision, (o, v) => o with { Precision = v }),
            SensorKey.Of("unit", "The unit to show, such as \"°F\"; with scale or offset any, for that is what they make of it. Without it the quantity's.",
                Text($"a unit of {LongestUnit} characters at most", text => text.Length <= LongestUnit && !text.Any(char.IsControl)), o => o.Unit, (o, v) => o with { Unit = v }),
            SensorKey.Of("scale", "Calibration: what is measured is multiplied with this, in the unit shown.",
                new DecimalType(-GreatestSensorNumber, GreatestSensorNumber), o => o.Scale, (o, v) => o with { Scale = v }),
            SensorKey.Of("offset", "Calibration: this is added then.",
                new DecimalType(-GreatestSensorNumber, GreatestSensorNumber), o => o.Offset, (o, v) => o with { Offset = v }),
            SensorKey.Of("minimum", "Values below, in the unit shown, are taken for failures.",
                new DecimalType(-GreatestSensorNumber, GreatestSensorNumber), o => o.Minimum, (o, v) => o with { Minimum = v }),
            SensorKey.Of("maximum", "Values above, likewise.",
                new DecimalType(-GreatestSensorNumber, GreatestSensorNumber), o => o.Maximum, (o, v) => o with { Maximum = v }),
            SensorKey.Of("name", "The name for people; without it the entity's id in words.", Text("a name", IsWord), o => o.DisplayName, (o, v) => o with { DisplayName = v }),
            SensorKey.Of("deviceClass", "Home Assistant's device class, such as \"moisture\"; without it the quantity's.",
                Text("lower-case letters, digits and '_'", text => text.Length > 0 && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_'), "^[a-z0-9_]+$"),
                o => o.DeviceClass, (o, v) => o with { DeviceClass = v })),
        (o, name) => o with { Name = name }, EntityPattern, IsEntityName, EntityInWords);

    [GeneratedRegex("^[0-9a-f]{2}-[0-9a-f]{12}$")]
    private static partial Regex ThermometerId { get; }

    [GeneratedRegex("^/dev/i2c-[0-9]{1,3}$")]
    private static partial Regex I2cBus { get; }

    private static bool IsChannel(string text) => text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '_' or '-');

    private static void CheckSensor(SensorOptions sensor, string path, ConfigBinding binding)
    {
        void Report(string key, string problem) => binding.Report($"{path}.{key}", problem);

        var kind = sensor.Kind.ToString().ToLowerInvariant();
        foreach (var (key, isSet, takes) in new[]
        {
            ("channel", sensor.Channel is not null, sensor.Kind != SensorKind.W1), ("label", sensor.Label is not null, sensor.Kind is SensorKind.Iio or SensorKind.Hwmon),
            ("address", sensor.Address != SensorOptions.DefaultAddress, sensor.Kind == SensorKind.Bme280),
        })
        {
            if (isSet && !takes) Report(key, $"does not go with kind \"{kind}\"; remove it.");
        }

        if (sensor is { Kind: SensorKind.W1, Device: { } id } && !ThermometerId.IsMatch(id)) Report("device", $"\"{id}\" is no thermometer's id, such as \"28-0123456789ab\"; camera-agent probe lists them.");
        if (sensor is { Kind: SensorKind.Bme280, Device: { } bus } && !I2cBus.IsMatch(bus)) Report("device", $"\"{bus}\" is no I2C bus, such as \"{SensorSources.DefaultI2cBus}\".");
        if (sensor.Kind == SensorKind.Bme280 && !SensorSources.Bme280Channels.Contains(sensor.ActualChannel))
        {
            Report("channel", $"found \"{sensor.ActualChannel}\"; a BME280 has {string.Join(", ", SensorSources.Bme280Channels)}.");
        }

        if (sensor.Kind == SensorKind.Hwmon && !IsHwmonChannel(sensor))
        {
            Report("channel", $"found \"{sensor.ActualChannel}\"; hwmon has {string.Join(", ", SensorQuantity.HwmonTypes)}, each {(sensor.Label is null ? "with a number" : "without a number beside label")}.");
        }

        if (sensor.Interval < s_shortestInterval) Report("interval", "is less than 100ms.");
        var unit = sensor.Quantity.Unit;
        if (sensor.Unit is { } shown && unit.Length > 0 && !sensor.IsCalibrated && UnitConversion.Find(unit, shown) is null)
        {
            Report("unit", $"found \"{shown}\"; it can be {string.Join(", ", UnitConversion.Targets(unit))}, or any unit that scale and offset make of {unit}.");
        }

        if (sensor.Minimum > sensor.Maximum) Report("minimum", string.Create(CultureInfo.InvariantCulture, $"is above {path}.maximum, {sensor.Maximum}."));
    }

    private static bool IsHwmonChannel(SensorOptions sensor)
    {
        var type = SensorQuantity.TypeOf(sensor.ActualChannel);
        var number = sensor.ActualChannel[type.Length..];
        return SensorQuantity.HwmonTypes.Contains(type) && number.All(char.IsAsciiDigit) && number.Length > 0 == sensor.Label is null;
    }
}
