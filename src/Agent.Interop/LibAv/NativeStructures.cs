using System.Runtime.InteropServices;

namespace Agent.Interop.LibAv;

// Only fields without an accessor function or option are declared, at offsets that FFmpeg 5.1, 6 and 7 share on 64-bit machines; those
// that moved between them are in FieldOffsets. A test compiles a C program against the installed headers to confirm each one.

/// <summary>libavutil/rational.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AVRational
{
    public int num;
    public int den;
}

/// <summary>The head of AVFrame (libavutil/frame.h).</summary>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct AVFrame
{
    /// <summary>First of data[AV_NUM_DATA_POINTERS].</summary>
    [FieldOffset(0)]
    public byte* data;

    [FieldOffset(64)]
    public fixed int linesize[8];

    [FieldOffset(104)]
    public int width;

    [FieldOffset(108)]
    public int height;

    [FieldOffset(116)]
    public int format;

    [FieldOffset(124)]
    public int pict_type;

    [FieldOffset(136)]
    public long pts;
}

/// <summary>The head of AVPacket (libavcodec/packet.h).</summary>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct AVPacket
{
    [FieldOffset(8)]
    public long pts;

    [FieldOffset(16)]
    public long dts;

    [FieldOffset(24)]
    public byte* data;

    [FieldOffset(32)]
    public int size;

    [FieldOffset(36)]
    public int stream_index;

    [FieldOffset(40)]
    public int flags;
}

/// <summary>The head of AVFormatContext (libavformat/avformat.h).</summary>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct AVFormatContext
{
    [FieldOffset(44)]
    public uint nb_streams;

    [FieldOffset(48)]
    public nint* streams;
}

/// <summary>The head of AVCodecParameters (libavcodec/codec_par.h).</summary>
[StructLayout(LayoutKind.Explicit)]
internal struct AVCodecParameters
{
    [FieldOffset(4)]
    public int codec_id;
}

/// <summary>The head of AVBSFContext (libavcodec/bsf.h).</summary>
[StructLayout(LayoutKind.Explicit)]
internal struct AVBSFContext
{
    [FieldOffset(24)]
    public nint par_in;
}

/// <summary>Where a field lies that moved between FFmpeg's major versions.</summary>
/// <param name="avutil">LIBAVUTIL_VERSION_MAJOR: 57, 58 or 59.</param>
/// <param name="avformat">LIBAVFORMAT_VERSION_MAJOR: 59, 60 or 61.</param>
internal readonly struct FieldOffsets(int avutil, int avformat)
{
    /// <summary>libavutil 59 dropped the picture numbers, reordered_opaque and channel_layout in front of these.</summary>
    public int AVFrame_buf { get; } = avutil >= 59 ? 200 : 224;

    public int AVFrame_colorspace { get; } = avutil >= 59 ? 308 : 332;

    /// <summary>libavformat 60 put av_class in front of AVStream and moved codecpar up.</summary>
    public int AVStream_time_base { get; } = avformat >= 60 ? 32 : 16;

    public int AVStream_codecpar { get; } = avformat >= 60 ? 16 : 208;
}

/// <summary>Constants of the FFmpeg headers, by their names there.</summary>
internal static class Constants
{
    // libavutil/error.h: AVERROR(EAGAIN), FFERRTAG values.
    public const int AVERROR_EAGAIN = -11;
    public const int AVERROR_EOF = -541478725;
    public const int AVERROR_EINVAL = -22;
    public const int AVERROR_ENCODER_NOT_FOUND = -1129203192;

    // libavutil/avutil.h, log.h, opt.h
    public const long AV_NOPTS_VALUE = long.MinValue;
    public const int AVMEDIA_TYPE_VIDEO = 0;
    public const int AV_PICTURE_TYPE_NONE = 0;
    public const int AV_PICTURE_TYPE_I = 1;
    public const int AV_LOG_FATAL = 8;
    public const int AV_OPT_SEARCH_CHILDREN = 1;

    // libavutil/pixfmt.h
    public const int AVCOL_SPC_BT709 = 1;
    public const int AVCOL_SPC_UNSPECIFIED = 2;

    // libavcodec/packet.h, codec_id.h
    public const int AV_PKT_FLAG_KEY = 1;
    public const int AV_CODEC_ID_H264 = 27;

    // libavformat/avformat.h
    public const int AVSEEK_FLAG_BACKWARD = 1;
    public const int AVSEEK_FLAG_BYTE = 2;

    // libswscale/swscale.h
    public const int SWS_FAST_BILINEAR = 1;
}
