using Agent.Devices.Sources;

namespace Agent.Devices.Encoders;

/// <summary>Picks the level that a stream needs.</summary>
/// <param name="LevelIdc">Ten times the level.</param>
/// <param name="MacroblocksPerSecond">MaxMBPS.</param>
/// <param name="FrameSize">MaxFS in macroblocks.</param>
/// <param name="BitrateUnits">MaxBR, in units of cpbBrVclFactor bit/s.</param>
internal readonly record struct H264Level(byte LevelIdc, int MacroblocksPerSecond, int FrameSize, int BitrateUnits)
{
    private const int MacroblockSize = 16;

    /// <summary>cpbBrVclFactor of Baseline and Main (H.264 §A.3.1) and of High (Table A-2).</summary>
    private const int BitrateFactor = 1000;
    private const int BitrateFactorHigh = 1250;

    /// <summary>H.264 Table A-1. Browsers offer level 3.1, so nothing below is told apart.</summary>
    private static readonly H264Level[] Levels =
    [
        new(31, 108_000, 3_600, 14_000),
        new(32, 216_000, 5_120, 20_000),
        new(40, 245_760, 8_192, 20_000),
        new(41, 245_760, 8_192, 50_000),
        new(42, 522_240, 8_704, 50_000),
        new(50, 589_824, 22_080, 135_000),
        new(51, 983_040, 36_864, 240_000),
        new(52, 2_073_600, 36_864, 240_000),
    ];

    /// <summary>"3.1" for 31.</summary>
    public string Text => FormattableString.Invariant($"{LevelIdc / 10}.{LevelIdc % 10}");

    /// <summary>The lowest level, from 3.1, that holds pictures of this size at this rate and bitrate, or <c>null</c>.</summary>
    public static H264Level? Find(int width, int height, double framesPerSecond, int bitsPerSecond, H264Profile profile)
    {
        var across = (width + MacroblockSize - 1) / MacroblockSize;
        var down = (height + MacroblockSize - 1) / MacroblockSize;
        var size = across * down;
        foreach (var level in Levels)
        {
            // §A.3.1: neither side exceeds Sqrt(MaxFS * 8) macroblocks.
            var longestSide = Math.Sqrt(level.FrameSize * 8.0);
            if (size <= level.FrameSize && across <= longestSide && down <= longestSide && size * framesPerSecond <= level.MacroblocksPerSecond
                && bitsPerSecond <= level.MaximumBitrate(profile))
                return level;
        }
        return null;
    }

    /// <summary>The same, or what is wrong.</summary>
    /// <exception cref="VideoEncoderException">No level holds them.</exception>
    public static H264Level Require(VideoFormat format, VideoEncoderOptions options) =>
        Find(format.Width, format.Height, format.FramesPerSecond, options.BitrateBps, options.Profile)
        ?? throw new VideoEncoderException(FormattableString.Invariant(
            $"{format.Width}x{format.Height} at {format.FramesPerSecond:0.##} frames/s and {options.BitrateBps} bit/s is beyond H.264 level 5.2: choose less"));

    /// <summary>Most bit/s that the level allows.</summary>
    public int MaximumBitrate(H264Profile profile) => BitrateUnits * (profile == H264Profile.High ? BitrateFactorHigh : BitrateFactor);
}
