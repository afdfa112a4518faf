using Agent.Devices.Sensors;

namespace Agent.Home;

/// <summary>The sensors as a smart home sees them.</summary>
internal sealed class SensorEntities : IDisposable
{
    private readonly EntityRegistry _entities;
    private readonly ILogger _log;
    private readonly SensorThread _thread;

    private SensorEntities(IReadOnlyList<SensorOptions> options, Func<SensorOptions, ISensorSource> make, EntityRegistry entities, TimeProvider clock, ILoggerFactory loggers)
    {
        (_entities, _log) = (entities, loggers.CreateLogger<SensorEntities>());
        List<Sensor> sensors = [.. options.Where(sensor => EntityNames.AreFree(_entities, _log, $"sensors.{sensor.Name}", sensor.Name)).Select(sensor => new Sensor(sensor, make(sensor), _log))];
        _thread = new SensorThread(sensors, clock, loggers);
        foreach (var sensor in sensors) Show(sensor);
    }

    /// <summary>How each sensor is doing.</summary>
    public IReadOnlyList<SensorStatus> Status => [.. _thread.Sensors.Select(sensor => sensor.GetStatus())];

    /// <summary>Times that a driver has not answered.</summary>
    public long Hangs => _thread.Hangs;

    /// <summary>Registers what the configuration has; <c>null</c>, and no thread, if it has nothing.</summary>
    public static SensorEntities? Create(IReadOnlyList<SensorOptions> options, EntityRegistry entities, TimeProvider clock, ILoggerFactory loggers) =>
        Create(options, SensorSources.Make, entities, clock, loggers);

    internal static SensorEntities? Create(
        IReadOnlyList<SensorOptions> options, Func<SensorOptions, ISensorSource> make, EntityRegistry entities, TimeProvider clock, ILoggerFactory loggers) =>
        options.Count == 0 ? null : new SensorEntities(options, make, entities, clock, loggers);

    public void Start() => _thread.Start();

    public void Dispose() => _thread.Dispose();

    private void Show(Sensor sensor)
    {
        var options = sensor.Options;
        _entities.Register(new SensorEntity(options.Name, options.DisplayName ?? EntityNames.ToWords(options.Name))
        {
            DeviceClass = options.ShownClass, Unit = options.ShownUnit, StateClass = "measurement", Precision = options.ShownPrecision,
        });
        _entities.SetAvailable(options.Name, false);
        sensor.ValueChanged += value => _entities.Publish(options.Name, value);
        sensor.AvailabilityChanged += isAvailable => _entities.SetAvailable(options.Name, isAvailable);
    }
}
