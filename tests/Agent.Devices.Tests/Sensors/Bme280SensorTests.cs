using Agent.Devices.Sensors;
using Agent.Interop.I2c;
using Agent.Interop.Libc;

namespace Agent.Devices.Tests.Sensors;

public sealed class Bme280SensorTests : IDisposable
{
    /// <summary>The trimming values of the worked example in the BMP280's data sheet (BST-BMP280-DS001, 3.12), and a BME280's dig_H1.</summary>
    private static readonly byte[] s_main =
    [
        .. Words(27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000), 0, 75,
    ];

    /// <summary>dig_H2 370, dig_H3 0, dig_H4 314, dig_H5 50, dig_H6 30.</summary>
    private static readonly byte[] s_humidity = [0x72, 0x01, 0x00, 0x13, 0x2a, 0x03, 0x1e];

    /// <summary>The example's 415148 and 519888, and 30000.</summary>
    private static readonly byte[] s_data = [0x65, 0x5a, 0xc0, 0x7e, 0xed, 0x00, 0x75, 0x30];

    private readonly FakeChip _chip = new();

    public void Dispose() => _chip.Dispose();

    private static IEnumerable<byte> Words(params int[] words) => words.SelectMany(word => new[] { (byte)word, (byte)(word >> 8) });

    private Bme280Sensor Make(string channel) => new("/dev/i2c-1", 0x76, channel, _chip.Open, _chip.Wait);

    [Fact]
    public void The_data_sheets_example_comes_out()
    {
        Assert.True(Bme280Calibration.TryParse(s_main, [], out var calibration));
        var measurement = calibration.Compensate(519888, 415148, 0);
        Assert.Equal(25.08, measurement.Temperature, 0.005);
        Assert.Equal(100653.27, measurement.Pressure, 0.01);
        Assert.True(double.IsNaN(measurement.Humidity));
    }

    [Theory]
    [InlineData(30000)]
    [InlineData(25000)]
    [InlineData(35000)]
    [InlineData(0)]
    [InlineData(65535)]
    public void Humidity_agrees_with_the_data_sheets_integer_formula(int raw)
    {
        Assert.True(Bme280Calibration.TryParse(s_main, s_humidity, out var calibration));
        Assert.Equal(HumidityByIntegers(raw, 128422) / 1024.0, calibration.Compensate(519888, 415148, raw).Humidity, 0.01);
    }

    /// <summary>BST-BME280-DS002, 4.2.3: compensate_H_int32, with the example's t_fine.</summary>
    private static uint HumidityByIntegers(int adc, int fine)
    {
        const int H1 = 75, H2 = 370, H3 = 0, H4 = 314, H5 = 50, H6 = 30;
        var v = fine - 76800;
        v = ((((adc << 14) - (H4 << 20) - (H5 * v)) + 16384) >> 15) * ((((((((v * H6) >> 10) * (((v * H3) >> 11) + 32768)) >> 10) + 2097152) * H2) + 8192) >> 14);
        v -= ((((v >> 15) * (v >> 15)) >> 7) * H1) >> 4;
        return (uint)(Math.Clamp(v, 0, 419430400) >> 12);
    }

    [Fact]
    public void A_chip_is_measured_in_forced_mode()
    {
        using var sensor = Make("temp");
        var reading = sensor.Read();
        Assert.Null(reading.Problem);
        Assert.Equal(25.08, reading.Value, 0.005);
        // Reset, no filter; one sample of humidity, then one of temperature and pressure in forced mode.
        Assert.Equal(["e0=b6", "f5=00", "f2=01", "f4=25"], _chip.Writes);
        Assert.Equal([2.0, 9.3], _chip.Waits);
        _chip.Writes.Clear();
        Assert.Null(sensor.Read().Problem);
        Assert.Equal(["f2=01", "f4=25"], _chip.Writes);
    }

    [Fact]
    public void Each_quantity_is_given_in_the_units_of_a_home()
    {
        using var pressure = Make("pressure");
        Assert.Equal(1006.5327, pressure.Read().Value, 0.0001);
        using var humidity = Make("humidityrelative");
        Assert.Equal(HumidityByIntegers(30000, 128422) / 1024.0, humidity.Read().Value, 0.01);
    }

    [Fact]
    public void A_bmp280_has_no_humidity()
    {
        _chip.Registers[0xd0] = 0x58;
        using var temperature = Make("temp");
        Assert.Equal(25.08, temperature.Read().Value, 0.005);
        Assert.DoesNotContain("f2=01", _chip.Writes);
        using var humidity = Make("humidityrelative");
        humidity.Read().Fails("is a BMP280, which measures no humidity", isAbsent: false);
    }

    [Fact]
    public void A_chip_that_is_unplugged_is_absent_and_read_anew_when_it_is_back()
    {
        using var sensor = Make("temp");
        sensor.Read();
        _chip.Error = Errno.EREMOTEIO;
        sensor.Read().Fails("the chip at 0x76 on /dev/i2c-1 does not answer", isAbsent: true);
        Assert.True(_chip.IsDisposed);
        _chip.Error = Errno.EIO;
        sensor.Read().Fails("I2C_RDWR failed", isAbsent: false);
        _chip.Error = 0;
        // Another chip of the same kind, with its own trimming values.
        _chip.Registers[0x89] += 1;
        Assert.NotEqual(25.08, sensor.Read().Value, 0.1);
    }

