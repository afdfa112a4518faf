namespace Agent.Media.Tests;

public sealed class SampleRangeTests
{
    // Longer than a vector and not a multiple of one, so that both loops run.
    private static byte[] EveryValueTwice { get; } = [.. Enumerable.Range(0, 519).Select(static i => (byte)(i % 256))];

    [Fact]
    public void Limited_range_samples_are_those_of_BT_601_to_the_nearest_step()
    {
        var luma = EveryValueTwice.ToArray();
        SampleRange.LimitLuma(luma);
        var chroma = EveryValueTwice.ToArray();
        SampleRange.LimitChroma(chroma);
        for (var i = 0; i < luma.Length; i++)
        {
            Assert.InRange(luma[i], 16 + (EveryValueTwice[i] * 219 / 255.0) - 1, 16 + (EveryValueTwice[i] * 219 / 255.0) + 1);
            Assert.InRange(chroma[i], 16 + (EveryValueTwice[i] * 224 / 255.0) - 1, 16 + (EveryValueTwice[i] * 224 / 255.0) + 1);
        }
        Assert.Equal((16, 235), (luma[0], luma[255]));
        Assert.Equal((16, 128, 240), (chroma[0], chroma[128], chroma[255]));
    }

    [Fact]
    public void Expanding_takes_limited_samples_back_and_clips_what_lies_outside()
    {
        var luma = EveryValueTwice.ToArray();
        SampleRange.LimitLuma(luma);
        SampleRange.ExpandLuma(luma, luma);
        var chroma = EveryValueTwice.ToArray();
        SampleRange.LimitChroma(chroma);
        SampleRange.ExpandChroma(chroma, chroma);
        for (var i = 0; i < luma.Length; i++)
        {
            Assert.InRange(luma[i] - EveryValueTwice[i], -2, 2);
            Assert.InRange(chroma[i] - EveryValueTwice[i], -2, 2);
        }
        byte[] outside = [0, 15, 236, 255];
        SampleRange.ExpandLuma(outside, outside);
        Assert.Equal<byte>([0, 0, 255, 255], outside);
    }

    [Fact]
    public void The_mean_of_two_lines_rounds_halves_up()
    {
        var reversed = EveryValueTwice.Reverse().ToArray();
        var mean = new byte[EveryValueTwice.Length];
        SampleRange.Average(EveryValueTwice, reversed, mean);
        Assert.Equal(EveryValueTwice.Zip(reversed, static (a, b) => (byte)((a + b + 1) / 2)), mean);
    }
}
