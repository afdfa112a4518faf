namespace Agent.Media.Motion;

/// <summary>
/// Finds how a whole picture has become brighter or darker against its background, as by clouds, sunset or a step of automatic exposure:
/// from the medians of the darker and of the brighter half of it, which things that move do not sway. Used by one thread.
/// </summary>
internal sealed class BrightnessShift
{
    /// <summary>Bins of a quarter of a luma step.</summary>
    private const int BinsPerStep = 4;
    private const int Steps = 256;
    private const int DifferenceBins = 2 * Steps * BinsPerStep;

    /// <summary>Halves that are closer than this tell nothing about gain.</summary>
    private const float LeastSpread = 8;

    /// <summary>Difference for each step of luma; beyond this it is no exposure step but another picture.</summary>
    private const float MostSlope = 1;

    private readonly int[] _levels = new int[Steps];
    private readonly int[] _dark = new int[DifferenceBins];
    private readonly int[] _bright = new int[DifferenceBins];
    private float _pivot;
    private float _offset;
    private float _slope;

    /// <summary>What to expect of a cell, in luma steps more than its background.</summary>
    public float At(float background) => _offset + (_slope * (background - _pivot));

    public void Measure(ReadOnlySpan<float> background, ReadOnlySpan<float> luma)
    {
        Array.Clear(_levels);
        Array.Clear(_dark);
        Array.Clear(_bright);
        foreach (var value in background) _levels[Level(value)]++;
        var split = Median(_levels, background.Length, _levels);
        int darkCount = 0, brightCount = 0;
        double darkSum = 0, brightSum = 0;
        for (var i = 0; i < background.Length; i++)
        {
            var bin = Math.Clamp((int)(((luma[i] - background[i]) * BinsPerStep) + (DifferenceBins / 2) + 0.5f), 0, DifferenceBins - 1);
            if (Level(background[i]) <= split)
            {
                _dark[bin]++;
                darkCount++;
                darkSum += background[i];
            }
            else
            {
                _bright[bin]++;
                brightCount++;
                brightSum += background[i];
            }
        }
        var dark = Difference(_dark, darkCount, _dark);
        var (darkMean, brightMean) = ((float)(darkSum / Math.Max(darkCount, 1)), (float)(brightSum / Math.Max(brightCount, 1)));
        if (brightCount == 0 || brightMean - darkMean < LeastSpread)
        {
            (_pivot, _slope, _offset) = (darkMean, 0, Difference(_dark, background.Length, _bright));
            return;
        }
        _pivot = darkMean;
        _offset = dark;
        _slope = Math.Clamp((Difference(_bright, brightCount, _bright) - dark) / (brightMean - darkMean), -MostSlope, MostSlope);
    }

    private static int Level(float luma) => Math.Clamp((int)luma, 0, Steps - 1);

    /// <summary>The median difference of one histogram, or of two together.</summary>
    private static float Difference(int[] histogram, int count, int[] other) => (Median(histogram, count, other) - (DifferenceBins / 2)) / (float)BinsPerStep;

    private static int Median(int[] histogram, int count, int[] other)
    {
        var isOne = ReferenceEquals(histogram, other);
        var left = (count + 1) / 2;
        for (var bin = 0; bin < histogram.Length; bin++)
        {
            left -= histogram[bin] + (isOne ? 0 : other[bin]);
            if (left <= 0) return bin;
        }
        return histogram.Length - 1;
    }
}
