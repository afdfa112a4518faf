using System.Runtime.InteropServices;

namespace Agent.Interop.LibAv;

/// <summary>enum AVPixelFormat (libavutil/pixfmt.h), as far as the agent hands them over itself.</summary>
public enum LibAvPixelFormat
{
    /// <summary>AV_PIX_FMT_YUV420P.</summary>
    Yuv420P = 0,
    /// <summary>AV_PIX_FMT_YUYV422.</summary>
    Yuyv422 = 1,
    /// <summary>AV_PIX_FMT_NV12.</summary>
    Nv12 = 23,
}

/// <summary>An AVFrame. Used by one thread.</summary>
public sealed unsafe class LibAvFrame : SafeHandle
{
    /// <summary>Frames handed to encoders have at most three planes.</summary>
    private const int MaximumPlanes = 3;

    public LibAvFrame() : base(0, ownsHandle: true)
    {
        _ = LibAvLibrary.Offsets;
        SetHandle(LibAvException.CheckAllocation(NativeMethods.av_frame_alloc(), nameof(NativeMethods.av_frame_alloc)));
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    public LibAvPixelFormat Format => (LibAvPixelFormat)Native->format;

    public int Width => Native->width;

    public int Height => Native->height;

    /// <summary>AV_NOPTS_VALUE (<see cref="long.MinValue"/>) if unknown.</summary>
    public long Pts
    {
        get => Native->pts;
        set => Native->pts = value;
    }

    /// <summary>True for BT.709 luma coefficients, false for others, <c>null</c> if the stream does not say.</summary>
    public bool? IsBt709 => *(int*)(handle + LibAvLibrary.Offsets.AVFrame_colorspace) switch
    {
        Constants.AVCOL_SPC_UNSPECIFIED => null,
        var space => space == Constants.AVCOL_SPC_BT709,
    };

    /// <summary>Asks the encoder for a keyframe (AV_PICTURE_TYPE_I) or leaves it the choice.</summary>
    public bool IsKeyFrameForced
    {
        set => Native->pict_type = value ? Constants.AV_PICTURE_TYPE_I : Constants.AV_PICTURE_TYPE_NONE;
    }

    internal nint Handle => handle;

    private AVFrame* Native => (AVFrame*)handle;

    /// <summary>One plane's bytes, of which there must be <paramref name="lines"/> lines.</summary>
    public ReadOnlySpan<byte> GetPlane(int plane, int lines) => new((&Native->data)[plane], Native->linesize[plane] * lines);

    public int GetBytesPerLine(int plane) => Native->linesize[plane];

    /// <summary>Says what the planes given to <see cref="SetPlane"/> hold.</summary>
    public void Describe(LibAvPixelFormat format, int width, int height)
    {
        Native->format = (int)format;
        Native->width = width;
        Native->height = height;
    }

    /// <summary>
    /// Lends the frame a plane that the caller keeps fixed in memory while libav uses the frame. An encoder copies the picture of a frame
    /// that owns no buffer, so the first call gives it one of a byte: encoders without delay have then read the planes when the frame
    /// was sent and its packet received.
    /// </summary>
    public void SetPlane(int plane, byte* bytes, int bytesPerLine)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(plane, MaximumPlanes);
        var buffer = (nint*)(handle + LibAvLibrary.Offsets.AVFrame_buf);
        if (*buffer == 0) *buffer = LibAvException.CheckAllocation(NativeMethods.av_buffer_alloc(1), nameof(NativeMethods.av_buffer_alloc));
        (&Native->data)[plane] = bytes;
        Native->linesize[plane] = bytesPerLine;
    }

    /// <summary>Gives the frame planes of its own that may be written now; those of the last call are kept if nobody else has them.</summary>
    public void AllocatePlanes(LibAvPixelFormat format, int width, int height)
    {
        if (Native->data != null && Format == format && Width == width && Height == height)
        {
            LibAvException.Check(NativeMethods.av_frame_make_writable(handle), nameof(NativeMethods.av_frame_make_writable));
            return;
        }
        Unreference();
        Describe(format, width, height);
        LibAvException.Check(NativeMethods.av_frame_get_buffer(handle, align: 0), nameof(NativeMethods.av_frame_get_buffer));
    }

    /// <summary>Gives the planes back.</summary>
    public void Unreference() => NativeMethods.av_frame_unref(handle);

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMethods.av_frame_free(ref handle);
        return true;
    }
}
