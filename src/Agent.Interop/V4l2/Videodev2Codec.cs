namespace Agent.Interop.V4l2;

/// <summary>What memory-to-memory devices and DMABUF need beside the rest.</summary>
public static partial class Videodev2
{
    public const uint VIDIOC_EXPBUF = 0xc0405610;
    public const uint VIDIOC_ENCODER_CMD = 0xc028564d;
    public const uint VIDIOC_DQEVENT = 0x80885659;
    public const uint VIDIOC_SUBSCRIBE_EVENT = 0x4020565a;
    public const uint VIDIOC_S_SELECTION = 0xc040565f;
    public const uint V4L2_MEMORY_DMABUF = 0x00000004;
    public const uint V4L2_BUF_FLAG_KEYFRAME = 0x00000008;
    public const uint V4L2_BUF_FLAG_TIMESTAMP_COPY = 0x00004000;
    public const uint V4L2_BUF_FLAG_LAST = 0x00100000;
    public const uint V4L2_ENC_CMD_STOP = 1;
    public const uint V4L2_EVENT_EOS = 2;
    public const uint V4L2_SEL_TGT_CROP = 0x0000;
    public const uint V4L2_COLORSPACE_SMPTE170M = 1;
    public const uint V4L2_XFER_FUNC_709 = 1;
    public const uint V4L2_YCBCR_ENC_601 = 1;
    public const uint V4L2_QUANTIZATION_LIM_RANGE = 2;
    public const uint V4L2_PIX_FMT_FWHT = 0x54485746; // 'FWHT'
    public const uint V4L2_PIX_FMT_JPEG = 0x4745504a; // 'JPEG'

    public const uint V4L2_CID_MIN_BUFFERS_FOR_CAPTURE = 0x00980927;
    public const uint V4L2_CID_MIN_BUFFERS_FOR_OUTPUT = 0x00980928;
    public const uint V4L2_CID_MPEG_VIDEO_B_FRAMES = 0x009909ca;
    public const uint V4L2_CID_MPEG_VIDEO_BITRATE_MODE = 0x009909ce;
    public const uint V4L2_CID_MPEG_VIDEO_BITRATE_PEAK = 0x009909d0;
    public const uint V4L2_CID_MPEG_VIDEO_FRAME_RC_ENABLE = 0x009909d7;
    public const uint V4L2_CID_MPEG_VIDEO_HEADER_MODE = 0x009909d8;
    public const uint V4L2_CID_MPEG_VIDEO_H264_ENTROPY_MODE = 0x00990a65;
    public const uint V4L2_CID_MPEG_VIDEO_H264_LEVEL = 0x00990a67;
    public const uint V4L2_CID_MPEG_VIDEO_H264_PROFILE = 0x00990a6b;
    public const int V4L2_MPEG_VIDEO_BITRATE_MODE_VBR = 0;
    public const int V4L2_MPEG_VIDEO_BITRATE_MODE_CBR = 1;
    public const int V4L2_MPEG_VIDEO_HEADER_MODE_JOINED_WITH_1ST_FRAME = 1;
    public const int V4L2_MPEG_VIDEO_H264_ENTROPY_MODE_CAVLC = 0;
    public const int V4L2_MPEG_VIDEO_H264_ENTROPY_MODE_CABAC = 1;
    public const int V4L2_MPEG_VIDEO_H264_PROFILE_BASELINE = 0;
    public const int V4L2_MPEG_VIDEO_H264_PROFILE_CONSTRAINED_BASELINE = 1;
    public const int V4L2_MPEG_VIDEO_H264_PROFILE_MAIN = 2;
    public const int V4L2_MPEG_VIDEO_H264_PROFILE_HIGH = 4;
    public const int V4L2_MPEG_VIDEO_H264_LEVEL_3_1 = 9;
    public const int V4L2_MPEG_VIDEO_H264_LEVEL_5_2 = 16;
}
