using Agent.Devices.Sources;
using Agent.Interop.LibAv;
using Agent.Interop.OpenH264;

namespace Agent.Devices.Encoders;

/// <summary>An H.264 encoder that is a library.</summary>
/// <param name="Kind">How the options name it.</param>
/// <param name="Name">Its own name.</param>
/// <param name="Library">The library that it is called through.</param>
/// <param name="ReadInPlace">Picture formats that it takes without conversion, best first.</param>
/// <param name="FindObstacle">Why this machine cannot use it, or <c>null</c> if it can; loads the library.</param>
/// <param name="Open">Opens it; throws <see cref="VideoEncoderException"/> if it refuses the settings.</param>
internal sealed record SoftwareEncoder(
    VideoEncoderKind Kind, string Name, string Library, IReadOnlyList<PixelFormat> ReadInPlace, Func<string?> FindObstacle, EncoderOpening Open);

/// <summary>Every software encoder, in the order in which <see cref="VideoEncoderKind.Auto"/> tries them.</summary>
internal static class SoftwareEncoders
{
    public static IReadOnlyList<SoftwareEncoder> All { get; } =
    [
        new(VideoEncoderKind.Libx264, LibavEncoder.EncoderName, "libavcodec", [PixelFormat.Nv12, PixelFormat.Yu12],
            static () => LibAvLibrary.HasEncoder(LibavEncoder.EncoderName, out var reason) ? null : reason,
            static (options, format, pool, output) => new LibavEncoder(options, format, pool, output)),
        new(VideoEncoderKind.OpenH264, OpenH264Encoder.EncoderName, "libopenh264", [PixelFormat.Yu12],
            static () => OpenH264Codec.IsAvailable(out var reason) ? null : reason,
            static (options, format, pool, output) => new OpenH264Encoder(options, format, pool, output)),
    ];
}
