using Agent.Devices.Sources;
using Agent.Interop.LibAv;
using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Encoders;

/// <summary>
/// The raw side of a V4L2 encoder (its OUTPUT queue): frames go in as the DMABUFs that they lie in, or are copied into the encoder's own
/// buffers. Used by one thread at a time, but for the counter and <see cref="ReturnFrames"/>.
/// </summary>
internal sealed unsafe class V4l2M2mInput : IDisposable
{
    /// <summary>Buffers for imported frames: each of the source's has its own number, so that the kernel maps it only once.</summary>
    private const int ImportedBufferCount = 8;

    private readonly V4l2Device _device;
    private readonly V4l2M2mDevice _target;
    private readonly V4l2Capability _capability;
    private readonly VideoFormat _format;
    private readonly uint _codedFourCc;
    private readonly V4l2M2mQueue _queue;
    private readonly EncoderInput? _converter;
    private V4l2M2mFormats _formats;
    private CapturedFrame?[] _held = [];
    private bool[] _isBusy = [];
    private long _bytesCopied;
    private int _divisor = 1;

    /// <exception cref="VideoEncoderException">The encoder takes nothing that can be made of the frames.</exception>
    /// <exception cref="LibAvException">The frames must be converted, and libav is not here.</exception>
    public V4l2M2mInput(V4l2Device device, V4l2M2mDevice target, V4l2Capability capability, VideoFormat format, uint codedFourCc)
    {
        (_device, _target, _capability, _format, _codedFourCc) = (device, target, capability, format, codedFourCc);
        _queue = new V4l2M2mQueue(device, capability.OutputType);
        var direct = target.RawFormats.OrderBy(raw => raw.PixelFormat == format.PixelFormat ? 0 : 1).ThenBy(raw => raw.MemoryPlanes)
            .Where(raw => RawPicture.CanBecome(format.PixelFormat, raw.PixelFormat)).ToList();
        var planar = target.RawFormats.Where(raw => RawPicture.CanBecome(PixelFormat.Yu12, raw.PixelFormat)).ToList();
        if (direct.Count == 0 && planar.Count == 0)
        {
            var names = string.Join(", ", target.RawFormats.Select(raw => V4l2Enumeration.FourCcText(raw.FourCc)));
            throw V4l2M2mFailure.Of(target, $"takes {names}, which {format.PixelFormat} is not converted to; choose another 'pixelFormat'");
        }
        if (direct.Count == 0) _converter = new EncoderInput(format, takesNv12: false);
        try
        {
            _formats = Agree(direct.Count == 0 ? planar[0] : direct[0], bytesPerLine: 0);
        }
        catch
        {
            _converter?.Dispose();
            throw;
        }
    }

    /// <summary>Bytes of picture written by the CPU. Any thread.</summary>
    public long BytesCopied => Volatile.Read(ref _bytesCopied);

    /// <summary>Whether frames go in as DMABUFs.</summary>
    public bool IsImporting { get; private set; }

    public bool IsStreaming => _queue.IsStreaming;

    /// <summary>Why such frames must be copied, or <c>null</c> if they need not be.</summary>
    public string? FindCopyReason(CapturedFrame frame) =>
        _converter is null ? _formats.FindMismatch(frame) : $"{frame.Format.PixelFormat} must be converted for it";

    /// <summary>
    /// Sets the raw format anew, with the frame's own memory planes and line length; the other queue must have no buffers. False if the
    /// encoder has no such format.
    /// </summary>
    public bool TryFollow(CapturedFrame frame)
    {
        foreach (var raw in _target.RawFormats)
        {
            if (raw.PixelFormat != frame.Format.PixelFormat || raw.MemoryPlanes != frame.DmabufCount) continue;
            _formats = Agree(raw, frame.GetBytesPerLine(0));
            return true;
        }
        return false;
    }

    /// <summary>Gets buffers and starts the queue. Returns 0 or the errno.</summary>
    /// <param name="import">Whether frames go in as DMABUFs.</param>
    /// <param name="copyBufferCount">How many buffers of its own, if not.</param>
    public int Start(bool import, int copyBufferCount)
    {
        Release();
        var (count, memory) = import ? (ImportedBufferCount, V4L2_MEMORY_DMABUF) : (copyBufferCount, V4L2_MEMORY_MMAP);
        var errno = _queue.Request(count, memory, _formats.Sizes.Length);
        if (errno == 0) errno = _queue.Start();
        IsImporting = import;
        _held = new CapturedFrame?[_queue.Count];
        _isBusy = new bool[_queue.Count];
        return errno;
    }

