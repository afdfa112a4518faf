using Agent.Home;

namespace Agent.Tests.Home;

public sealed class DeviceHealthTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("health-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private void Write(string path, string text)
    {
        var full = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }

    private DeviceHealth Health => new(_root);

    [Fact]
    public void A_machine_that_tells_nothing_has_nothing()
    {
        var health = Health;
        Assert.Equal((false, false, false), (health.HasTemperature, health.HasPower, health.HasWifi));
        Assert.Null(health.ReadTemperature());
        Assert.Null(health.IsPowerLow());
        Assert.Null(health.ReadWifiSignal());
        Assert.Null(health.ReadMemoryAvailable());
        Assert.Null(DeviceHealth.ReadDiskFree(Path.Combine(_root, "missing")));
        Assert.True(DeviceHealth.ReadDiskFree(_root) > 0);
    }

    [Theory]
    [InlineData("cpu-thermal", "51121", 51.121)]
    [InlineData("x86_pkg_temp", "-3000", -3.0)]
    [InlineData("soc_thermal", "40000", 40.0)]
    [InlineData("iwlwifi_1", "40000", null)]
    [InlineData("cpu-thermal", "nonsense", null)]
    public void The_temperature_is_that_of_the_processors_zone(string type, string text, double? expected)
    {
        Write("sys/class/thermal/thermal_zone0/type", "battery\n");
        Write("sys/class/thermal/thermal_zone0/temp", "30000\n");
        Write("sys/class/thermal/thermal_zone10/type", $"{type}\n");
        Write("sys/class/thermal/thermal_zone10/temp", $"{text}\n");
        Assert.Equal(expected, Health.ReadTemperature());
    }

    [Theory]
    [InlineData("rpi_volt", "0", false)]
    [InlineData("rpi_volt", "1", true)]
    [InlineData("nct6775", "1", null)]
    public void Low_voltage_is_what_the_Raspberry_Pis_driver_says(string driver, string alarm, bool? expected)
    {
        Write("sys/class/hwmon/hwmon0/name", "cpu_thermal\n");
        Write("sys/class/hwmon/hwmon1/name", $"{driver}\n");
        Write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", $"{alarm}\n");
        Assert.Equal(expected, Health.IsPowerLow());
    }

    [Fact]
    public void The_signal_is_the_strongest_of_the_kernels_table()
    {
        // As Linux 6.1 prints it for brcmfmac, with a second adapter that is not connected.
        Write("proc/net/wireless", """
            Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
             face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
             wlan1: 0000    0     0     0        0      0      0      0      0        0
             wlan0: 0000   54.  -56.  -256        0      0      0      0     32        0

            """);
        Assert.False(Health.HasWifi);
        Directory.CreateDirectory(Path.Combine(_root, "sys/class/net/wlan0/phy80211"));
        Assert.True(Health.HasWifi);
        Assert.Equal(-56, Health.ReadWifiSignal());
    }

    [Fact]
    public void Any_beginning_of_a_line_is_read_without_harm()
    {
        const string Line = " wlan0: 0000   54.  -56.  -256        0      0      0      0     32        0";
        for (var length = 0; length <= Line.Length; length++) DeviceHealth.TryReadSignal(Line.AsSpan(0, length), out _);
        Assert.False(DeviceHealth.TryReadSignal("wlan0: 0000 54. 99999999999999. 0", out _));
        Assert.False(DeviceHealth.TryReadSignal("wlan0: 0000 54. -256 0", out _));
    }

    [Fact]
    public void Memory_is_what_programs_can_have()
    {
        Write("proc/meminfo", "MemTotal:        3884092 kB\nMemFree:          168812 kB\nMemAvailable:    2731708 kB\n");
        Assert.Equal(2_731_708L * 1024, Health.ReadMemoryAvailable());
    }

    [Fact]
    public async Task The_device_shows_what_it_has_and_a_moment_of_low_voltage_for_a_minute()
    {
        Write("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
        Write("sys/class/thermal/thermal_zone0/temp", "51521\n");
        Write("sys/class/hwmon/hwmon0/name", "rpi_volt\n");
        Write("sys/class/hwmon/hwmon0/in0_lcrit_alarm", "1\n");
        Write("proc/net/wireless", " wlan0: 0000   54.  -56.  -256        0      0      0      0     32        0\n");
        Directory.CreateDirectory(Path.Combine(_root, "sys/class/net/wlan0/phy80211"));
        Write("proc/meminfo", "MemAvailable:    2731708 kB\n");
        var (entities, clock, restarts) = (new EntityRegistry(), new SteppedClock(), 0);
        var device = new DeviceEntities(entities, Health, _root, () => restarts++, clock);
        string? Value(string id) => entities.Find(id)!.Value;

        device.Publish(3);
        Assert.Equal(
            ("3", "0", "52", "ON", "-56", "2664", AgentState.Version.Split('+')[0]),
            (Value("viewers"), Value("uptime"), Value("cpu_temperature"), Value("power_problem"), Value("wifi_signal"), Value("memory_available"), Value("version")));
        Assert.True(double.Parse(Value("disk_free")!, System.Globalization.CultureInfo.InvariantCulture) >= 0);

        Write("sys/class/hwmon/hwmon0/in0_lcrit_alarm", "0\n");
        Write("proc/net/wireless", "");
        for (var i = 0; i < 29; i++) Tick();
        Assert.Equal("ON", Value("power_problem"));
        Assert.False(entities.Find("wifi_signal")!.IsAvailable);
        Tick();
        Assert.Equal("OFF", Value("power_problem"));
        Tick();
        Assert.Equal("1", Value("uptime"));

        Assert.True((await entities.ExecuteAsync("reboot_agent", "PRESS", default)).IsDone);
        Assert.Equal(1, restarts);

        void Tick()
        {
            clock.Advance(DeviceEntities.Interval);
            device.Publish(3);
        }
    }

    [Fact]
    public void Where_nobody_would_start_the_agent_again_it_has_no_button_for_it()
    {
        var entities = new EntityRegistry();
        _ = new DeviceEntities(entities, Health, _root, null, TimeProvider.System);
        Assert.Equal(["viewers", "started", "uptime", "memory_available", "disk_free", "version"], entities.All.Select(state => state.Entity.Id));
    }

    [Theory]
    [InlineData("4711", 4711, true)]
    [InlineData("4711", 4712, false)]
    [InlineData(null, 4711, false)]
    [InlineData(null, 1, true)]
    public void Systemd_and_containers_start_the_agent_again(string? named, int processId, bool expected) =>
        Assert.Equal(expected, ServiceManager.StartsAgain(name => name == "SYSTEMD_EXEC_PID" ? named : null, processId));

    private sealed class SteppedClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;
    }
}
