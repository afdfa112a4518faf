using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Agent.Devices.Sensors;

/// <summary>
/// The one owner of all sensors, a thread. Each bus has another one that waits for its drivers; readings come back through a queue with room
/// for one of each, so that none is dropped. It sleeps while nothing is due.
/// </summary>
public sealed partial class SensorThread : IDisposable
{
    private readonly SensorBus[] _buses;
    private readonly SensorReader[] _readers;
    private readonly TimeProvider _clock;
    private readonly long _started;
    private readonly ILogger _log;
    private readonly BlockingCollection<(SensorBus Bus, SensorReading Reading)> _readings;
    private readonly Thread _thread;

    /// <summary>Reads nothing before <see cref="Start"/>.</summary>
    /// <param name="sensors">From now on this thread's.</param>
    /// <param name="clock">Paces them.</param>
    /// <param name="loggers">For bugs.</param>
    public SensorThread(IReadOnlyList<Sensor> sensors, TimeProvider clock, ILoggerFactory loggers)
    {
        (Sensors, _clock, _log) = (sensors, clock, loggers.CreateLogger<SensorThread>());
        _started = clock.GetTimestamp();
        _buses = [.. sensors.GroupBy(sensor => SensorSources.BusOf(sensor.Options)).Select(group => new SensorBus(group.Key, [.. group]))];
        _readers = new SensorReader[_buses.Length];
        _readings = new(Math.Max(_buses.Length, 1));
        _thread = new Thread(Run) { Name = "sensors", IsBackground = true };
    }

    public IReadOnlyList<Sensor> Sensors { get; }

    /// <summary>Times that a driver has not answered within the limit.</summary>
    public long Hangs => _buses.Sum(bus => bus.Hangs);

    /// <summary>Reads everything, and goes on from there.</summary>
    public void Start()
    {
        for (var i = 0; i < _buses.Length; i++) _readers[i] = new SensorReader(_buses[i], Return, _log);
        _thread.Start();
    }

    /// <summary>Ends the thread; drivers that hang are left behind.</summary>
    public void Dispose()
    {
        _readings.CompleteAdding();
        if (!_thread.IsAlive) return;
        _thread.Join();
        foreach (var reader in _readers) reader.Dispose();
    }

    private TimeSpan Now => _clock.GetElapsedTime(_started);

    private void Run()
    {
        try
        {
            while (!_readings.IsCompleted)
            {
                if (_readings.TryTake(out var done, Advance())) done.Bus.Complete(done.Reading, Now);
            }
        }
        catch (Exception bug)
        {
            // The thread has no caller to throw to, and the cameras can go on without it.
            LogBroken(bug);
            foreach (var sensor in Sensors) sensor.GiveUp("a bug has ended the sensors' thread", Now);
        }
    }

    /// <summary>Does what is due; returns the milliseconds until the next is, rounded up, or -1 if nothing is before a reading comes.</summary>
    private int Advance()
    {
        var next = TimeSpan.MaxValue;
        foreach (var bus in _buses)
        {
            var at = bus.Advance(Now, Begin);
            if (at < next) next = at;
        }
        return next == TimeSpan.MaxValue ? Timeout.Infinite : (int)Math.Ceiling(Math.Clamp((next - Now).TotalMilliseconds, 0, int.MaxValue));
    }

    private void Begin(SensorBus bus, Sensor sensor) => _readers[Array.IndexOf(_buses, bus)].Read(sensor);

    private void Return(SensorBus bus, SensorReading reading)
    {
        try
        {
            _readings.Add((bus, reading));
        }
        catch (InvalidOperationException)
        {
            // The agent stops.
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Sensors are not read any more: this is a bug")]
    private partial void LogBroken(Exception bug);
}
