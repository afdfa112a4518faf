using Agent.Devices.Sources;

namespace Agent.Devices.Encoders;

/// <summary>
/// The seam in front of H.264 encoders. One capture thread calls everything; bitrate and IDR take effect with the next frame, without a
/// restart. Access units go to the callback given when it was opened, which takes its own reference: one at a time, on the caller's thread or
/// on the encoder's own, and never after <see cref="IDisposable.Dispose"/> has returned.
/// </summary>
public interface IVideoEncoder : IDisposable
{
    /// <summary>"libx264", "libopenh264", …</summary>
    string Name { get; }

    /// <summary>Six hex digits as its SPS will say (RFC 6184 §8.1).</summary>
    string ProfileLevelId { get; }

    /// <summary>Encodes one frame, or leaves it out and counts it if the encoder is behind; never waits for a frame to be finished.</summary>
    /// <param name="frame">Taken over: the encoder disposes it when it has read it, during the call or later on another thread.</param>
    /// <param name="forceKeyFrame">Make this picture an IDR, or the next one if this is left out.</param>
    /// <exception cref="VideoEncoderException">It has failed, now or since the last call.</exception>
    void Encode(CapturedFrame frame, bool forceKeyFrame);

    void SetBitrate(int bitsPerSecond);

    /// <summary>From the next frame on only one of so many comes, measured by the format's rate: the rate control may spend that much more on each. 1 at first.</summary>
    void SetFrameDivisor(int divisor);

    /// <summary>Frames that were left out: damaged JPEG pictures, and what the encoder itself skips to keep to its bitrate.</summary>
    long FramesSkipped { get; }

    /// <summary>Bytes of picture that the CPU has copied, converted or decoded on their way into the encoder; 0 if it reads them where they lie.</summary>
    long BytesCopied { get; }
}

/// <summary>An encoder cannot be opened or has failed; the message names it, what failed and the mend.</summary>
public sealed class VideoEncoderException(string message, Exception? inner = null) : Exception(message, inner);
