using System.Runtime.InteropServices;
using Agent.Interop.I2c;
using Agent.Interop.Libc;

namespace Agent.Devices.Sensors;

/// <summary>Opens a chip: returns it, or <c>null</c> and the errno.</summary>
internal delegate II2cChip? OpenI2cChip(string bus, int address, out int errno);

/// <summary>
/// One quantity of a BME280 or BMP280 that no kernel driver has: a measurement in forced mode for each reading, in between the chip sleeps
/// (BST-BME280-DS002, sections 3.3.3 and 5).
/// </summary>
/// <param name="bus">/dev/i2c-1.</param>
/// <param name="address">0x76 or 0x77.</param>
/// <param name="channel">The quantity, as IIO calls it.</param>
/// <param name="open">Opens the chip.</param>
/// <param name="wait">Lets time go by.</param>
internal sealed class Bme280Sensor(string bus, int address, string channel, OpenI2cChip open, Action<TimeSpan> wait) : ISensorSource
{
    public const string Temperature = "temp";
    public const string Pressure = "pressure";
    public const string Humidity = "humidityrelative";

    // Registers (section 5.3).
    private const byte RegisterCalibration = 0x88;
    private const byte RegisterId = 0xd0;
    private const byte RegisterReset = 0xe0;
    private const byte RegisterHumidityCalibration = 0xe1;
    private const byte RegisterControlHumidity = 0xf2;
    private const byte RegisterStatus = 0xf3;
    private const byte RegisterControlMeasurement = 0xf4;
    private const byte RegisterConfiguration = 0xf5;
    private const byte RegisterData = 0xf7;

    private const byte IdBme280 = 0x60;
    private const byte IdBmp280 = 0x58;
    private const byte ResetWord = 0xb6;
    private const byte StatusMeasuring = 0x08;
    private const byte StatusCopyingCalibration = 0x01;

    /// <summary>osrs_h, osrs_t and osrs_p 1: one sample of each; mode 01: forced.</summary>
    private const byte OneHumiditySample = 0x01;
    private const byte OneSampleForced = (1 << 5) | (1 << 2) | 1;

    private const int DataLength = 8;

    /// <summary>What the data registers hold of a quantity that was not measured.</summary>
    private const int NotMeasured20 = 0x80000;
    private const int NotMeasured16 = 0x8000;

    /// <summary>Start-up time (table 1), and the longest measurement with one sample of each (section 9.1).</summary>
    private static readonly TimeSpan s_startup = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan s_measuring = TimeSpan.FromMilliseconds(9.3);
    private const int StatusAttempts = 5;

    /// <summary>What it can measure (table 1).</summary>
    private const double LowestTemperature = -40;
    private const double HighestTemperature = 85;
    private const double LowestPascals = 30_000;
    private const double HighestPascals = 110_000;
    private const double HectopascalsPerPascal = 0.01;

    private II2cChip? _chip;
    private Bme280Calibration? _calibration;
    private bool _isBme;
    private string? _problem;
    private int _errno;

    public Bme280Sensor(string bus, int address, string channel)
        : this(bus, address, channel, I2cChip.TryOpen, Thread.Sleep)
    {
    }

    private string What => $"the chip at 0x{address:x2} on {bus}";

    public SensorReading Read()
    {
        (_problem, _errno) = (null, 0);
        if ((_chip is not null || TryOpen()) && TryMeasure(out var measurement)) return Judge(measurement);
        Dispose();
        return SensorReading.Failed(_problem!, _errno);
    }

    public void Dispose()
    {
        _chip?.Dispose();
        _chip = null;
    }

    private SensorReading Judge(Bme280Measurement measurement)
    {
        // An open cable gives numbers too, and the other quantities are computed with the temperature.
        if (measurement.Temperature is not (>= LowestTemperature and <= HighestTemperature))
        {
            return SensorReading.Failed(FormattableString.Invariant($"{What} says {measurement.Temperature:F1} °C, and measures from {LowestTemperature} to {HighestTemperature} only"));
        }
        if (channel == Pressure && measurement.Pressure is not (>= LowestPascals and <= HighestPascals))
        {
            return SensorReading.Failed(FormattableString.Invariant($"{What} says {measurement.Pressure:F0} Pa, and measures from {LowestPascals} to {HighestPascals} only"));
        }
        return SensorReading.Of(channel switch
        {
            Pressure => measurement.Pressure * HectopascalsPerPascal,
            Humidity => measurement.Humidity,
            _ => measurement.Temperature,
        });
    }

