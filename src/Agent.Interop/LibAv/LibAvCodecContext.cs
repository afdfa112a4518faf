using System.Runtime.InteropServices;

namespace Agent.Interop.LibAv;

/// <summary>An encoder or decoder of libavcodec. Used by one thread.</summary>
public sealed class LibAvCodecContext : SafeHandle
{
    private LibAvCodecContext(nint codec) : base(0, ownsHandle: true) =>
        SetHandle(LibAvException.CheckAllocation(NativeMethods.avcodec_alloc_context3(codec), nameof(NativeMethods.avcodec_alloc_context3)));

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Delay from decoding to output order, in frames; 0 without B-frames. Known for decoders of an opened file.</summary>
    public long ReorderDepth
    {
        get
        {
            LibAvException.Check(NativeMethods.av_opt_get_int(handle, "has_b_frames", 0, out var depth), nameof(NativeMethods.av_opt_get_int));
            return depth;
        }
    }

    /// <summary>Width and height in pixels.</summary>
    public (int Width, int Height) VideoSize
    {
        get
        {
            LibAvException.Check(
                NativeMethods.av_opt_get_image_size(handle, "video_size", 0, out var width, out var height), nameof(NativeMethods.av_opt_get_image_size));
            return (width, height);
        }
    }

    /// <summary>An encoder still to be set up and opened.</summary>
    /// <exception cref="LibAvException">There is none of that name.</exception>
    public static LibAvCodecContext CreateEncoder(string name) => new(Find(NativeMethods.avcodec_find_encoder_by_name(name), $"encoder {name}"));

    /// <summary>A decoder still to be opened.</summary>
    /// <exception cref="LibAvException">There is none of that name.</exception>
    public static LibAvCodecContext CreateDecoder(string name) => new(Find(NativeMethods.avcodec_find_decoder_by_name(name), $"decoder {name}"));

    /// <summary>Sets an option of the codec or of the context, as on ffmpeg's command line.</summary>
    public void SetOption(string name, string value) =>
        LibAvException.Check(NativeMethods.av_opt_set(handle, name, value, Constants.AV_OPT_SEARCH_CHILDREN), $"av_opt_set({name}={value})");

    /// <summary>Sets a number; on an open encoder it takes effect with the next frame if the encoder can change it at all.</summary>
    public void SetOption(string name, long value)
    {
        var result = NativeMethods.av_opt_set_int(handle, name, value, Constants.AV_OPT_SEARCH_CHILDREN);
        if (result < 0) throw new LibAvException($"av_opt_set_int({name}={value})", result);
    }

    public void Open() => LibAvException.Check(NativeMethods.avcodec_open2(handle, 0, 0), nameof(NativeMethods.avcodec_open2));

    /// <summary>Hands a frame to an encoder.</summary>
    public void Send(LibAvFrame frame) =>
        LibAvException.Check(NativeMethods.avcodec_send_frame(handle, frame.Handle), nameof(NativeMethods.avcodec_send_frame));

    /// <summary>Takes a packet from an encoder; false if it wants another frame first.</summary>
    public bool TryReceive(LibAvPacket packet) =>
        HasOutput(NativeMethods.avcodec_receive_packet(handle, packet.Handle), nameof(NativeMethods.avcodec_receive_packet));

    /// <summary>Hands a packet to a decoder; false if what it holds cannot be decoded.</summary>
    public bool TrySend(LibAvPacket packet) => NativeMethods.avcodec_send_packet(handle, packet.Handle) >= 0;

    /// <summary>Tells a decoder that no packet follows, so that it lets go of the frames it still holds.</summary>
    public void SendEnd() => _ = NativeMethods.avcodec_send_packet(handle, 0);

    /// <summary>Takes a frame from a decoder; false if it wants another packet first, is at its end or could not decode the last one.</summary>
    public bool TryReceive(LibAvFrame frame) => NativeMethods.avcodec_receive_frame(handle, frame.Handle) >= 0;

    /// <summary>Makes a decoder forget what it was decoding, as after a jump in the file.</summary>
    public void Flush() => NativeMethods.avcodec_flush_buffers(handle);

    internal static LibAvCodecContext CreateDecoder(nint parameters, int codecId)
    {
        var context = new LibAvCodecContext(Find(NativeMethods.avcodec_find_decoder(codecId), $"decoder of codec {codecId}"));
        LibAvException.Check(
            NativeMethods.avcodec_parameters_to_context(context.handle, parameters), nameof(NativeMethods.avcodec_parameters_to_context));
        return context;
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMethods.avcodec_free_context(ref handle);
        return true;
    }

    private static nint Find(nint codec, string what)
    {
        _ = LibAvLibrary.Offsets;
        return codec != 0 ? codec : throw new LibAvException($"this libavcodec has no {what}", Constants.AVERROR_ENCODER_NOT_FOUND);
    }

    private static bool HasOutput(int result, string function)
    {
        if (result is Constants.AVERROR_EAGAIN or Constants.AVERROR_EOF) return false;
        LibAvException.Check(result, function);
        return true;
    }
}
