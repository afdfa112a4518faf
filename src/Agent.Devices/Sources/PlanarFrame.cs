namespace Agent.Devices.Sources;

/// <summary>A YU12 picture in managed memory, without padding, lent again and again by its source.</summary>
internal sealed class PlanarFrame(VideoFormat format, ReadOnlyMemory<byte> picture) : CapturedFrame
{
    private TimeSpan _capturedAt;

    public override VideoFormat Format => format;

    public override TimeSpan CapturedAt => _capturedAt;

    public override int PlaneCount => 3;

    public PlanarFrame At(TimeSpan capturedAt)
    {
        _capturedAt = capturedAt;
        return this;
    }

    public override ReadOnlySpan<byte> GetPlane(int plane)
    {
        var luma = format.Width * format.Height;
        return plane switch
        {
            0 => picture.Span[..luma],
            1 => picture.Span.Slice(luma, luma / 4),
            _ => picture.Span.Slice(luma + luma / 4, luma / 4),
        };
    }

    public override int GetBytesPerLine(int plane) => plane == 0 ? format.Width : format.Width / 2;

    /// <summary>Nothing to give back: the source draws the next picture only when it is asked for one.</summary>
    public override void Dispose()
    {
    }
}
