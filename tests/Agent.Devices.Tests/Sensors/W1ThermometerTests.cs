using System.Text;
using Agent.Devices.Sensors;

namespace Agent.Devices.Tests.Sensors;

public sealed class W1ThermometerTests : IDisposable
{
    private const string Id = "28-0123456789ab";

    /// <summary>Of the kernel document w1/slaves/w1_therm's kind: 23.125 °C.</summary>
    private const string Good = "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n";
    private const string PowerOn = "50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000\n";

    private readonly FakeSysfs _sysfs = new();

    public void Dispose() => _sysfs.Dispose();

    private SensorReading Read(string? id = Id)
    {
        using var sensor = new W1Thermometer(_sysfs.Root, id);
        return sensor.Read();
    }

    private static string WithBytes(string bytes, int millidegrees) => $"{bytes} : crc={bytes[^2..]} YES\n{bytes} t={millidegrees}\n";

    [Theory]
    [InlineData("23125\n", 23.125)]
    [InlineData("-10062\n", -10.062)]
    [InlineData("85062\n", 85.062)]
    public void The_temperature_is_read(string content, double expected)
    {
        _sysfs.AddThermometer(Id, ("temperature", content));
        Read().Is(expected);
        Read(null).Is(expected);
    }

    [Fact]
    public void Without_that_attribute_it_is_read_from_w1_slave()
    {
        _sysfs.AddThermometer(Id, ("w1_slave", Good));
        Read().Is(23.125);
    }

    [Fact]
    public void The_value_that_thermometers_have_at_power_on_is_no_measurement()
    {
        var device = _sysfs.AddThermometer(Id, ("temperature", "85000\n"));
        Read().Fails("says what thermometers say that have measured nothing", isAbsent: false);
        FakeSysfs.Set(device, "w1_slave", PowerOn);
        Read().Fails("85 °C, the power-on value", isAbsent: false);
        // A conversion leaves another value in byte 6: it is that hot.
        FakeSysfs.Set(device, "w1_slave", WithCrc([0x50, 0x05, 0x4b, 0x46, 0x7f, 0xff, 0x10, 0x10], 85_000));
        Read().Is(85);
    }

    [Fact]
    public void Zero_degrees_are_taken_for_a_measurement_only_with_a_scratchpad_that_is_not_all_zeros()
    {
        var device = _sysfs.AddThermometer(Id, ("temperature", "0\n"), ("w1_slave", WithBytes("00 00 00 00 00 00 00 00 00", 0)));
        Read().Fails("short-circuited", isAbsent: false);
        FakeSysfs.Set(device, "w1_slave", WithCrc([0x00, 0x00, 0x4b, 0x46, 0x7f, 0xff, 0x10, 0x10], 0));
        Read().Is(0);
    }

    [Theory]
    [InlineData("72 01 4b 46 7f ff 0e 10 57 : crc=57 NO\n72 01 4b 46 7f ff 0e 10 57 t=23125\n", "CRC is wrong")]
    [InlineData("72 02 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 02 4b 46 7f ff 0e 10 57 t=39125\n", "CRC is wrong")]
    [InlineData("72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57\n", "no temperature")]
    [InlineData("72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125x\n", "no temperature")]
    [InlineData("72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=99999999999999\n", "no temperature")]
    [InlineData("zz 01 4b 46 7f ff 0e 10 57 : crc=57 YES\nt=23125\n", "nine bytes")]
    [InlineData("YES\nt=23125\n", "nine bytes")]
    [InlineData("", "cut off")]
    public void What_the_wire_has_damaged_is_refused(string content, string problem)
    {
        _sysfs.AddThermometer(Id, ("w1_slave", content));
        Read().Fails(problem, isAbsent: false);
    }

    [Fact]
    public void What_is_cut_off_anywhere_gives_no_value_but_the_right_one()
    {
        var text = Encoding.ASCII.GetBytes(Good.TrimEnd());
        Assert.Null(W1Scratchpad.TryParse(text, out var whole));
        Assert.Equal(23_125, whole.Millidegrees);
        // Behind "t=" a shorter number is a number too: sysfs gives an attribute as a whole, or not at all.
        for (var length = 0; length <= text.AsSpan().IndexOf("t="u8) + 2; length++) Assert.NotNull(W1Scratchpad.TryParse(text.AsSpan(0, length), out _));
    }

    [Theory]
    [InlineData("125063\n")]
    [InlineData("-55063\n")]
    [InlineData("4096000\n")]
    public void What_no_thermometer_measures_is_refused(string content)
    {
        _sysfs.AddThermometer(Id, ("temperature", content));
        Read().Fails("measures from -55 to 125 only", isAbsent: false);
    }

    [Fact]
    public void What_is_missing_is_said_with_the_mend()
    {
        Read().Fails("dtoverlay=w1-gpio", isAbsent: true);
        _sysfs.AddThermometer("28-000000000001", ("temperature", "1000"));
        Read().Fails($"there is no 1-Wire thermometer {Id}; there are 28-000000000001", isAbsent: true);
        _sysfs.AddThermometer("28-000000000002", ("temperature", "2000"));
        Read(null).Fails("there are several 1-Wire thermometers: write \"device\", one of 28-000000000001, 28-000000000002", isAbsent: false);
    }

    [Fact]
    public void The_crc_is_that_of_the_application_note()
    {
        // Maxim application note 27, figure 3: the ROM 02 1C B8 01 00 00 00 has the CRC A2.
        Assert.Equal(0xa2, W1Scratchpad.Crc([0x02, 0x1c, 0xb8, 0x01, 0x00, 0x00, 0x00]));
    }

    private static string WithCrc(byte[] bytes, int millidegrees) => WithBytes(string.Join(' ', bytes.Append(W1Scratchpad.Crc(bytes)).Select(b => $"{b:x2}")), millidegrees);
}
