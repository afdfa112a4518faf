using System.Runtime.InteropServices;

namespace Agent.Interop.OpenH264;

/// <summary>What is used of wels/codec_api.h, codec_app_def.h and codec_def.h, by the names there.</summary>
internal static unsafe partial class Wels
{
    // ENCODER_OPTION
    public const int ENCODER_OPTION_IDR_INTERVAL = 1;
    public const int ENCODER_OPTION_FRAME_RATE = 4;
    public const int ENCODER_OPTION_BITRATE = 5;
    public const int ENCODER_OPTION_TRACE_LEVEL = 25;

    public const int CAMERA_VIDEO_REAL_TIME = 0;
    public const int RC_BITRATE_MODE = 1;
    public const int SPATIAL_LAYER_ALL = 4;
    public const int WELS_LOG_QUIET = 0;
    public const int videoFormatI420 = 23;
    public const int cmResultSuccess = 0;
    public const int MAX_LAYER_NUM_OF_FRAME = 128;

    // Places in ISVCEncoderVtbl.
    public const int Initialize = 0;
    public const int Uninitialize = 3;
    public const int EncodeFrame = 4;
    public const int EncodeParameterSets = 5;
    public const int ForceIntraFrame = 6;
    public const int SetOption = 7;

    static Wels() => NativeLibraries.Use();

    /// <summary>libopenh264.so.8 put PSNR figures at the end of SLayerBSInfo.</summary>
    public static int SizeOfLayerInfo(int version) => version >= 8 ? 56 : 40;

    [LibraryImport(NativeLibraries.OpenH264)]
    public static partial int WelsCreateSVCEncoder(out nint ppEncoder);

    [LibraryImport(NativeLibraries.OpenH264)]
    public static partial void WelsDestroySVCEncoder(nint pEncoder);
}

[StructLayout(LayoutKind.Sequential)]
internal struct SEncParamBase
{
    public int iUsageType;
    public int iPicWidth;
    public int iPicHeight;
    public int iTargetBitrate;
    public int iRCMode;
    public float fMaxFrameRate;
}

[StructLayout(LayoutKind.Sequential)]
internal struct SBitrateInfo
{
    public int iLayer;
    public int iBitrate;
}

/// <summary>As long as in libopenh264.so.8, which reads flags at the end that stay 0.</summary>
[StructLayout(LayoutKind.Explicit, Size = 80)]
internal unsafe struct SSourcePicture
{
    [FieldOffset(0)]
    public int iColorFormat;

    [FieldOffset(4)]
    public fixed int iStride[4];

    /// <summary>First of pData[4].</summary>
    [FieldOffset(24)]
    public byte* pData;

    [FieldOffset(56)]
    public int iPicWidth;

    [FieldOffset(60)]
    public int iPicHeight;

    [FieldOffset(64)]
    public long uiTimeStamp;
}

/// <summary>The head of SLayerBSInfo.</summary>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct SLayerBSInfo
{
    [FieldOffset(16)]
    public int iNalCount;

    [FieldOffset(24)]
    public int* pNalLengthInByte;

    [FieldOffset(32)]
    public byte* pBsBuf;
}
