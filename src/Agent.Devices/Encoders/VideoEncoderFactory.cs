using Agent.Devices.Sources;
using Agent.Media;

namespace Agent.Devices.Encoders;

/// <summary>Opens the encoder that the options name, or the first that this machine has.</summary>
internal static class VideoEncoderFactory
{
    /// <exception cref="VideoEncoderException">No encoder, or it refuses the settings.</exception>
    public static IVideoEncoder Open(VideoEncoderOptions options, VideoFormat format, AccessUnitPool pool, Action<AccessUnit> output)
    {
        if (format.PixelFormat == PixelFormat.Mjpg) return new JpegDecodingEncoder(format, decoded => Open(options, decoded, pool, output));
        var obstacles = new List<string>();
        foreach (var encoder in SoftwareEncoders.All)
        {
            if (options.Kind == encoder.Kind) return encoder.Open(options, format, pool, output);
            if (options.Kind != VideoEncoderKind.Auto) continue;
            if (encoder.FindObstacle() is not { } obstacle) return encoder.Open(options, format, pool, output);
            obstacles.Add(obstacle);
        }

        throw new VideoEncoderException($"no H.264 encoder: {string.Join("; ", obstacles)}");
    }
}
