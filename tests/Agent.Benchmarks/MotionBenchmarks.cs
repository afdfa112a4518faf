using Agent.Media.Motion;
using BenchmarkDotNet.Attributes;

namespace Agent.Benchmarks;

/// <summary>Looking for motion in a 1280 × 720 picture, beside reading that picture once from memory.</summary>
public class MotionBenchmarks
{
    private const int Width = 1280;
    private const int Height = 720;

    private readonly byte[] _luma = new byte[Width * Height];
    private readonly byte[] _copy = new byte[Width * Height];
    private readonly LumaDownscaler _downscaler = new(Width, Height);
    private readonly ushort[] _cells;
    private readonly MotionDetector _detector;
    private TimeSpan _now;

    public MotionBenchmarks()
    {
        new Random(1).NextBytes(_luma);
        _cells = new ushort[_downscaler.Grid.Count];
        _detector = new MotionDetector(_downscaler.Grid, new MotionSettings());
    }

    [Benchmark(Baseline = true, Description = "copy of the luma plane")]
    public void Copy() => _luma.CopyTo(_copy, 0);

    [Benchmark(Description = "downscale the luma plane")]
    public void Downscale() => _downscaler.Downscale(_luma, Width, LumaLayout.Planar, _cells);

    [Benchmark(Description = "downscale and look for motion")]
    public bool Look()
    {
        _downscaler.Downscale(_luma, Width, LumaLayout.Planar, _cells);
        _now += TimeSpan.FromMilliseconds(100);
        return _detector.Look(_cells, _now);
    }
}
