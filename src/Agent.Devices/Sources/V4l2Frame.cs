using Agent.Interop.V4l2;

namespace Agent.Devices.Sources;

/// <summary>One buffer of a <see cref="V4l2Camera"/>, mapped once; on loan between VIDIOC_DQBUF and VIDIOC_QBUF.</summary>
internal sealed unsafe class V4l2Frame(V4l2Camera camera, V4l2PlaneLayout[] layout, int index, int memoryPlanes) : CapturedFrame
{
    private readonly byte*[] addresses = new byte*[memoryPlanes];
    private readonly uint[] lengths = new uint[memoryPlanes];
    private readonly uint[] used = new uint[memoryPlanes];
    private readonly uint[] dataOffsets = new uint[memoryPlanes];
    private readonly int[] dmabufs = new int[memoryPlanes];
    private int dmabufCount;
    private TimeSpan capturedAt;

    /// <summary>1 between DQBUF and QBUF; taken back once, by whichever thread disposes the frame.</summary>
    private int isLent;

    public int Index => index;

    public bool IsLent => Volatile.Read(ref isLent) == 1;

    public override VideoFormat Format => camera.Format;

    public override TimeSpan CapturedAt => capturedAt;

    public override int PlaneCount => layout.Length;

    /// <summary>True if every plane holds what its format needs: whole raw planes, a payload that is not empty nor longer than its memory.</summary>
    public bool IsComplete
    {
        get
        {
            foreach (var plane in layout)
            {
                var available = (long)used[plane.MemoryPlane] - dataOffsets[plane.MemoryPlane];
                if (available < Math.Max(1, plane.Offset + (long)plane.Length) || used[plane.MemoryPlane] > lengths[plane.MemoryPlane])
                {
                    return false;
                }
            }

            return true;
        }
    }

    public override int BufferIndex => index;

    /// <summary>0 where the driver cannot export its buffers.</summary>
    public override int DmabufCount => dmabufCount;

    public override DmabufPlane GetDmabuf(int memoryPlane)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)memoryPlane, (uint)dmabufCount);
        return new DmabufPlane(dmabufs[memoryPlane], lengths[memoryPlane], used[memoryPlane], dataOffsets[memoryPlane]);
    }

    public override int GetBytesPerLine(int plane) => layout[plane].BytesPerLine;

    public override ReadOnlySpan<byte> GetPlane(int plane)
    {
        ObjectDisposedException.ThrowIf(!IsLent, this);
        var (memoryPlane, offset, length, bytesPerLine) = layout[plane];
        var start = (int)dataOffsets[memoryPlane];
        return new ReadOnlySpan<byte>(addresses[memoryPlane] + start + offset, bytesPerLine == 0 ? (int)used[memoryPlane] - start : length);
    }

    public override void Dispose()
    {
        if (Return())
        {
            camera.Requeue(this);
        }
    }

    /// <summary>Maps one memory plane. Returns 0 or the errno.</summary>
    public int Map(V4l2Device device, int memoryPlane, uint length, uint offset)
    {
        var errno = device.Map(length, offset, out var address);
        addresses[memoryPlane] = address;
        lengths[memoryPlane] = length;
        return errno;
    }

    /// <summary>Exports every memory plane as a DMABUF, until <see cref="Unmap"/>; none if the driver refuses one.</summary>
    public void Export(V4l2Device device, uint bufferType)
    {
        for (; dmabufCount < memoryPlanes; dmabufCount++)
        {
            if (device.Export(bufferType, (uint)index, (uint)dmabufCount, out dmabufs[dmabufCount]) != 0)
            {
                CloseDmabufs();
                return;
            }
        }
    }

    public void Unmap()
    {
        CloseDmabufs();
        for (var i = 0; i < addresses.Length; i++)
        {
            if (addresses[i] != null)
            {
                _ = V4l2Device.Unmap(addresses[i], lengths[i]);
                addresses[i] = null;
            }
        }
    }

    public void SetUsed(int memoryPlane, uint bytesUsed, uint dataOffset) =>
        (used[memoryPlane], dataOffsets[memoryPlane]) = (bytesUsed, dataOffset);

    /// <summary>The kernel has handed the buffer over.</summary>
    public void Lend(TimeSpan captured)
    {
        capturedAt = captured;
        Volatile.Write(ref isLent, 1);
    }

    /// <summary>Ends the loan; false if it had ended before.</summary>
    private bool Return() => Interlocked.Exchange(ref isLent, 0) == 1;

    private void CloseDmabufs()
    {
        while (dmabufCount > 0)
        {
            V4l2Device.CloseDmabuf(dmabufs[--dmabufCount]);
        }
    }
}
