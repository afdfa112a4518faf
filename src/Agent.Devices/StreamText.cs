using System.Globalization;
using Agent.Devices.Sources;

namespace Agent.Devices;

/// <summary>How formats and failures are worded.</summary>
internal static class StreamText
{
    /// <summary>"NV12 1280x720 30 fps".</summary>
    public static string Of(VideoFormat format) =>
        string.Create(CultureInfo.InvariantCulture, $"{format.PixelFormat.ToString().ToUpperInvariant()} {format.Width}x{format.Height} {format.FramesPerSecond:0.##} fps");

    /// <summary>For viewers: a few words that fit a notice.</summary>
    public static string Of(SourceFailure failure) => failure switch
    {
        SourceFailure.Absent => "unplugged",
        SourceFailure.InUse => "in use by another program",
        SourceFailure.Stopped => "stopped",
        _ => "failed",
    };
}
