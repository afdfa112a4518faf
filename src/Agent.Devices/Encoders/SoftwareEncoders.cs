using Agent.Devices.Sources;
using Agent.Interop.LibAv;
using Agent.Interop.OpenH264;
using Agent.Media;

namespace Agent.Devices.Encoders;

/// <summary>An H.264 encoder that is a library.</summary>
/// <param name="Kind">How the options name it.</param>
/// <param name="Name">Its own name.</param>
/// <param name="Library">The library that it is called through.</param>
/// <param name="FindObstacle">Why this machine cannot use it, or <c>null</c> if it can; loads the library.</param>
/// <param name="Open">Opens it; throws <see cref="VideoEncoderException"/> if it refuses the settings.</param>
internal sealed record SoftwareEncoder(
    VideoEncoderKind Kind, string Name, string Library, Func<string?> FindObstacle, Func<VideoEncoderOptions, VideoFormat, AccessUnitPool, Action<AccessUnit>, IVideoEncoder> Open);

/// <summary>Every software encoder, in the order in which <see cref="VideoEncoderKind.Auto"/> tries them.</summary>
internal static class SoftwareEncoders
{
    public static IReadOnlyList<SoftwareEncoder> All { get; } =
    [
        new(VideoEncoderKind.Libx264, LibavEncoder.EncoderName, "libavcodec",
            static () => LibAvLibrary.HasEncoder(LibavEncoder.EncoderName, out var reason) ? null : reason,
            static (options, format, pool, output) => new LibavEncoder(options, format, pool, output)),
        new(VideoEncoderKind.OpenH264, OpenH264Encoder.EncoderName, "libopenh264",
            static () => OpenH264Codec.IsAvailable(out var reason) ? null : reason,
            static (options, format, pool, output) => new OpenH264Encoder(options, format, pool, output)),
    ];
}