    [Theory]
    [InlineData(Errno.ENOENT, "/dev/i2c-1 is not there: is dtparam=i2c_arm=on set", true)]
    [InlineData(Errno.EACCES, "group i2c", false)]
    [InlineData(Errno.EBUSY, "a kernel driver has the chip at 0x76 on /dev/i2c-1: set kind \"iio\"", false)]
    [InlineData(Errno.EOPNOTSUPP, "no plain I2C transfers", false)]
    [InlineData(Errno.EIO, "cannot be opened: Input/output error (errno 5)", false)]
    public void A_bus_that_cannot_be_opened_is_explained(int errno, string problem, bool isAbsent)
    {
        _chip.OpenError = errno;
        using var sensor = Make("temp");
        sensor.Read().Fails(problem, isAbsent);
    }

    [Theory]
    [InlineData(0xd0, 0x61, "is no BME280 or BMP280: its id is 0x61")]
    [InlineData(0xd0, 0xff, "is no BME280 or BMP280: its id is 0xff")]
    [InlineData(0xf3, 0x08, "does not finish its measurement")]
    [InlineData(0xf3, 0x01, "does not start")]
    public void A_chip_that_does_not_behave_is_explained(byte register, byte value, string problem)
    {
        _chip.Registers[register] = value;
        using var sensor = Make("temp");
        sensor.Read().Fails(problem, isAbsent: false);
    }

    [Theory]
    [InlineData(0x00)]
    [InlineData(0xff)]
    public void A_bus_that_reads_the_same_everywhere_has_no_calibration(byte value)
    {
        _chip.Registers.AsSpan(0x88, 26).Fill(value);
        using var sensor = Make("temp");
        sensor.Read().Fails("has no calibration", isAbsent: false);
    }

    [Fact]
    public void What_was_not_measured_or_cannot_be_is_refused()
    {
        using var sensor = Make("temp");
        sensor.Read();
        byte[] nothing = [0x80, 0, 0, 0x80, 0, 0, 0x80, 0];
        nothing.CopyTo(_chip.Registers.AsSpan(0xf7));
        sensor.Read().Fails("has measured nothing", isAbsent: false);
        _chip.Registers.AsSpan(0xf7, 8).Fill(0xff);
        sensor.Read().Fails("measures from -40 to 85 only", isAbsent: false);
        s_data.CopyTo(_chip.Registers.AsSpan(0xf7));
        _chip.Registers.AsSpan(0xf7, 3).Clear();
        Assert.Null(sensor.Read().Problem);
        using var pressure = Make("pressure");
        pressure.Read().Fails("measures from 30000 to 110000 only", isAbsent: false);
    }

    [Fact]
    public void Trimming_values_of_another_length_are_refused()
    {
        for (var length = 0; length < s_main.Length; length++) Assert.False(Bme280Calibration.TryParse(s_main.AsSpan(0, length), s_humidity, out _));
        for (var length = 1; length < s_humidity.Length; length++) Assert.False(Bme280Calibration.TryParse(s_main, s_humidity.AsSpan(0, length), out _));
    }

    [Fact]
    public void Measuring_again_and_again_allocates_nothing()
    {
        using var sensor = Make("temp");
        _chip.IsRecording = false;
        sensor.Read();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) sensor.Read();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>256 registers, as i2c-sim has them.</summary>
    private sealed class FakeChip : II2cChip
    {
        public FakeChip()
        {
            Registers[0xd0] = 0x60;
            s_main.CopyTo(Registers.AsSpan(0x88));
            s_humidity.CopyTo(Registers.AsSpan(0xe1));
            s_data.CopyTo(Registers.AsSpan(0xf7));
        }

        public byte[] Registers { get; } = new byte[256];

        public List<string> Writes { get; } = [];

        public List<double> Waits { get; } = [];

        public bool IsRecording { get; set; } = true;

        public int Error { get; set; }

        public int OpenError { get; set; }

        public bool IsDisposed { get; private set; }

        public FakeChip? Open(string bus, int address, out int errno)
        {
            Assert.Equal(("/dev/i2c-1", 0x76), (bus, address));
            errno = OpenError;
            return errno == 0 ? this : null;
        }

        public void Wait(TimeSpan time)
        {
            if (IsRecording) Waits.Add(time.TotalMilliseconds);
        }

        public int Transfer(ReadOnlySpan<byte> write, Span<byte> read)
        {
            if (Error != 0) return Error;
            if (write.Length == 2 && IsRecording) Writes.Add($"{write[0]:x2}={write[1]:x2}");
            Registers.AsSpan(write[0], read.Length).CopyTo(read);
            return 0;
        }

        public void Dispose() => IsDisposed = true;
    }
}
