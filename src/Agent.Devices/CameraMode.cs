using Agent.Devices.Sources;

namespace Agent.Devices;

/// <summary>What is chosen at run time in place of a camera's options; <c>null</c> leaves it at the option.</summary>
public sealed record CameraMode
{
    public FrameSize? Size { get; init; }

    /// <summary>Frames per second.</summary>
    public int? FrameRate { get; init; }

    public VideoEncoderKind? Encoder { get; init; }

    /// <summary>Whether a source of this kind makes the size and the rate that it is asked for; files and programs bring their own.</summary>
    public static bool IsAdjustable(VideoSourceKind kind) => kind is VideoSourceKind.Test or VideoSourceKind.V4l2 or VideoSourceKind.Rpicam;

    /// <summary>The options with what is chosen.</summary>
    internal VideoSourceOptions Apply(VideoSourceOptions options) => options with
    {
        Width = Size?.Width ?? options.Width, Height = Size?.Height ?? options.Height, FrameRate = FrameRate ?? options.FrameRate,
    };
}
