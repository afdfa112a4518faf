using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Agent.Devices.Sensors;

/// <summary>How a sensor is doing.</summary>
/// <param name="Name">As configured.</param>
/// <param name="Value">What it shows, in its unit; <c>null</c> while there is none.</param>
/// <param name="Reads">Readings since the start.</param>
/// <param name="Failures">Those that gave no value.</param>
public readonly record struct SensorStatus(string Name, double? Value, long Reads, long Failures);

/// <summary>
/// What becomes of one sensor's readings: calibration, averaging, dead band; and when it is read next. Times are those of one monotonic clock;
/// every call but <see cref="GetStatus"/> is the owner's.
/// </summary>
public sealed partial class Sensor
{
    /// <summary>A reading that fails now and then is not shown, as with a cable that catches noise; the next one comes soon.</summary>
    internal const int FailuresTolerated = 2;

    private readonly SensorQuantity _quantity;
    private readonly UnitConversion _conversion;
    private readonly ILogger _log;
    private readonly SampleWindow _window;
    private readonly ReopenDelay _delay = new();
    private readonly TimeSpan _period;
    private readonly string _format;
    private double _shown = double.NaN;
    private TimeSpan _shownAt;
    private int _failures;
    private bool _isReported;
    private long _reads;
    private long _failuresTotal;
    private long _status = BitConverter.DoubleToInt64Bits(double.NaN);

    /// <param name="options">What it is.</param>
    /// <param name="source">Where its values come from.</param>
    /// <param name="log">Says once when it fails, and once when it is back.</param>
    public Sensor(SensorOptions options, ISensorSource source, ILogger log)
    {
        (Options, Source, _log) = (options, source, log);
        _quantity = options.Quantity;
        // A unit that nothing can be converted to is what calibration makes of the number.
        _conversion = UnitConversion.Find(_quantity.Unit, options.Unit ?? _quantity.Unit) ?? new(1, 0);
        _window = new SampleWindow(options.Samples, options.Average);
        _period = options.Interval / options.Samples;
        _format = $"F{options.ShownPrecision}";
    }

    /// <summary>There is a new value to show: with a decimal point and as many digits behind it as are wanted.</summary>
    public event Action<string>? ValueChanged;

    /// <summary>Whether its value can be known; at the start it cannot.</summary>
    public event Action<bool>? AvailabilityChanged;

    public SensorOptions Options { get; }

    /// <summary>Read by whoever has the bus.</summary>
    internal ISensorSource Source { get; }

    /// <summary>When to read it next.</summary>
    internal TimeSpan Due { get; set; }

    /// <summary>Any thread.</summary>
    public SensorStatus GetStatus()
    {
        var value = BitConverter.Int64BitsToDouble(Interlocked.Read(ref _status));
        return new(Options.Name, double.IsNaN(value) ? null : value, Interlocked.Read(ref _reads), Interlocked.Read(ref _failuresTotal));
    }

    /// <summary>Takes what a reading gave.</summary>
    internal void Take(SensorReading reading, TimeSpan now)
    {
        Interlocked.Increment(ref _reads);
        if (reading.Problem is { } problem)
        {
            Fail(problem, reading.IsAbsent, now);
            return;
        }
        if (!(reading.Value >= _quantity.Minimum && reading.Value <= _quantity.Maximum))
        {
            Fail(FormattableString.Invariant($"it says {reading.Value} {_quantity.Unit}, which cannot be"), false, now);
            return;
        }
        // Humidity sensors give a little more than everything in fog.
        var measured = ReferenceEquals(_quantity, SensorQuantity.Humidity) ? Math.Clamp(reading.Value, 0, 100) : reading.Value;
        var value = (_conversion.Apply(measured) * Options.Scale) + Options.Offset;
        if (!double.IsFinite(value) || value < Options.Minimum || value > Options.Maximum)
        {
            Fail(FormattableString.Invariant($"it says {value} {Options.ShownUnit}, which is beyond what is configured"), false, now);
            return;
        }
        // After a late reading the next one is not hurried.
        Due = Due + _period > now ? Due + _period : now + _period;
        _failures = 0;
        _delay.Reset();
        _window.Add(value);
        // The first value is shown at once, though it may be of fewer samples.
        if (!_window.IsComplete && !double.IsNaN(_shown)) return;
        Show(_window.Compute(), now);
        if (_window.IsComplete) _window.Clear();
    }

    /// <summary>There is no value, and none is shown, without a reading: its driver, or another's on the same bus, does not answer.</summary>
    internal void GiveUp(string problem, TimeSpan now)
    {
        _failures = FailuresTolerated;
        Fail(problem, true, now);
    }

    private void Show(double value, TimeSpan now)
    {
        var isNew = double.IsNaN(_shown);
        if (!isNew && Math.Abs(value - _shown) < Options.DeadBand && now - _shownAt < Options.Refresh) return;
        (_shown, _shownAt) = (value, now);
        Interlocked.Exchange(ref _status, BitConverter.DoubleToInt64Bits(value));
        ValueChanged?.Invoke(Format(value));
        if (!isNew) return;
        if (_isReported) LogBack(Options.Name);
        _isReported = false;
        AvailabilityChanged?.Invoke(true);
    }

    private void Fail(string problem, bool isAbsent, TimeSpan now)
    {
        Interlocked.Increment(ref _failuresTotal);
        Due = now + _delay.Next();
        if (++_failures <= FailuresTolerated && !isAbsent) return;
        _window.Clear();
        if (!_isReported) LogProblem(Options.Name, problem);
        else LogStill(Options.Name, problem);
        _isReported = true;
        if (double.IsNaN(_shown)) return;
        _shown = double.NaN;
        Interlocked.Exchange(ref _status, BitConverter.DoubleToInt64Bits(double.NaN));
        AvailabilityChanged?.Invoke(false);
    }

    private string Format(double value)
    {
        var text = value.ToString(_format, CultureInfo.InvariantCulture);
        // What rounds to zero has no sign.
        return text.AsSpan().ContainsAnyInRange('1', '9') ? text : text.TrimStart('-');
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sensor {Name} is unavailable: {Problem}. It is tried again")]
    private partial void LogProblem(string name, string problem);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Sensor {Name} is unavailable still: {Problem}")]
    private partial void LogStill(string name, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "Sensor {Name} is back")]
    private partial void LogBack(string name);
}
