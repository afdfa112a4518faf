using Agent.Devices.Sources;
using Agent.Media;
using Microsoft.Extensions.Logging;

namespace Agent.Devices.Encoders;

/// <summary>Opens an encoder for frames of one format; access units go to the callback.</summary>
/// <exception cref="VideoEncoderException">It refuses the settings or is not here.</exception>
internal delegate IVideoEncoder EncoderOpening(VideoEncoderOptions options, VideoFormat format, AccessUnitPool pool, Action<AccessUnit> output);

/// <summary>One rung of the <see cref="EncoderLadder"/>: an encoder that a machine may have.</summary>
/// <param name="Kind">How the options name it.</param>
/// <param name="Name">Its own name.</param>
/// <param name="LoadsLibrary">Whether looking for it loads a library, which is then left until nothing above it serves.</param>
/// <param name="FindObstacle">Why this machine cannot use it, or <c>null</c> if it can.</param>
/// <param name="ReadInPlace">Picture formats that it reads where they lie, best first; asked only where nothing stands in the way.</param>
/// <param name="Open">Opens it.</param>
internal sealed record EncoderRung(
    VideoEncoderKind Kind, string Name, bool LoadsLibrary, Func<string?> FindObstacle, Func<IReadOnlyList<PixelFormat>> ReadInPlace,
    EncoderOpening Open);

/// <summary>Every encoder that the agent knows.</summary>
internal static class EncoderRungs
{
    /// <summary>In the order in which <see cref="VideoEncoderKind.Auto"/> tries them.</summary>
    /// <param name="log">Is told how a device takes its frames.</param>
    public static IReadOnlyList<EncoderRung> Create(ILogger log) =>
    [
        new(VideoEncoderKind.V4l2M2m, "v4l2m2m", LoadsLibrary: false, V4l2M2mDevices.FindObstacle,
            static () => V4l2M2mDevices.Find() is [var first, ..] ? first.PixelFormats : SourceDemand.Default.ReadInPlace,
            (options, format, pool, output) => OpenDevice(options, format, pool, output, log)),
        .. SoftwareEncoders.All.Select(static encoder => new EncoderRung(
            encoder.Kind, encoder.Name, LoadsLibrary: true, encoder.FindObstacle, () => encoder.ReadInPlace, encoder.Open)),
    ];

    private static V4l2M2mEncoder OpenDevice(
        VideoEncoderOptions options, VideoFormat format, AccessUnitPool pool, Action<AccessUnit> output, ILogger log) =>
        V4l2M2mDevices.Find().FirstOrDefault(device => device.Takes(format.Width, format.Height)) is { } fitting
            ? new V4l2M2mEncoder(options, format, pool, output, fitting, log)
            : throw new VideoEncoderException($"no V4L2 encoder here takes {format.Width}x{format.Height}: choose another size");
}