    /// <summary>
    /// Queues one frame, which is taken over if the errno is 0. No errno (<c>null</c>) means that it cannot go in: it is damaged, or the
    /// driver granted fewer buffers than asked for.
    /// </summary>
    public int? Queue(CapturedFrame frame, long timestamp)
    {
        var slot = FindSlot(frame.BufferIndex);
        if (slot < 0 || (!IsImporting && !TryCopy(frame, slot))) return null;
        var errno = _queue.Queue(slot, timestamp, _formats.Sizes, IsImporting ? frame : null);
        if (errno != 0) return errno;
        _isBusy[slot] = true;
        if (IsImporting) Volatile.Write(ref _held[slot], frame);
        else frame.Dispose();
        return 0;
    }

    /// <summary>Takes back one frame that has been read: EAGAIN if there is none. A damaged one was not encoded.</summary>
    public int Dequeue(out bool isDamaged)
    {
        var errno = _queue.Dequeue(out var buffer);
        isDamaged = errno == 0 && buffer.Has(V4L2_BUF_FLAG_ERROR);
        if (errno != 0) return errno;
        _isBusy[buffer.Index] = false;
        Interlocked.Exchange(ref _held[buffer.Index], null)?.Dispose();
        return 0;
    }

    /// <summary>Gives back every frame that the encoder still holds. Any thread.</summary>
    public void ReturnFrames()
    {
        foreach (ref var held in _held.AsSpan()) Interlocked.Exchange(ref held, null)?.Dispose();
    }

    /// <summary>Tells the encoder how many frames will come; one that cannot be told while it runs makes less than its bitrate.</summary>
    public void SetFrameDivisor(int divisor)
    {
        if (divisor == _divisor) return;
        _divisor = divisor;
        _ = V4l2M2mFormats.TrySetInterval(_device, _capability.OutputType, _format, divisor);
    }

    public void Dispose()
    {
        Release();
        _converter?.Dispose();
    }

    private void Release()
    {
        // Only then is the encoder no longer reading.
        _queue.Release();
        ReturnFrames();
    }

    private V4l2M2mFormats Agree(V4l2PixelFormat raw, int bytesPerLine) =>
        V4l2M2mFormats.Agree(_device, _target, _capability, raw, _format, bytesPerLine, _codedFourCc);

    private int FindSlot(int preferred)
    {
        if (preferred >= 0 && preferred < _isBusy.Length && !_isBusy[preferred]) return preferred;
        return Array.IndexOf(_isBusy, false);
    }

    private bool TryCopy(CapturedFrame frame, int slot)
    {
        if (_converter is null)
        {
            Copy(RawPicture.Of(frame), slot);
            return true;
        }
        var before = _converter.BytesCopied;
        fixed (byte* plane0 = frame.GetPlane(0))
        fixed (byte* plane1 = frame.PlaneCount > 1 ? frame.GetPlane(1) : default)
        fixed (byte* plane2 = frame.PlaneCount > 2 ? frame.GetPlane(2) : default)
        {
            if (_converter.Prepare(frame, plane0, plane1, plane2) is not { } picture) return false;
            Copy(RawPicture.Of(picture), slot);
        }
        Volatile.Write(ref _bytesCopied, _bytesCopied + _converter.BytesCopied - before);
        return true;
    }

    private void Copy(in RawPicture picture, int slot)
    {
        var written = picture.CopyTo(
            _formats.Raw.PixelFormat, GetPlane(slot, 0), GetBytesPerLine(0), GetPlane(slot, 1), GetBytesPerLine(1), GetPlane(slot, 2), GetBytesPerLine(2));
        Volatile.Write(ref _bytesCopied, _bytesCopied + written);
    }

    private Span<byte> GetPlane(int slot, int plane)
    {
        if (plane >= _formats.Layout.Length) return default;
        var layout = _formats.Layout[plane];
        return _queue.GetMemory(slot, layout.MemoryPlane).Slice(layout.Offset, layout.Length);
    }

    private int GetBytesPerLine(int plane) => plane < _formats.Layout.Length ? _formats.Layout[plane].BytesPerLine : 0;
}
