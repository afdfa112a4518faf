namespace Agent.Devices.Sensors;

/// <summary>
/// Sensors that one driver or one wire serves, one after the other: while one of them is being read the others of the bus wait, and those of
/// other buses do not. Every call is the owner's.
/// </summary>
internal sealed class SensorBus(string name, IReadOnlyList<Sensor> sensors)
{
    /// <summary>Longer than any driver measures: those of carbon dioxide take five seconds.</summary>
    internal static readonly TimeSpan ReadLimit = TimeSpan.FromSeconds(10);

    private Sensor? _reading;
    private TimeSpan _since;
    private bool _hangs;

    public string Name => name;

    public IReadOnlyList<Sensor> Sensors => sensors;

    /// <summary>Times that a driver has not answered within the limit.</summary>
    public long Hangs { get; private set; }

    /// <summary>Does what is due: has the sensor read that has waited for longest, or gives up on one that does not answer.</summary>
    /// <param name="now">The time.</param>
    /// <param name="begin">Has a sensor read; the reading comes back through <see cref="Complete"/>.</param>
    /// <returns>When there is something to do next.</returns>
    public TimeSpan Advance(TimeSpan now, Action<SensorBus, Sensor> begin)
    {
        if (_hangs) return TimeSpan.MaxValue;
        if (_reading is not null)
        {
            if (now - _since < ReadLimit) return _since + ReadLimit;
            _hangs = true;
            Hangs++;
            foreach (var sensor in sensors)
            {
                sensor.GiveUp(sensor == _reading
                    ? $"its driver has not answered for {ReadLimit.TotalSeconds} s"
                    : $"the driver of {_reading.Options.Name}, on the same bus, has not answered for {ReadLimit.TotalSeconds} s", now);
            }
            return TimeSpan.MaxValue;
        }
        var next = sensors[0];
        foreach (var sensor in sensors)
        {
            if (sensor.Due < next.Due) next = sensor;
        }
        if (next.Due > now) return next.Due;
        (_reading, _since) = (next, now);
        begin(this, next);
        return now + ReadLimit;
    }

    /// <summary>Takes a reading. One that comes too late is not of now: the sensors are read anew.</summary>
    public void Complete(SensorReading reading, TimeSpan now)
    {
        var sensor = _reading!;
        _reading = null;
        if (!_hangs)
        {
            sensor.Take(reading, now);
            return;
        }
        _hangs = false;
        foreach (var waiting in sensors) waiting.Due = now;
    }
}
