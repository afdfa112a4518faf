using Agent.Devices.Sources;

namespace Agent.Devices.Encoders;

/// <summary>A planar 4:2:0 picture in memory of its own that is filled while it is free and lent to an encoder, again and again.</summary>
/// <param name="format">YU12.</param>
/// <param name="lineLength">Luma samples from one line to the next, at least the width.</param>
/// <param name="lines">Lines of luma before the chroma, at least the height.</param>
/// <param name="roomFor">How many times larger a picture, on each side, there is to be room for while it is filled.</param>
internal sealed class LentPicture(VideoFormat format, int lineLength, int lines, int roomFor = 1) : CapturedFrame
{
    // Pinned: encoders hand its address to native code for every frame.
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(JpegPictureDecoder.BufferLength(lineLength * roomFor, lines * roomFor), pinned: true);
    private readonly int _chromaLineLength = (lineLength + 1) / 2;
    private volatile bool _isLent;
    private TimeSpan _capturedAt;

    public bool IsFree => !_isLent;

    /// <summary>Room for a JPEG picture of that size to be decoded in, which is more than the picture.</summary>
    public Span<byte> Buffer => _buffer;

    /// <summary>Bytes of the picture.</summary>
    public int Length => (lineLength * lines) + (2 * ChromaLength);

    public override VideoFormat Format => format;

    public override TimeSpan CapturedAt => _capturedAt;

    public override int PlaneCount => 3;

    private int ChromaLength => _chromaLineLength * ((lines + 1) / 2);

    public LentPicture Lend(TimeSpan capturedAt)
    {
        _capturedAt = capturedAt;
        _isLent = true;
        return this;
    }

    public override ReadOnlySpan<byte> GetPlane(int plane)
    {
        var luma = lineLength * lines;
        return plane == 0 ? _buffer.AsSpan(0, luma) : _buffer.AsSpan(luma + ((plane - 1) * ChromaLength), ChromaLength);
    }

    public override int GetBytesPerLine(int plane) => plane == 0 ? lineLength : _chromaLineLength;

    public override void Dispose() => _isLent = false;
}
