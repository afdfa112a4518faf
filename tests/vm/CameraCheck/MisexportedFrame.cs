using Agent.Devices.Sources;

namespace CameraCheck;

/// <summary>A camera's frame whose DMABUF is none, as memory that an encoder cannot reach: VIDIOC_QBUF refuses it.</summary>
internal sealed class MisexportedFrame : CapturedFrame
{
    private const int StandardInput = 0;

    private CapturedFrame _frame = null!;

    public override VideoFormat Format => _frame.Format;

    public override TimeSpan CapturedAt => _frame.CapturedAt;

    public override int PlaneCount => _frame.PlaneCount;

    public override int BufferIndex => _frame.BufferIndex;

    public override int DmabufCount => _frame.DmabufCount;

    public MisexportedFrame Of(CapturedFrame frame)
    {
        _frame = frame;
        return this;
    }

    public override DmabufPlane GetDmabuf(int memoryPlane) => _frame.GetDmabuf(memoryPlane) with { Descriptor = StandardInput };

    public override ReadOnlySpan<byte> GetPlane(int plane) => _frame.GetPlane(plane);

    public override int GetBytesPerLine(int plane) => _frame.GetBytesPerLine(plane);

    public override void Dispose() => _frame.Dispose();
}
