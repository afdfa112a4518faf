using Agent.Devices.Sources;
using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Encoders;

/// <summary>A buffer that the driver has given back.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Flags">V4L2_BUF_FLAG_*.</param>
/// <param name="Timestamp">v4l2_buffer.timestamp in microseconds.</param>
/// <param name="BytesUsed">Of its first memory plane, offset included.</param>
/// <param name="DataOffset">Where the payload of its first memory plane begins.</param>
internal readonly record struct V4l2M2mBuffer(int Index, uint Flags, long Timestamp, uint BytesUsed, uint DataOffset)
{
    public bool Has(uint flag) => (Flags & flag) != 0;
}

/// <summary>
/// One of the two buffer queues of a V4L2 memory-to-memory device, single- or multi-planar (kernel documentation, "Streaming I/O"). Methods
/// return 0 or the errno. Used by one thread at a time.
/// </summary>
internal sealed unsafe class V4l2M2mQueue(V4l2Device device, uint type)
{
    private const long MicrosecondsPerSecond = 1_000_000;

    private readonly bool _isMultiplanar = type is V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE or V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE;
    private uint _memory;
    private int _memoryPlanes;

    // One for each memory plane of each buffer.
    private byte*[] _addresses = [];
    private uint[] _lengths = [];

    /// <summary>Buffers there are; 0 before <see cref="Request"/>.</summary>
    public int Count { get; private set; }

    public bool IsStreaming { get; private set; }

    /// <summary>VIDIOC_REQBUFS; buffers of the device's own memory are mapped.</summary>
    public int Request(int count, uint memory, int memoryPlanes)
    {
        (_memory, _memoryPlanes) = (memory, memoryPlanes);
        var request = new v4l2_requestbuffers { count = (uint)count, type = type, memory = memory };
        var errno = device.Ioctl(VIDIOC_REQBUFS, ref request);
        if (errno != 0) return errno;
        Count = (int)request.count;
        _addresses = new byte*[Count * memoryPlanes];
        _lengths = new uint[Count * memoryPlanes];
        return memory == V4L2_MEMORY_MMAP ? Map() : 0;
    }

    /// <summary>The memory of a mapped buffer.</summary>
    public Span<byte> GetMemory(int index, int memoryPlane)
    {
        var position = index * _memoryPlanes + memoryPlane;
        return new Span<byte>(_addresses[position], (int)_lengths[position]);
    }

    /// <summary>Queues a coded buffer to be filled.</summary>
    public int Queue(int index) => Queue(index, 0, [], null);

    /// <summary>Queues a raw buffer to be read.</summary>
    /// <param name="index">Its number.</param>
    /// <param name="timestamp">In microseconds; comes back with the coded picture.</param>
    /// <param name="sizes">Bytes of each memory plane.</param>
    /// <param name="imported">The frame whose DMABUFs it is, or <c>null</c> if it is a mapped one.</param>
    public int Queue(int index, long timestamp, ReadOnlySpan<uint> sizes, CapturedFrame? imported)
    {
        var planes = stackalloc v4l2_plane[(int)VIDEO_MAX_PLANES];
        var buffer = NewBuffer(planes);
        buffer.index = (uint)index;
        buffer.field = V4L2_FIELD_NONE;
        buffer.timestamp = new TimeVal { tv_sec = timestamp / MicrosecondsPerSecond, tv_usec = timestamp % MicrosecondsPerSecond };
        for (var i = 0; i < sizes.Length; i++)
        {
            var dmabuf = imported?.GetDmabuf(i) ?? default;
            if (_isMultiplanar)
            {
                planes[i].bytesused = sizes[i];
                if (imported is not null) (planes[i].m.fd, planes[i].length) = (dmabuf.Descriptor, dmabuf.Length);
            }
            else
            {
                buffer.bytesused = sizes[i];
                if (imported is not null) (buffer.m.fd, buffer.length) = (dmabuf.Descriptor, dmabuf.Length);
            }
        }
        return device.Ioctl(VIDIOC_QBUF, ref buffer);
    }

    /// <summary>Takes back one buffer: EAGAIN if none waits, EPIPE after the last one of a drained encoder.</summary>
    public int Dequeue(out V4l2M2mBuffer taken)
    {
        var planes = stackalloc v4l2_plane[(int)VIDEO_MAX_PLANES];
        var buffer = NewBuffer(planes);
        var errno = device.Ioctl(VIDIOC_DQBUF, ref buffer);
        taken = new V4l2M2mBuffer(
            (int)buffer.index, buffer.flags, buffer.timestamp.tv_sec * MicrosecondsPerSecond + buffer.timestamp.tv_usec,
            _isMultiplanar ? planes[0].bytesused : buffer.bytesused, _isMultiplanar ? planes[0].data_offset : 0);
        return errno;
    }

    public int Start()
    {
        var argument = type;
        var errno = device.Ioctl(VIDIOC_STREAMON, ref argument);
        IsStreaming = errno == 0;
        return errno;
    }

    /// <summary>Ends streaming, whereupon every buffer is the agent's again, and gives the buffers up.</summary>
    public void Release()
    {
        var argument = type;
        // Best effort on a device that may be gone: closing the descriptor does both too.
        if (IsStreaming) _ = device.Ioctl(VIDIOC_STREAMOFF, ref argument);
        IsStreaming = false;
        for (var i = 0; i < _addresses.Length; i++)
        {
            if (_addresses[i] != null) _ = V4l2Device.Unmap(_addresses[i], _lengths[i]);
        }
        _addresses = [];
        _lengths = [];
        if (Count == 0) return;
        Count = 0;
        var request = new v4l2_requestbuffers { type = type, memory = _memory };
        _ = device.Ioctl(VIDIOC_REQBUFS, ref request);
    }

    private int Map()
    {
        var planes = stackalloc v4l2_plane[(int)VIDEO_MAX_PLANES];
        for (var i = 0; i < _addresses.Length; i++)
        {
            var (index, plane) = (i / _memoryPlanes, i % _memoryPlanes);
            var buffer = NewBuffer(planes);
            buffer.index = (uint)index;
            var errno = device.Ioctl(VIDIOC_QUERYBUF, ref buffer);
            if (errno != 0) return errno;
            var (length, offset) = _isMultiplanar ? (planes[plane].length, planes[plane].m.mem_offset) : (buffer.length, buffer.m.offset);
            errno = device.Map(length, offset, out var address);
            if (errno != 0) return errno;
            _addresses[i] = address;
            _lengths[i] = length;
        }
        return 0;
    }

    private v4l2_buffer NewBuffer(v4l2_plane* planes)
    {
        var buffer = new v4l2_buffer { type = type, memory = _memory };
        if (!_isMultiplanar) return buffer;
        buffer.m.planes = planes;
        // VIDIOC_QBUF wants exactly as many as the format has.
        buffer.length = (uint)_memoryPlanes;
        return buffer;
    }
}
