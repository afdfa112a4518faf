using System.Globalization;

namespace Agent.Devices.Sources;

/// <summary>Width and height of a picture, in pixels; written as <c>1280x720</c>.</summary>
public readonly record struct FrameSize(int Width, int Height)
{
    /// <summary>Of each shape that cameras have the usual ones, for sources that can make any size.</summary>
    public static IReadOnlyList<FrameSize> Common { get; } =
        [new(320, 180), new(320, 240), new(640, 360), new(640, 480), new(960, 540), new(1280, 720), new(1280, 960), new(1920, 1080)];

    /// <summary>The common sizes and this one, smallest first.</summary>
    public static IReadOnlyList<FrameSize> CommonAnd(int width, int height) => Sort(Common.Append(new(width, height)));

    /// <summary>Each once, smallest first; those of odd sides are left out, since 4:2:0 has even ones only.</summary>
    public static IReadOnlyList<FrameSize> Sort(IEnumerable<FrameSize> sizes) =>
        [.. sizes.Distinct().Where(size => size.Width % 2 == 0 && size.Height % 2 == 0).OrderBy(size => (long)size.Width * size.Height).ThenBy(size => size.Width)];

    /// <summary>False if the text is no size.</summary>
    public static bool TryParse(string? text, out FrameSize size)
    {
        size = default;
        if (text?.Split('x') is not [var width, var height]) return false;
        var isSize = int.TryParse(width, NumberStyles.None, CultureInfo.InvariantCulture, out var w) & int.TryParse(height, NumberStyles.None, CultureInfo.InvariantCulture, out var h);
        size = new(w, h);
        return isSize && w > 0 && h > 0;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Width}x{Height}");
}
