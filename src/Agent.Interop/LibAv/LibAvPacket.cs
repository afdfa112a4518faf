using System.Runtime.InteropServices;

namespace Agent.Interop.LibAv;

/// <summary>An AVPacket. Used by one thread.</summary>
public sealed unsafe class LibAvPacket : SafeHandle
{
    public LibAvPacket() : base(0, ownsHandle: true)
    {
        _ = LibAvLibrary.Offsets;
        SetHandle(LibAvException.CheckAllocation(NativeMethods.av_packet_alloc(), nameof(NativeMethods.av_packet_alloc)));
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>The payload; writable while the packet is the only one that holds it, as a packet fresh from an encoder is.</summary>
    public Span<byte> Data => new(Native->data, Native->size);

    /// <summary>AV_NOPTS_VALUE (<see cref="long.MinValue"/>) if unknown.</summary>
    public long Pts => Native->pts;

    public bool IsKeyFrame => (Native->flags & Constants.AV_PKT_FLAG_KEY) != 0;

    internal nint Handle => handle;

    internal int StreamIndex => Native->stream_index;

    private AVPacket* Native => (AVPacket*)handle;

    /// <summary>Lends the packet a payload that the caller keeps fixed until it is taken back with an empty one; decoders copy it.</summary>
    public void Lend(byte* data, int size)
    {
        Native->data = data;
        Native->size = size;
    }

    /// <summary>Gives the payload back.</summary>
    public void Unreference() => NativeMethods.av_packet_unref(handle);

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMethods.av_packet_free(ref handle);
        return true;
    }
}
