using Agent.Devices.Sources;
using Agent.Media;

namespace Agent.Devices.Encoders;

/// <summary>
/// The seam in front of H.264 encoders. One encoder thread calls everything; bitrate and IDR take effect with the next frame, without a
/// restart.
/// </summary>
public interface IVideoEncoder : IDisposable
{
    /// <summary>"libx264", "libopenh264", …</summary>
    string Name { get; }

    /// <summary>Six hex digits as its SPS will say (RFC 6184 §8.1).</summary>
    string ProfileLevelId { get; }

    /// <summary>Encodes one frame; the access units that are ready go to <paramref name="output"/>, which takes its own reference.</summary>
    /// <param name="frame">Still owned by the caller, who disposes it after the call.</param>
    /// <param name="forceKeyFrame">Make this picture an IDR.</param>
    /// <param name="output">Receives each access unit.</param>
    void Encode(CapturedFrame frame, bool forceKeyFrame, Action<AccessUnit> output);

    void SetBitrate(int bitsPerSecond);

    /// <summary>Frames that were left out: damaged JPEG pictures, and what the encoder itself skips to keep to its bitrate.</summary>
    long FramesSkipped { get; }
}

/// <summary>An encoder cannot be opened or has failed; the message names it, what failed and the mend.</summary>
public sealed class VideoEncoderException(string message, Exception? inner = null) : Exception(message, inner);
