using System.Buffers.Binary;

namespace Agent.Devices.Sensors;

/// <summary>A BME280's or BMP280's measurement.</summary>
/// <param name="Temperature">°C.</param>
/// <param name="Pressure">Pa; not a number if it cannot be computed.</param>
/// <param name="Humidity">% relative humidity; not a number for a BMP280.</param>
internal readonly record struct Bme280Measurement(double Temperature, double Pressure, double Humidity);

/// <summary>
/// What makes physical values of a chip's numbers: its trimming values and the formulas in floating point (BST-BME280-DS002, sections 4.2.2
/// and 8.1; BST-BMP280-DS001, sections 3.11.2 and 8.1).
/// </summary>
internal sealed class Bme280Calibration
{
    /// <summary>Registers 0x88 to 0xA1.</summary>
    public const int MainLength = 26;

    /// <summary>Registers 0xE1 to 0xE7.</summary>
    public const int HumidityLength = 7;

    private readonly ushort _t1;
    private readonly short _t2;
    private readonly short _t3;
    private readonly ushort _p1;
    private readonly short[] _p;
    private readonly byte _h1;
    private readonly short _h2;
    private readonly byte _h3;
    private readonly int _h4;
    private readonly int _h5;
    private readonly sbyte _h6;
    private readonly bool _hasHumidity;

    private Bme280Calibration(ReadOnlySpan<byte> main, ReadOnlySpan<byte> humidity)
    {
        (_t1, _t2, _t3) = (BinaryPrimitives.ReadUInt16LittleEndian(main), Signed(main, 2), Signed(main, 4));
        _p1 = BinaryPrimitives.ReadUInt16LittleEndian(main[6..]);
        _p = [0, 0, Signed(main, 8), Signed(main, 10), Signed(main, 12), Signed(main, 14), Signed(main, 16), Signed(main, 18), Signed(main, 20), Signed(main, 22)];
        _hasHumidity = !humidity.IsEmpty;
        if (!_hasHumidity) return;
        _h1 = main[25];
        _h2 = Signed(humidity, 0);
        _h3 = humidity[2];
        // Two signed numbers of 12 bits that share the nibbles of 0xE5.
        _h4 = ((sbyte)humidity[3] << 4) | (humidity[4] & 0x0f);
        _h5 = ((sbyte)humidity[5] << 4) | (humidity[4] >> 4);
        _h6 = (sbyte)humidity[6];
    }

    /// <summary>Reads the trimming values.</summary>
    /// <param name="main">Registers 0x88 to 0xA1.</param>
    /// <param name="humidity">Registers 0xE1 to 0xE7; empty for a BMP280.</param>
    /// <param name="calibration">What they make, if the result is true.</param>
    /// <returns>False if these cannot be a chip's.</returns>
    public static bool TryParse(ReadOnlySpan<byte> main, ReadOnlySpan<byte> humidity, out Bme280Calibration calibration)
    {
        calibration = null!;
        if (main.Length != MainLength || humidity.Length is not (0 or HumidityLength)) return false;
        calibration = new Bme280Calibration(main, humidity);
        // No chip has these at 0 or all ones: that is a bus without a chip, or a chip that is still copying them.
        return calibration is { _t1: not (0 or ushort.MaxValue), _p1: not (0 or ushort.MaxValue) };
    }

    /// <summary>Computes a measurement of the chip's numbers: 20, 20 and 16 bits.</summary>
    public Bme280Measurement Compensate(int temperature, int pressure, int humidity)
    {
        var coarse = ((temperature / 16384.0) - (_t1 / 1024.0)) * _t2;
        var difference = (temperature / 131072.0) - (_t1 / 8192.0);
        var fine = coarse + (difference * difference * _t3);
        return new(fine / 5120, ToPascals(pressure, fine), _hasHumidity ? ToPercent(humidity, fine) : double.NaN);
    }

    private double ToPascals(int pressure, double fine)
    {
        var v1 = (fine / 2) - 64000;
        var v2 = v1 * v1 * _p[6] / 32768;
        v2 += v1 * _p[5] * 2;
        v2 = (v2 / 4) + (_p[4] * 65536.0);
        v1 = ((_p[3] * v1 * v1 / 524288) + (_p[2] * v1)) / 524288;
        v1 = (1 + (v1 / 32768)) * _p1;
        if (v1 == 0) return double.NaN;
        var p = (1048576.0 - pressure - (v2 / 4096)) * 6250 / v1;
        return p + (((_p[9] * p * p / 2147483648) + (p * _p[8] / 32768) + _p[7]) / 16);
    }

    private double ToPercent(int humidity, double fine)
    {
        var h = fine - 76800;
        h = (humidity - ((_h4 * 64.0) + (_h5 / 16384.0 * h)))
            * (_h2 / 65536.0 * (1 + (_h6 / 67108864.0 * h * (1 + (_h3 / 67108864.0 * h)))));
        return Math.Clamp(h * (1 - (_h1 * h / 524288)), 0, 100);
    }

    private static short Signed(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt16LittleEndian(bytes[at..]);
}
