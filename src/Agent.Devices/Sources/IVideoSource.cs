namespace Agent.Devices.Sources;

/// <summary>Pixel and stream formats between sources and encoders, named as V4L2 names them.</summary>
public enum PixelFormat
{
    Yuyv,
    Nv12,
    /// <summary>V4L2 YU12: planar 4:2:0, Y then U then V (also called I420).</summary>
    Yu12,
    Mjpg,
    /// <summary>H.264 Annex B, one access unit per frame.</summary>
    H264,
}

/// <summary>What a source delivers.</summary>
/// <param name="PixelFormat">The format.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="FrameRateNumerator">Frames …</param>
/// <param name="FrameRateDenominator">… per this many seconds.</param>
public readonly record struct VideoFormat(PixelFormat PixelFormat, int Width, int Height, int FrameRateNumerator, int FrameRateDenominator)
{
    /// <summary>How luma is made of red, green and blue; cameras and JPEG use BT.601.</summary>
    public LumaCoefficients LumaCoefficients { get; init; }

    public double FramesPerSecond => (double)FrameRateNumerator / FrameRateDenominator;
}

/// <summary>matrix_coefficients of H.264 Table E-5, as far as they are met.</summary>
public enum LumaCoefficients
{
    Bt601,
    Bt709,
}

/// <summary>
/// A frame on loan from its source. Disposing it gives the buffer back (V4L2: VIDIOC_QBUF); it must be disposed before its source.
/// </summary>
public abstract class CapturedFrame : IDisposable
{
    /// <summary>The format of this very frame.</summary>
    public abstract VideoFormat Format { get; }

    /// <summary>Capture instant, CLOCK_MONOTONIC since its zero.</summary>
    public abstract TimeSpan CapturedAt { get; }

    /// <summary>1 for packed and compressed formats, 2 for NV12, 3 for YU12.</summary>
    public abstract int PlaneCount { get; }

    /// <summary>The bytes of one plane; for compressed formats exactly the payload.</summary>
    public abstract ReadOnlySpan<byte> GetPlane(int plane);

    /// <summary>Bytes from one line of the plane to the next; 0 for compressed formats.</summary>
    public abstract int GetBytesPerLine(int plane);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>
/// The seam behind which every kind of camera sits. Opened, read and disposed by one capture thread.
/// </summary>
public interface IVideoSource : IDisposable
{
    /// <summary>What is being delivered; known once the constructor has returned.</summary>
    VideoFormat Format { get; }

    /// <summary>"test", "file", "v4l2" plus what identifies it, for the status and the log.</summary>
    string Description { get; }

    /// <summary>Frames lost before they were read: dropped by the driver or overwritten by newer ones.</summary>
    long FramesDropped { get; }

    /// <summary>
    /// Waits for the newest frame. Returns <c>null</c> once <paramref name="stop"/> is set.
    /// </summary>
    /// <exception cref="VideoSourceException">The device is gone or broken; the source must be disposed and opened again.</exception>
    CapturedFrame? ReadFrame(CancellationToken stop);

    /// <summary>H264 sources only: ask for an IDR where the device can; false where it cannot.</summary>
    bool RequestKeyFrame();
}

/// <summary>A source cannot be opened or has failed; the message names the device, what failed and the mend.</summary>
public sealed class VideoSourceException(string message, Exception? inner = null) : Exception(message, inner);
