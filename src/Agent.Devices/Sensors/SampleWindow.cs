namespace Agent.Devices.Sensors;

/// <summary>The samples of one value. Allocates nothing once made.</summary>
internal sealed class SampleWindow(int size, SensorAverage average)
{
    private readonly double[] _samples = new double[size];
    private readonly double[] _sorted = new double[size];
    private int _count;
    private int _next;

    /// <summary>Whether as many as make a value have come since the last <see cref="Clear"/> or full window.</summary>
    public bool IsComplete => _count == size;

    public void Add(double sample)
    {
        _samples[_next] = sample;
        _next = (_next + 1) % size;
        _count = Math.Min(_count + 1, size);
    }

    /// <summary>What the samples so far make.</summary>
    public double Compute()
    {
        var samples = _samples.AsSpan(0, _count);
        if (average == SensorAverage.Mean)
        {
            var sum = 0.0;
            foreach (var sample in samples) sum += sample;
            return sum / _count;
        }
        var sorted = _sorted.AsSpan(0, _count);
        samples.CopyTo(sorted);
        sorted.Sort();
        return (sorted[(_count - 1) / 2] + sorted[_count / 2]) / 2;
    }

    public void Clear() => (_count, _next) = (0, 0);
}
