using System.Runtime.InteropServices;

namespace Agent.Interop.V4l2;

/// <summary>
/// The extension unit of cameras that make H.264: USB Device Class Definition for Video Devices, H.264 Payload Format, revision 1.0,
/// chapter 3.3 and appendix A. There is no kernel header for it.
/// </summary>
public static class UvcH264
{
    /// <summary>Table of control selectors, appendix A.</summary>
    public const byte UVCX_VIDEO_CONFIG_PROBE = 0x01;
    public const byte UVCX_VIDEO_CONFIG_COMMIT = 0x02;
    public const byte UVCX_PICTURE_TYPE_CONTROL = 0x09;
    public const byte UVCX_BITRATE_LAYERS = 0x0e;

    /// <summary>bmHints of §3.3.1: the fields that must be kept when not all can be.</summary>
    public const ushort BMHINTS_RESOLUTION = 0x0001;
    public const ushort BMHINTS_FRAME_INTERVAL = 0x0800;
    public const ushort BMHINTS_BITRATE = 0x2000;
    public const ushort BMHINTS_IFRAMEPERIOD = 0x8000;

    /// <summary>wPicType of §3.3.9: an IDR picture with new SPS and PPS.</summary>
    public const ushort PICTYPE_IDR_WITH_PPS_SPS = 0x0002;

    /// <summary>guidExtensionCode {A29E7641-DE04-47E3-8B2B-F4341AFF003B}, as descriptors hold it.</summary>
    public static ReadOnlySpan<byte> GuidUvcxH264Xu =>
        [0x41, 0x76, 0x9e, 0xa2, 0x04, 0xde, 0xe3, 0x47, 0x8b, 0x2b, 0xf4, 0x34, 0x1a, 0xff, 0x00, 0x3b];
}

/// <summary>§3.3.1: the encoder's settings, 46 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct uvcx_video_config_probe_commit_t
{
    public uint dwFrameInterval;
    public uint dwBitRate;
    public ushort bmHints;
    public ushort wConfigurationIndex;
    public ushort wWidth;
    public ushort wHeight;
    public ushort wSliceUnits;
    public ushort wSliceMode;
    public ushort wProfile;
    public ushort wIFramePeriod;
    public ushort wEstimatedVideoDelay;
    public ushort wEstimatedMaxConfigDelay;
    public byte bUsageType;
    public byte bRateControlMode;
    public byte bTemporalScaleMode;
    public byte bSpatialScaleMode;
    public byte bSNRScaleMode;
    public byte bStreamMuxOption;
    public byte bStreamFormat;
    public byte bEntropyCABAC;
    public byte bTimestamp;
    public byte bNumOfReorderFrames;
    public byte bPreviewFlipped;
    public byte bView;
    public byte bReserved1;
    public byte bReserved2;
    public byte bStreamID;
    public byte bSpatialLayerRatio;
    public ushort wLeakyBucketSize;
}

/// <summary>§3.3.9: which picture comes next.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct uvcx_picture_type_control_t
{
    public ushort wLayerID;
    public ushort wPicType;
}

/// <summary>§3.3.14: bit/s.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct uvcx_bitrate_layers_t
{
    public ushort wLayerID;
    public uint dwPeakBitrate;
    public uint dwAverageBitrate;
}
