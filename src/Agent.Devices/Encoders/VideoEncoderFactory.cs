using Agent.Devices.Sources;
using Agent.Media;

namespace Agent.Devices.Encoders;

/// <summary>Opens the encoder that the options name, or the first that this machine has.</summary>
internal static class VideoEncoderFactory
{
    /// <exception cref="VideoEncoderException">No encoder, or it refuses the settings.</exception>
    public static IVideoEncoder Open(VideoEncoderOptions options, VideoFormat format, AccessUnitPool pool) =>
        new LibavEncoder(options, format, pool);
}
