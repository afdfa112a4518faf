using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Agent.Devices.Sensors;

/// <summary>Waits for one bus's drivers, on a thread of its own, so that nobody else has to. Opens and closes the bus's sources.</summary>
internal sealed partial class SensorReader : IDisposable
{
    /// <summary>System calls and little else.</summary>
    private const int StackBytes = 256 * 1024;

    private readonly SensorBus _bus;
    private readonly Action<SensorBus, SensorReading> _done;
    private readonly ILogger _log;
    private readonly BlockingCollection<Sensor> _orders = new(1);

    /// <param name="bus">Whose sensors to read.</param>
    /// <param name="done">Gets each reading, on this thread.</param>
    /// <param name="log">For bugs.</param>
    public SensorReader(SensorBus bus, Action<SensorBus, SensorReading> done, ILogger log)
    {
        (_bus, _done, _log) = (bus, done, log);
        new Thread(Run, StackBytes) { Name = $"sensor {bus.Name}", IsBackground = true }.Start();
    }

    /// <summary>Has a sensor read; the one before must be done.</summary>
    public void Read(Sensor sensor) => _orders.Add(sensor);

    /// <summary>Ends the thread once the driver lets it; a hanging one is left behind.</summary>
    public void Dispose() => _orders.CompleteAdding();

    private void Run()
    {
        foreach (var sensor in _orders.GetConsumingEnumerable()) _done(_bus, Read(sensor.Source));
        foreach (var sensor in _bus.Sensors) sensor.Source.Dispose();
        _orders.Dispose();
    }

    private SensorReading Read(ISensorSource source)
    {
        try
        {
            return source.Read();
        }
        catch (Exception bug)
        {
            // The other sensors can go on.
            LogBroken(bug);
            return SensorReading.Failed($"reading it went wrong, which is a bug: {bug.Message}");
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A sensor's source broke: this is a bug")]
    private partial void LogBroken(Exception bug);
}
