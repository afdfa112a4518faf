using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Sources;

/// <summary>A V4L2 format code the agent can take, and how many separate memory planes it comes in.</summary>
internal readonly record struct V4l2PixelFormat(uint FourCc, PixelFormat PixelFormat, int MemoryPlanes)
{
    /// <summary>
    /// In order of preference at equal size and rate, unless the encoder says otherwise: what encoders take as it is, then what must be
    /// repacked, then what must be decoded.
    /// </summary>
    public static readonly V4l2PixelFormat[] Supported =
    [
        new(V4L2_PIX_FMT_NV12, PixelFormat.Nv12, 1),
        new(V4L2_PIX_FMT_NV12M, PixelFormat.Nv12, 2),
        new(V4L2_PIX_FMT_YUV420, PixelFormat.Yu12, 1),
        new(V4L2_PIX_FMT_YUV420M, PixelFormat.Yu12, 3),
        new(V4L2_PIX_FMT_YUYV, PixelFormat.Yuyv, 1),
        new(V4L2_PIX_FMT_MJPEG, PixelFormat.Mjpg, 1),
        new(V4L2_PIX_FMT_H264, PixelFormat.H264, 1),
    ];

    /// <summary>True for MJPG and H264.</summary>
    public bool IsCompressed => PixelFormat is PixelFormat.Mjpg or PixelFormat.H264;

    /// <summary>Whether a wish names it, by either of its names: NV12 or NM12; without a wish it is welcome.</summary>
    public bool IsWished(string? wish) =>
        wish is null || wish.Equals(PixelFormat.ToString(), StringComparison.OrdinalIgnoreCase)
        || wish.Equals(V4l2Enumeration.FourCcText(FourCc), StringComparison.OrdinalIgnoreCase);
}

/// <summary>What to ask the driver for. The interval is zero if the driver lists none.</summary>
internal readonly record struct V4l2FormatChoice(V4l2PixelFormat Format, uint Width, uint Height, v4l2_fract Interval)
{
    /// <summary>
    /// The offer nearest to the wish: first the smallest difference in size (width plus height), then in frame rate (to one frame per
    /// second), then the format: the camera's own H.264, then what the encoder reads in place, then the order of
    /// <see cref="V4l2PixelFormat.Supported"/>.
    /// </summary>
    /// <param name="offered">Format codes the driver lists.</param>
    /// <param name="sizes">Sizes for a format; empty if the driver lists none, and then the wish is tried.</param>
    /// <param name="intervals">Frame intervals for a format and size; empty if the driver lists none.</param>
    /// <param name="wish">Width, height, rate, and the format forced (by either of its names: NV12 or NM12) or <c>null</c>.</param>
    /// <param name="demand">Which formats the encoder would like.</param>
    /// <returns><c>null</c> if none of the formats fits.</returns>
    public static V4l2FormatChoice? Nearest(
        IReadOnlyCollection<uint> offered,
        Func<uint, IReadOnlyList<V4l2SizeRange>> sizes,
        Func<uint, uint, uint, IReadOnlyList<V4l2IntervalRange>> intervals,
        VideoSourceOptions wish,
        SourceDemand demand)
    {
        var usable = V4l2PixelFormat.Supported
            .Where(format => offered.Contains(format.FourCc))
            .Where(format => format.IsWished(wish.PixelFormat))
            .Where(format => demand.OwnH264 == OwnH264Use.WhereItServes
                || (format.PixelFormat == PixelFormat.H264) == (demand.OwnH264 == OwnH264Use.Always))
            .OrderBy(format => Rank(format.PixelFormat, demand));

        V4l2FormatChoice? best = null;
        var bestCost = (long.MaxValue, long.MaxValue);
        foreach (var format in usable)
        {
            var candidates = sizes(format.FourCc).Select(range => range.Nearest(wish.Width, wish.Height));
            foreach (var (width, height) in candidates.DefaultIfEmpty(((uint)wish.Width, (uint)wish.Height)))
            {
                var interval = intervals(format.FourCc, width, height).Select(range => range.Nearest(wish.FrameRate))
                    .OrderBy(candidate => Math.Abs(V4l2IntervalRange.FramesPerSecond(candidate) - wish.FrameRate)).FirstOrDefault();
                var sizeCost = Math.Abs(width - (long)wish.Width) + Math.Abs(height - (long)wish.Height);
                var rateDifference = Math.Abs(V4l2IntervalRange.FramesPerSecond(interval) - wish.FrameRate);
                var rateCost = interval.numerator == 0 ? 0 : (long)Math.Round(rateDifference);
                if ((sizeCost, rateCost).CompareTo(bestCost) < 0)
                {
                    (best, bestCost) = (new V4l2FormatChoice(format, width, height, interval), (sizeCost, rateCost));
                }
            }
        }

        return best;
    }

    /// <summary>Lower is better among offers that are otherwise equal.</summary>
    private static int Rank(PixelFormat format, SourceDemand demand)
    {
        var inPlace = demand.ReadInPlace.TakeWhile(wanted => wanted != format).Count();
        return format == PixelFormat.H264 ? -1 : inPlace;
    }
}
