using System.Runtime.InteropServices;

namespace Agent.Interop.LibAv;

/// <summary>
/// The h264_mp4toannexb bit stream filter: start codes instead of lengths, and the parameter sets of the file's header before each IDR
/// picture. Streams that have start codes already pass unchanged. Used by one thread.
/// </summary>
public sealed unsafe class LibAvAnnexBFilter : SafeHandle
{
    private const string FilterName = "h264_mp4toannexb";

    public LibAvAnnexBFilter(LibAvInput input) : base(0, ownsHandle: true)
    {
        var filter = NativeMethods.av_bsf_get_by_name(FilterName);
        if (filter == 0) throw new LibAvException($"this libavcodec has no {FilterName}", Constants.AVERROR_EINVAL);
        LibAvException.Check(NativeMethods.av_bsf_alloc(filter, out handle), nameof(NativeMethods.av_bsf_alloc));
        try
        {
            LibAvException.Check(
                NativeMethods.avcodec_parameters_copy(((AVBSFContext*)handle)->par_in, input.Parameters), nameof(NativeMethods.avcodec_parameters_copy));
            LibAvException.Check(NativeMethods.av_bsf_init(handle), nameof(NativeMethods.av_bsf_init));
        }
        catch (LibAvException)
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Replaces the packet's payload; false if it is damaged.</summary>
    public bool TryFilter(LibAvPacket packet) =>
        NativeMethods.av_bsf_send_packet(handle, packet.Handle) >= 0 && NativeMethods.av_bsf_receive_packet(handle, packet.Handle) >= 0;

    /// <summary>Forgets what went before, as after a jump in the file.</summary>
    public void Flush() => NativeMethods.av_bsf_flush(handle);

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMethods.av_bsf_free(ref handle);
        return true;
    }
}
