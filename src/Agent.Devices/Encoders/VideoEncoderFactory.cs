using Agent.Devices.Sources;
using Agent.Interop.LibAv;
using Agent.Interop.OpenH264;
using Agent.Media;

namespace Agent.Devices.Encoders;

/// <summary>Opens the encoder that the options name, or the first that this machine has.</summary>
internal static class VideoEncoderFactory
{
    /// <exception cref="VideoEncoderException">No encoder, or it refuses the settings.</exception>
    public static IVideoEncoder Open(VideoEncoderOptions options, VideoFormat format, AccessUnitPool pool)
    {
        switch (options.Kind)
        {
            case VideoEncoderKind.Libx264:
                return new LibavEncoder(options, format, pool);
            case VideoEncoderKind.OpenH264:
                return new OpenH264Encoder(options, format, pool);
            default:
                if (LibAvLibrary.HasEncoder(LibavEncoder.EncoderName, out var noX264)) return new LibavEncoder(options, format, pool);
                if (OpenH264Codec.IsAvailable(out var noOpenH264)) return new OpenH264Encoder(options, format, pool);
                throw new VideoEncoderException($"no H.264 encoder: {noX264}; {noOpenH264}");
        }
    }
}
