using Agent.Media.Motion;

namespace Agent.Media.Tests.Motion;

/// <summary>A camera's view, drawn: a textured background, light, noise, things that move. Five pictures a second; the same seed is the same scene.</summary>
internal sealed class Scene
{
    public const int Width = 320, Height = 180, PicturesPerSecond = 5;
    private const int NoiseTable = 1 << 16;

    private readonly Random _random;
    private readonly float[] _background = new float[Width * Height];
    private readonly float[] _gaussian = new float[NoiseTable];
    private readonly byte[] _luma = new byte[Width * Height];
    private readonly float[] _picture = new float[Width * Height];
    private readonly LumaDownscaler _downscaler = new(Width, Height);
    private readonly ushort[] _cells;

    public Scene(int seed)
    {
        _random = new Random(seed);
        _cells = new ushort[_downscaler.Grid.Count];
        for (var i = 0; i < NoiseTable; i++)
            _gaussian[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble()));
        // Sky above, a wall with windows below: bright, middling and dark parts with sharp edges.
        for (var y = 0; y < Height; y++)
        {
            for (var x = 0; x < Width; x++)
            {
                var isWindow = y > 80 && x % 64 is > 20 and < 44 && y % 48 is > 12 and < 36;
                _background[(y * Width) + x] = y < 60 ? 190 - (y / 4f) : isWindow ? 50 : 110 + (12 * MathF.Sin(x / 5f) * MathF.Cos(y / 7f));
            }
        }
    }

    /// <summary>Standard deviation of each pixel's noise.</summary>
    public double Noise { get; init; } = 4;

    /// <summary>Draws over the background at a second of the scene; luma from 0 to 255.</summary>
    public Action<double, Canvas>? Draw { get; init; }

    public static LumaGrid Grid => LumaGrid.For(Width, Height);

    /// <summary>Shows the scene to a detector; the seconds at which each of its zones' motion began (+) and ended (-).</summary>
    public List<(double Second, int Zone, bool IsMoving)> Play(MotionDetector detector, double seconds)
    {
        var changes = new List<(double, int, bool)>();
        var zones = new bool[16];
        for (var picture = 0; picture < seconds * PicturesPerSecond; picture++)
        {
            var second = picture / (double)PicturesPerSecond;
            if (!detector.Look(Render(second), TimeSpan.FromSeconds(1000 + second))) continue;
            for (var zone = 0; zone < detector.ZoneCount; zone++)
            {
                if (zones[zone] == detector.IsZoneMoving(zone)) continue;
                zones[zone] = !zones[zone];
                changes.Add((second, zone, zones[zone]));
            }
        }
        return changes;
    }

    public ReadOnlySpan<ushort> Render(double second)
    {
        _background.CopyTo(_picture, 0);
        Draw?.Invoke(second, new Canvas(_picture, _random));
        for (var y = 0; y < Height; y++)
        {
            var noise = _random.Next(NoiseTable - Width);
            for (var x = 0; x < Width; x++)
                _luma[(y * Width) + x] = (byte)Math.Clamp(_picture[(y * Width) + x] + (Noise * _gaussian[noise + x]) + 0.5, 0, 255);
        }
        _downscaler.Downscale(_luma, Width, LumaLayout.Planar, _cells);
        return _cells;
    }

    internal sealed class Canvas(float[] picture, Random random)
    {
        public Random Random => random;

        /// <summary>Every pixel becomes another.</summary>
        public void Change(Func<float, int, int, float> change)
        {
            for (var i = 0; i < picture.Length; i++) picture[i] = change(picture[i], i % Width, i / Width);
        }

        /// <summary>Adds to a rectangle in shares of the picture; parts beyond its edge are left out.</summary>
        public void Add(double x, double y, double width, double height, float difference)
        {
            for (var line = Math.Max((int)(y * Height), 0); line < Math.Min((int)((y + height) * Height), Height); line++)
            {
                for (var column = Math.Max((int)(x * Width), 0); column < Math.Min((int)((x + width) * Width), Width); column++) picture[(line * Width) + column] += difference;
            }
        }
    }
}
