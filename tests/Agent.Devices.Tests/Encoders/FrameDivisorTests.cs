using Agent.Devices.Encoders;
using Agent.Media;
using static Agent.Devices.Tests.Encoders.Pictures;

namespace Agent.Devices.Tests.Encoders;

/// <summary>An encoder that is told of fewer frames spends the same bits on them.</summary>
public sealed class FrameDivisorTests
{
    private const int Bitrate = 600_000;

    [Theory]
    [InlineData(VideoEncoderKind.Libx264)]
    [InlineData(VideoEncoderKind.OpenH264)]
    public void The_bitrate_stays_when_only_one_of_three_frames_comes_and_when_all_come_again(VideoEncoderKind kind)
    {
        var format = Yu12(320, 240);
        var output = new CollectingSubscriber();
        using var encoder = SoftwareEncoders.All.Single(encoder => encoder.Kind == kind).Open(
            new VideoEncoderOptions { BitrateBps = Bitrate, KeyFrameIntervalSeconds = 60 }, format, new AccessUnitPool(), output.Add);
        var pictures = NoisyPictures(format);
        var now = TimeSpan.Zero;
        var rates = new[] { 1, 3, 1 }.Select(Encode).ToList();

        Assert.All(rates, static rate => Assert.InRange(rate / Bitrate, 0.75, 1.25));
        // OpenH264 makes IDRs of its own where everything changes.
        if (kind == VideoEncoderKind.Libx264) Assert.Equal(1, output.All.Count(static unit => unit.IsKeyFrame));

        // Bits per second in the last three of six.
        double Encode(int divisor)
        {
            encoder.SetFrameDivisor(divisor);
            var from = now + TimeSpan.FromSeconds(3);
            for (var i = 0; i < 180; i += divisor, now += TimeSpan.FromSeconds(divisor / 30.0))
                encoder.Encode(pictures[i / divisor % pictures.Length].At(now), forceKeyFrame: false);
            return output.All.Where(unit => unit.CapturedAt >= from).Sum(static unit => unit.Data.Length) * 8.0 / 3;
        }
    }
}
