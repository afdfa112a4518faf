namespace Agent.Media.Motion;

/// <summary>
/// What each cell looks like while nothing moves, and how much it flickers then: a running mean and a running mean deviation. Light that
/// changes slowly, or for the whole picture at once, becomes background; so does what has come and stays. Used by one thread; allocates nothing.
/// </summary>
internal sealed class BackgroundModel
{
    /// <summary>How long a picture is only learnt: cameras that open, switch their IR filter or adapt to a lamp take about this long to settle.</summary>
    public static readonly TimeSpan LearningTime = TimeSpan.FromSeconds(2);

    /// <summary>After so long without a picture it is another scene.</summary>
    private static readonly TimeSpan LongestGap = TimeSpan.FromSeconds(10);

    /// <summary>How long something new must stay as it is to become background: a parked car no longer moves.</summary>
    private const float AbsorbSeconds = 3;

    // Time constants in seconds.
    private const float LearningMean = 0.4f, LearningNoise = 1f, QuietMean = 4f, QuietNoise = 10f, ChangedNoise = 60f;

    /// <summary>Mean deviations that flicker may be away: 4 standard deviations of Gaussian noise, whose mean deviation is 0.8 of one.</summary>
    private const float NoiseFactor = 5;

    /// <summary>From picture to picture noise differs by √2 of what it differs from its mean by.</summary>
    private const float NoiseOfDifference = 0.7f;

    /// <summary>In luma steps: what a cell is taken to flicker by at first, and at most, so that nothing can hide all contrast.</summary>
    private const float FirstNoise = 1, MostNoise = 10;

    /// <summary>
    /// Shares of the cells whose change is one of light or of the camera, not of something in its view: that differ from the background, and
    /// that do so from one picture to the next.
    /// </summary>
    private const double NearlyAll = 0.6, NearlyAllAtOnce = 0.35;

    private readonly BrightnessShift _shift = new();
    private readonly bool[] _watched;
    private readonly int _watchedCount;
    private readonly float[] _luma;
    private readonly float[] _background;
    private readonly float[] _noise;
    private readonly float[] _expected;
    private readonly float[] _candidate;
    private readonly float[] _candidateSeconds;
    private readonly bool[] _isChanged;
    private TimeSpan? _last;
    private TimeSpan _learningSince;

    /// <param name="watched">For each cell whether it counts.</param>
    public BackgroundModel(bool[] watched)
    {
        _watched = watched;
        _watchedCount = watched.Count(static isWatched => isWatched);
        var count = watched.Length;
        (_luma, _background, _noise) = (new float[count], new float[count], new float[count]);
        (_expected, _candidate, _candidateSeconds) = (new float[count], new float[count], new float[count]);
        _isChanged = new bool[count];
        Array.Fill(_noise, FirstNoise);
    }

    /// <summary>Takes one picture in.</summary>
    /// <param name="cells">As <see cref="LumaDownscaler"/> makes them.</param>
    /// <param name="now">When it was captured.</param>
    /// <param name="contrast">Luma steps from which a cell is taken to have changed.</param>
    /// <param name="strengths">Receives for each cell how far it is from its background, in luma steps; 0 if that is noise or the cell does not count.</param>
    /// <returns>False if nothing can be said of this picture: it is being learnt, or nearly all of it has changed at once.</returns>
    public bool Take(ReadOnlySpan<ushort> cells, TimeSpan now, float contrast, Span<float> strengths)
    {
        for (var i = 0; i < _luma.Length; i++) _luma[i] = cells[i] / (float)LumaGrid.Precision;
        if (_last is not { } last || now < last || now - last > LongestGap)
        {
            Array.Fill(_noise, FirstNoise);
            Learn(now);
            _last = now;
            return false;
        }
        _last = now;
        var seconds = (float)(now - last).TotalSeconds;
        _shift.Measure(_background, _luma);
        var (changed, newlyChanged) = Compare(contrast, strengths);
        if (now - _learningSince < LearningTime)
        {
            Adapt(seconds);
            return false;
        }
        if (changed > NearlyAll * _watchedCount || newlyChanged > NearlyAllAtOnce * _watchedCount)
        {
            Learn(now);
            return false;
        }
        Follow(seconds, contrast);
        return true;
    }

    /// <summary>One picture sways the noise little: what passes by is none.</summary>
    private static float Learn(float noise, float deviation, float share) =>
        Math.Min(noise + ((Math.Min(deviation, (2 * noise) + FirstNoise) - noise) * share), MostNoise);

    private static float Share(float seconds, float timeConstant) => Math.Min(seconds / timeConstant, 1);

    private void Learn(TimeSpan now)
    {
        _learningSince = now;
        _luma.CopyTo(_background, 0);
        _luma.CopyTo(_candidate, 0);
        Array.Clear(_candidateSeconds);
    }

    /// <summary>Fills the strengths and what each cell was expected to be; returns how many have changed, and how many of them only now.</summary>
    private (int Changed, int NewlyChanged) Compare(float contrast, Span<float> strengths)
    {
        var (changed, newlyChanged) = (0, 0);
        for (var i = 0; i < _luma.Length; i++)
        {
            // A change of the whole picture's light reaches cells in part: those that are saturated, or lit by something else, not at all.
            var (from, to) = (_background[i], _background[i] + _shift.At(_background[i]));
            _expected[i] = from < to ? Math.Clamp(_luma[i], from, to) : Math.Clamp(_luma[i], to, from);
            var distance = Math.Abs(_luma[i] - _expected[i]);
            strengths[i] = _watched[i] && distance > NoiseFactor * _noise[i] ? distance : 0;
            var isChanged = strengths[i] > contrast;
            if (isChanged) changed++;
            if (isChanged && !_isChanged[i]) newlyChanged++;
            _isChanged[i] = isChanged;
        }
        return (changed, newlyChanged);
    }

    private void Adapt(float seconds)
    {
        var (mean, noise) = (Share(seconds, LearningMean), Share(seconds, LearningNoise));
        for (var i = 0; i < _luma.Length; i++)
        {
            var difference = _luma[i] - _expected[i];
            _background[i] = _expected[i] + (difference * mean);
            // Not from the background, which is still on its way.
            _noise[i] = Learn(_noise[i], Math.Abs(_luma[i] - _candidate[i]) * NoiseOfDifference, noise);
            _candidate[i] = _luma[i];
            _candidateSeconds[i] = 0;
        }
    }

    private void Follow(float seconds, float contrast)
    {
        var (mean, quietNoise, changedNoise) = (Share(seconds, QuietMean), Share(seconds, QuietNoise), Share(seconds, ChangedNoise));
        for (var i = 0; i < _luma.Length; i++)
        {
            var difference = _luma[i] - _expected[i];
            _noise[i] = Learn(_noise[i], Math.Abs(difference), _isChanged[i] ? changedNoise : quietNoise);
            if (!_isChanged[i])
            {
                _background[i] = _expected[i] + (difference * mean);
                _candidateSeconds[i] = 0;
                _candidate[i] = _luma[i];
            }
            else if (Math.Abs(_luma[i] - _candidate[i]) > Math.Max(contrast, NoiseFactor * _noise[i]))
            {
                _background[i] = _expected[i];
                _candidate[i] = _luma[i];
                _candidateSeconds[i] = 0;
            }
            else
            {
                _candidateSeconds[i] += seconds;
                _background[i] = _candidateSeconds[i] < AbsorbSeconds ? _expected[i] : _luma[i];
            }
        }
    }
}
