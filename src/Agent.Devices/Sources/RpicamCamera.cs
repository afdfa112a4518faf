using System.Globalization;
using Agent.Devices.Encoders;

namespace Agent.Devices.Sources;

/// <summary>
/// The <c>rpicam</c> source: a CSI camera of a Raspberry Pi. Raspberry Pi OS gives their sensors only through libcamera, whose own program
/// rpicam-vid (libcamera-vid on older systems) is run as a child. Options and behaviour are those of rpicam-apps 1.4 to 1.13.
/// </summary>
internal static class RpicamCamera
{
    private const string Label = "rpicam";

    /// <summary>
    /// rpicam-vid writes YUV420 with the lines' padding: to 64 bytes by the ISP of a Raspberry Pi 4 and its elders, so that each chroma line
    /// is padded to 32; to 64 for each chroma line, which is 128 for luma, by that of a Raspberry Pi 5 (libcamera's pipeline handlers vc4 and
    /// pisp). The output does not tell which: only at multiples of 128 is there none.
    /// </summary>
    private const int WidthWithoutPadding = 128;

    /// <summary>There is no way to ask for a keyframe, and viewers wait for one.</summary>
    private const int KeyFrameIntervalSeconds = 1;

    /// <summary>Ten times the levels that rpicam-vid can be told: 4, 4.1 and 4.2.</summary>
    private const int LowestLevel = 40;
    private const int HighestLevel = 42;

    private static readonly string[] Programs = ["rpicam-vid", "libcamera-vid"];

    /// <summary>Starts the camera.</summary>
    /// <param name="options">Which camera, size, rate, more arguments; a format overrules the demand.</param>
    /// <param name="demand">Whether rpicam-vid is to encode, and how.</param>
    /// <exception cref="VideoSourceException">rpicam-vid is not installed or cannot be started, or a format that it does not write.</exception>
    public static ChildVideoSource Open(VideoSourceOptions options, SourceDemand demand) =>
        Open(options, demand, Environment.GetEnvironmentVariable("PATH"), static () => V4l2M2mDevices.Find().Count > 0);

    /// <param name="options">Which camera, size, rate, more arguments; a format overrules the demand.</param>
    /// <param name="demand">Whether rpicam-vid is to encode, and how.</param>
    /// <param name="searchPath">Where the program is looked for.</param>
    /// <param name="hasHardwareEncoder">Whether this board encodes H.264 in hardware, as those up to the Raspberry Pi 4 do.</param>
    /// <param name="limits">How long the program may take.</param>
    internal static ChildVideoSource Open(
        VideoSourceOptions options, SourceDemand demand, string? searchPath, Func<bool> hasHardwareEncoder, ChildLimits? limits = null)
    {
        var path = Programs.Select(program => ExecutableFile.Find(program, searchPath)).FirstOrDefault(static found => found is not null)
            ?? throw new VideoSourceException(
                "rpicam: neither rpicam-vid nor libcamera-vid is in PATH; install the package rpicam-apps (Raspberry Pi OS: sudo apt install rpicam-apps)")
            {
                Failure = SourceFailure.Absent,
            };
        var isHardware = hasHardwareEncoder();
        var pixelFormat = Choose(options.PixelFormat, demand.OwnH264, isHardware);
        var width = pixelFormat == PixelFormat.Yu12 ? WithoutPadding(options.Width) : options.Width;
        var format = new VideoFormat(pixelFormat, width, options.Height, options.FrameRate, 1);
        return new ChildVideoSource(Label, path, Arguments(options, format, demand.Encoder, isHardware), format, limits)
        {
            Description = FormattableString.Invariant($"rpicam {options.CameraIndex} ({Path.GetFileName(path)})"),
            // rpicam-vid asks libcamera for the sYCC colour space with YUV420, which is BT.601 of full range.
            IsFullRange = pixelFormat == PixelFormat.Yu12,
            Sizes = FrameSize.CommonAnd(format.Width, format.Height),
            Notes = width == options.Width
                ? []
                : [FormattableString.Invariant($"is given {width} for the width {options.Width}: YUV420 of rpicam-vid has unknown padding at any but multiples of {WidthWithoutPadding}")],
        };
    }

    private static PixelFormat Choose(string? wish, OwnH264Use ownH264, bool hasHardwareEncoder)
    {
        if (wish is not null)
        {
            return Enum.TryParse<PixelFormat>(wish, ignoreCase: true, out var chosen) && chosen is PixelFormat.H264 or PixelFormat.Yu12 or PixelFormat.Mjpg
                ? chosen
                : throw new VideoSourceException($"rpicam: rpicam-vid does not write {wish}; set source.pixelFormat to H264, YU12 or MJPG, or remove it");
        }
        return ownH264 == OwnH264Use.Always || (ownH264 == OwnH264Use.WhereItServes && hasHardwareEncoder) ? PixelFormat.H264 : PixelFormat.Yu12;
    }

    private static int WithoutPadding(int width) =>
        Math.Max(1, (width + WidthWithoutPadding / 2) / WidthWithoutPadding) * WidthWithoutPadding;

    private static List<string> Arguments(VideoSourceOptions options, VideoFormat format, VideoEncoderOptions encoder, bool isHardware)
    {
        List<string> arguments =
        [
            "--camera", Text(options.CameraIndex), "--width", Text(format.Width), "--height", Text(format.Height), "--framerate", Text(options.FrameRate),
            "--timeout", "0", "--nopreview", "--flush", "--output", "-",
        ];
        switch (format.PixelFormat)
        {
            case PixelFormat.H264:
                arguments.AddRange(
                [
                    "--codec", "h264", "--inline", "--bitrate", Text(encoder.BitrateBps), "--intra", Text(KeyFrameIntervalSeconds * options.FrameRate),
                    "--profile", encoder.Profile switch { H264Profile.High => "high", H264Profile.Main => "main", _ => "baseline" },
                ]);
                // Where it cannot be told, rpicam-vid chooses for itself.
                int needed = H264Level.Find(format.Width, format.Height, format.FramesPerSecond, encoder.BitrateBps, encoder.Profile)?.LevelIdc ?? byte.MaxValue;
                var level = Math.Max(LowestLevel, needed);
                if (level <= HighestLevel) arguments.AddRange(["--level", level % 10 == 0 ? Text(level / 10) : FormattableString.Invariant($"{level / 10}.{level % 10}")]);
                // Without hardware it encodes by libavcodec: it must be told the container's format for a pipe, and not to use B-frames.
                if (!isHardware) arguments.AddRange(["--libav-format", "h264", "--low-latency"]);
                break;
            case PixelFormat.Mjpg:
                arguments.AddRange(["--codec", "mjpeg"]);
                break;
            default:
                arguments.AddRange(["--codec", "yuv420"]);
                break;
        }
        arguments.AddRange(options.Arguments);
        return arguments;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
