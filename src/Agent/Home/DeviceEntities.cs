using System.Globalization;

namespace Agent.Home;

/// <summary>The device's own entities: what it is doing, how it is, which version it runs, and the button that starts the agent anew. Called by one task.</summary>
internal sealed class DeviceEntities
{
    /// <summary>How often <see cref="Publish"/> is to be called: as often as the kernel looks at the supply voltage.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Calls between two of what changes slowly.</summary>
    private const int SlowEvery = 5;

    /// <summary>A drop of the voltage is over within a moment, and is to be seen.</summary>
    private static readonly TimeSpan PowerProblemLasts = TimeSpan.FromMinutes(1);

    private const double Mebibyte = 1024 * 1024, Gibibyte = 1024 * Mebibyte;

    /// <summary>Smaller changes are noise that a history would keep: MiB.</summary>
    private const int MemoryStep = 8;

    private readonly EntityRegistry _entities;
    private readonly DeviceHealth _health;
    private readonly string _folder;
    private readonly TimeProvider _clock;
    private readonly long _started;
    private long? _powerProblemAt;
    private int _calls;

    /// <param name="entities">Gets the entities, before this returns.</param>
    /// <param name="health">Of this machine.</param>
    /// <param name="folder">On the disk whose space matters.</param>
    /// <param name="restart">Ends the agent so that it is started anew; <c>null</c> if nobody would start it.</param>
    /// <param name="clock">Says when the agent was started, and for how long a problem is shown.</param>
    public DeviceEntities(EntityRegistry entities, DeviceHealth health, string folder, Action? restart, TimeProvider clock)
    {
        (_entities, _health, _folder, _clock, _started) = (entities, health, folder, clock, clock.GetTimestamp());
        entities.Register(new SensorEntity("viewers", "Viewers") { StateClass = "measurement", Icon = "mdi:eye", Category = EntityCategory.Diagnostic });
        entities.Register(new SensorEntity("started", "Started") { DeviceClass = "timestamp", Category = EntityCategory.Diagnostic });
        entities.Publish("started", clock.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:sszzz", CultureInfo.InvariantCulture));
        entities.Register(Sensor("uptime", "Uptime", "duration", "min") with { IsEnabledByDefault = false });
        if (health.HasTemperature) entities.Register(Sensor("cpu_temperature", "CPU temperature", "temperature", "°C"));
        if (health.HasPower) entities.Register(new BinarySensorEntity("power_problem", "Power problem") { DeviceClass = "problem", Category = EntityCategory.Diagnostic });
        if (health.HasWifi) entities.Register(Sensor("wifi_signal", "Wi-Fi signal", "signal_strength", "dBm"));
        entities.Register(Sensor("memory_available", "Memory available", "data_size", "MiB"));
        entities.Register(Sensor("disk_free", "Disk free", "data_size", "GiB") with { Precision = 1 });
        entities.Register(new UpdateEntity("version", "Agent version") { Category = EntityCategory.Diagnostic });
        // Without the revision of the source: to compare versions it counts for nothing (semver.org, 10).
        entities.Publish("version", AgentState.Version.Split('+')[0]);
        if (restart is null) return;
        entities.Register(new ButtonEntity("reboot_agent", "Restart agent") { DeviceClass = "restart", Category = EntityCategory.Config }, (_, _) =>
        {
            restart();
            return new(CommandOutcome.Done);
        });

        static SensorEntity Sensor(string id, string name, string deviceClass, string unit) =>
            new(id, name) { DeviceClass = deviceClass, Unit = unit, StateClass = "measurement", Category = EntityCategory.Diagnostic, Precision = 0 };
    }

    /// <summary>Publishes how things are now.</summary>
    public void Publish(int viewers)
    {
        _entities.Publish("viewers", Text(viewers));
        if (_health.HasPower) PublishPower();
        if (_calls++ % SlowEvery != 0) return;
        _entities.Publish("uptime", Text(Math.Floor(_clock.GetElapsedTime(_started).TotalMinutes)));
        if (_health.HasTemperature) PublishOrNot("cpu_temperature", _health.ReadTemperature() is { } degrees ? Math.Round(degrees) : null);
        if (_health.HasWifi) PublishOrNot("wifi_signal", _health.ReadWifiSignal());
        PublishOrNot("memory_available", _health.ReadMemoryAvailable() is { } memory ? Math.Floor(memory / Mebibyte / MemoryStep) * MemoryStep : null);
        PublishOrNot("disk_free", DeviceHealth.ReadDiskFree(_folder) is { } disk ? Math.Round(disk / Gibibyte, 1) : null);
    }

    private void PublishPower()
    {
        var isLow = _health.IsPowerLow();
        _entities.SetAvailable("power_problem", isLow is not null);
        if (isLow == true) _powerProblemAt = _clock.GetTimestamp();
        if (isLow is null) return;
        var isProblem = _powerProblemAt is { } at && _clock.GetElapsedTime(at) < PowerProblemLasts;
        _entities.Publish("power_problem", isProblem ? SwitchEntity.On : SwitchEntity.Off);
    }

    private void PublishOrNot(string id, double? value)
    {
        _entities.SetAvailable(id, value is not null);
        if (value is { } number) _entities.Publish(id, Text(number));
    }

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
