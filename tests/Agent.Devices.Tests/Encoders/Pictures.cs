using Agent.Devices.Encoders;
using Agent.Devices.Sources;

namespace Agent.Devices.Tests.Encoders;

/// <summary>Pictures to encode, and how far decoded ones are from them.</summary>
internal static class Pictures
{
    public static readonly DateTimeOffset FirstInstant = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    public static VideoFormat Yu12(int width, int height, int rate = 30) => new(PixelFormat.Yu12, width, height, rate, 1);

    /// <summary>Encodes the test pattern; frame n's clock is n frame durations after <see cref="FirstInstant"/>.</summary>
    public static List<byte[]> EncodePattern(
        IVideoEncoder encoder, VideoFormat format, int count, Func<int, bool>? force = null, Action<int>? before = null)
    {
        var pattern = new TestPattern(format.Width, format.Height);
        var frame = new PlanarFrame(format, pattern.Picture);
        var pictures = new List<byte[]>();
        for (var i = 0; i < count; i++)
        {
            before?.Invoke(i);
            pattern.Draw(i, FirstInstant + TimeSpan.FromSeconds(i / format.FramesPerSecond));
            pictures.Add(pattern.Picture.ToArray());
            encoder.Encode(frame.At(TimeSpan.FromSeconds(i / format.FramesPerSecond)), force?.Invoke(i) ?? false);
        }
        return pictures;
    }

    public static double PeakSignalToNoise(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double squares = 0;
        for (var i = 0; i < expected.Length; i++) squares += (expected[i] - actual[i]) * (expected[i] - actual[i]);
        return 10 * Math.Log10(255.0 * 255.0 * expected.Length / Math.Max(squares, 1e-9));
    }

    /// <summary>Pictures that no encoder can squeeze: the rate control alone decides their size.</summary>
    public static PlanarFrame[] NoisyPictures(VideoFormat format)
    {
        var random = new Random(20260102);
        return [.. Enumerable.Range(0, 8).Select(_ =>
        {
            var picture = new byte[format.Width * format.Height * 3 / 2];
            for (var i = 0; i < picture.Length; i++) picture[i] = (byte)random.Next(100, 156);
            return new PlanarFrame(format, picture);
        })];
    }
}
