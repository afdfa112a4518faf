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

    /// <summary>
    /// Which of the source's buffers holds the frame, from 0: the same number is the same memory for as long as the source lives. -1 if the
    /// memory is not a device's.
    /// </summary>
    public virtual int BufferIndex => -1;

    /// <summary>How many DMABUFs hold the frame, one for each memory plane; 0 if it can only be read by the CPU.</summary>
    public virtual int DmabufCount => 0;

    /// <summary>One memory plane as another device can import it.</summary>
    public virtual DmabufPlane GetDmabuf(int memoryPlane) => throw new InvalidOperationException("the frame is in no DMABUF");

    /// <summary>Gives the buffer back; once, from any thread.</summary>
    public abstract void Dispose();
}

/// <summary>One memory plane of a frame in a DMABUF (kernel documentation, "Streaming I/O (DMA buffer importing)").</summary>
/// <param name="Descriptor">The DMABUF; owned by the source, valid as long as the source lives.</param>
/// <param name="Length">Bytes of the whole buffer.</param>
/// <param name="BytesUsed">v4l2_plane.bytesused: payload, offset included.</param>
/// <param name="DataOffset">v4l2_plane.data_offset: where the payload begins.</param>
public readonly record struct DmabufPlane(int Descriptor, uint Length, uint BytesUsed, uint DataOffset);

/// <summary>Whether a source's own H.264 is wanted.</summary>
public enum OwnH264Use
{
    /// <summary>An encoder was chosen in the configuration.</summary>
    Never,
    /// <summary>Where it serves: at a size and rate no worse than the pictures the source could give.</summary>
    WhereItServes,
    /// <summary>Nothing else will do.</summary>
    Always,
}

/// <summary>What the camera's encoders would like to be given; told to a source when it is opened.</summary>
/// <param name="OwnH264">Whether the source's own H.264 is wanted.</param>
/// <param name="ReadInPlace">Picture formats that the encoder reads where they lie, best first; others are converted by the CPU.</param>
/// <param name="Encoder">Bitrate, profile and keyframe interval, for a source that encodes itself.</param>
public sealed record SourceDemand(OwnH264Use OwnH264, IReadOnlyList<PixelFormat> ReadInPlace, VideoEncoderOptions Encoder)
{
    /// <summary>A software encoder's.</summary>
    public static SourceDemand Default { get; } = new(OwnH264Use.WhereItServes, [PixelFormat.Nv12, PixelFormat.Yu12], new VideoEncoderOptions());
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

    /// <summary>H264 sources only: change the bitrate, in bit/s, where the device can; false where it cannot.</summary>
    bool SetBitrate(int bitsPerSecond) => false;

    /// <summary>Brightness, exposure and the like, as long as the source is open; <c>null</c> if it has none.</summary>
    ICameraControls? Controls => null;

    /// <summary>Of <see cref="FramesDropped"/>, those that came flagged as damaged, empty, too short or too long.</summary>
    long FramesDamaged => 0;

    /// <summary>What opening could not do quite as configured, each a sentence for the log with its mend; known with the constructor.</summary>
    IReadOnlyList<string> Notes => [];

    /// <summary>Sizes that it could be opened with in place of this one, which is among them, smallest first; none if it has but one.</summary>
    IReadOnlyList<FrameSize> Sizes => [];
}

/// <summary>A camera's controls. Any thread, until the source is disposed; then <see cref="Set"/> fails and <see cref="List"/> is empty.</summary>
public interface ICameraControls
{
    /// <summary>Every control with its present value, in the driver's order.</summary>
    IReadOnlyList<Probe.ControlReport> List();

    /// <summary>Sets one control. A number outside its range is set to the nearest that it can take, and the outcome says so.</summary>
    /// <param name="name">As <c>probe</c> lists it, such as <c>power_line_frequency</c>.</param>
    /// <param name="value">An integer, <c>true</c> or <c>false</c>, or the name of a menu's entry.</param>
    ControlOutcome Set(string name, string value);
}

/// <summary>What became of a control.</summary>
/// <param name="IsSet">False if nothing was changed.</param>
/// <param name="Value">The value it has now; 0 if it is unknown.</param>
/// <param name="Message">What was wrong or was made of the wish, with what would be right; <c>null</c> if it was set as wished.</param>
public sealed record ControlOutcome(bool IsSet, long Value, string? Message);

/// <summary>What became of a source, as far as viewers are told and as it decides how soon opening is tried again.</summary>
public enum SourceFailure
{
    /// <summary>Wrong settings, a device that cannot do what is asked, or anything without a word of its own.</summary>
    Failed,
    /// <summary>There is no such device, file or program: cheap to try again, and often.</summary>
    Absent,
    /// <summary>Another program has it.</summary>
    InUse,
    /// <summary>It is there and open, but no pictures come from it any more.</summary>
    Stopped,
}

/// <summary>A source cannot be opened or has failed; the message names the device, what failed and the mend.</summary>
public sealed class VideoSourceException(string message, Exception? inner = null) : Exception(message, inner)
{
    public SourceFailure Failure { get; init; }
}
