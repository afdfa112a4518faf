using Agent.Devices.Sources;

namespace Agent.Devices.Tests;

/// <summary>A frame of any format in a test's own memory, without padding.</summary>
internal sealed class RawFrame(VideoFormat format, ReadOnlyMemory<byte> bytes, TimeSpan capturedAt = default) : CapturedFrame
{
    public override VideoFormat Format => format;

    public override TimeSpan CapturedAt => capturedAt;

    public override int PlaneCount => format.PixelFormat switch { PixelFormat.Yu12 => 3, PixelFormat.Nv12 => 2, _ => 1 };

    public override ReadOnlySpan<byte> GetPlane(int plane)
    {
        var luma = format.Width * format.Height;
        return (format.PixelFormat, plane) switch
        {
            (PixelFormat.Nv12 or PixelFormat.Yu12, 0) => bytes.Span[..luma],
            (PixelFormat.Nv12, _) => bytes.Span.Slice(luma, luma / 2),
            (PixelFormat.Yu12, _) => bytes.Span.Slice(luma + (plane - 1) * luma / 4, luma / 4),
            _ => bytes.Span,
        };
    }

    public override int GetBytesPerLine(int plane) => format.PixelFormat switch
    {
        PixelFormat.Yuyv => 2 * format.Width,
        PixelFormat.Yu12 when plane > 0 => format.Width / 2,
        PixelFormat.Yu12 or PixelFormat.Nv12 => format.Width,
        _ => 0,
    };

    public override void Dispose()
    {
    }
}