    private bool TryOpen()
    {
        _chip = open(bus, address, out var errno);
        if (_chip is null) return Fail(ExplainOpening(errno), errno);
        Span<byte> id = stackalloc byte[1];
        if (!TryRead(RegisterId, id)) return false;
        _isBme = id[0] == IdBme280;
        if (!_isBme && id[0] != IdBmp280) return Fail($"{What} is no BME280 or BMP280: its id is 0x{id[0]:x2}");
        if (!_isBme && channel == Humidity) return Fail($"{What} is a BMP280, which measures no humidity");
        if (!TryWrite(RegisterReset, ResetWord)) return false;
        wait(s_startup);
        if (!TryAwait(StatusCopyingCalibration, s_startup, "does not start")) return false;
        Span<byte> main = stackalloc byte[Bme280Calibration.MainLength];
        Span<byte> humidity = stackalloc byte[_isBme ? Bme280Calibration.HumidityLength : 0];
        if (!TryRead(RegisterCalibration, main) || (_isBme && !TryRead(RegisterHumidityCalibration, humidity))) return false;
        if (!Bme280Calibration.TryParse(main, humidity, out _calibration)) return Fail($"{What} has no calibration: is it wired well?");
        // No filter, which would need several measurements; no standby, which forced mode has none of.
        return TryWrite(RegisterConfiguration, 0);
    }

    private bool TryMeasure(out Bme280Measurement measurement)
    {
        measurement = default;
        // Takes effect with the next write to ctrl_meas (section 5.4.3).
        if (_isBme && !TryWrite(RegisterControlHumidity, OneHumiditySample)) return false;
        if (!TryWrite(RegisterControlMeasurement, OneSampleForced)) return false;
        wait(s_measuring);
        if (!TryAwait(StatusMeasuring, s_startup, "does not finish its measurement")) return false;
        // In one transfer, so that all are of the same measurement (section 4).
        Span<byte> data = stackalloc byte[DataLength];
        if (!TryRead(RegisterData, _isBme ? data : data[..6])) return false;
        var pressure = Number20(data);
        var temperature = Number20(data[3..]);
        var humidity = (data[6] << 8) | data[7];
        if (temperature == NotMeasured20 || (channel == Pressure && pressure == NotMeasured20) || (channel == Humidity && humidity == NotMeasured16))
        {
            return Fail($"{What} has measured nothing");
        }
        measurement = _calibration!.Compensate(temperature, pressure, humidity);
        return true;
    }

    private bool TryAwait(byte busy, TimeSpan interval, string problem)
    {
        Span<byte> status = stackalloc byte[1];
        for (var attempt = 0; attempt < StatusAttempts; attempt++)
        {
            if (!TryRead(RegisterStatus, status)) return false;
            if ((status[0] & busy) == 0) return true;
            wait(interval);
        }
        return Fail($"{What} {problem}");
    }

    private bool TryRead(byte register, Span<byte> values) => Check(_chip!.Transfer([register], values));

    private bool TryWrite(byte register, byte value) => Check(_chip!.Transfer([register, value], []));

    private bool Check(int errno) => errno == 0 || Fail(
        errno is Errno.ENXIO or Errno.EREMOTEIO ? $"{What} does not answer: is it connected, is the address right?" : $"{What}: I2C_RDWR failed: {Describe(errno)}", errno);

    private bool Fail(string problem, int errno = 0)
    {
        (_problem, _errno) = (problem, errno);
        return false;
    }

    private string ExplainOpening(int errno) => errno switch
    {
        Errno.ENOENT or Errno.ENODEV or Errno.ENXIO => $"{bus} is not there: is dtparam=i2c_arm=on set, the module i2c-dev loaded?",
        Errno.EACCES => $"{bus} may not be opened: put the agent's user into the group i2c",
        Errno.EBUSY => $"a kernel driver has {What}: set kind \"iio\" to read it there",
        Errno.EOPNOTSUPP => $"{bus} belongs to an adapter that does no plain I2C transfers",
        _ => $"{bus} cannot be opened: {Describe(errno)}",
    };

    private static string Describe(int errno) => $"{Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})";

    private static int Number20(ReadOnlySpan<byte> bytes) => (bytes[0] << 12) | (bytes[1] << 4) | (bytes[2] >> 4);
}
