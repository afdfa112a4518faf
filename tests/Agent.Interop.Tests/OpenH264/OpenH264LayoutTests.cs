using Agent.Interop.OpenH264;

namespace Agent.Interop.Tests.OpenH264;

/// <summary>The C compiler says where the fields are, from the installed headers.</summary>
public sealed unsafe class OpenH264LayoutTests
{
    private const string Headers = "#include <wels/codec_api.h>\n#include <wels/codec_ver.h>\n";

    [Fact]
    public void Every_constant_and_field_used_is_that_of_the_installed_headers()
    {
        SSourcePicture picture;
        SLayerBSInfo layer;
        var pointer = sizeof(nint);
        var declared = new Dictionary<string, long>
        {
            ["ENCODER_OPTION_IDR_INTERVAL"] = Wels.ENCODER_OPTION_IDR_INTERVAL,
            ["ENCODER_OPTION_BITRATE"] = Wels.ENCODER_OPTION_BITRATE,
            ["ENCODER_OPTION_TRACE_LEVEL"] = Wels.ENCODER_OPTION_TRACE_LEVEL,
            ["CAMERA_VIDEO_REAL_TIME"] = Wels.CAMERA_VIDEO_REAL_TIME,
            ["RC_BITRATE_MODE"] = Wels.RC_BITRATE_MODE,
            ["SPATIAL_LAYER_ALL"] = Wels.SPATIAL_LAYER_ALL,
            ["WELS_LOG_QUIET"] = Wels.WELS_LOG_QUIET,
            ["videoFormatI420"] = Wels.videoFormatI420,
            ["cmResultSuccess"] = Wels.cmResultSuccess,
            ["MAX_LAYER_NUM_OF_FRAME"] = Wels.MAX_LAYER_NUM_OF_FRAME,
            ["offsetof(ISVCEncoderVtbl, Initialize)"] = Wels.Initialize * pointer,
            ["offsetof(ISVCEncoderVtbl, Uninitialize)"] = Wels.Uninitialize * pointer,
            ["offsetof(ISVCEncoderVtbl, EncodeFrame)"] = Wels.EncodeFrame * pointer,
            ["offsetof(ISVCEncoderVtbl, EncodeParameterSets)"] = Wels.EncodeParameterSets * pointer,
            ["offsetof(ISVCEncoderVtbl, ForceIntraFrame)"] = Wels.ForceIntraFrame * pointer,
            ["offsetof(ISVCEncoderVtbl, SetOption)"] = Wels.SetOption * pointer,
            ["sizeof(SEncParamBase)"] = sizeof(SEncParamBase),
            ["sizeof(SBitrateInfo)"] = sizeof(SBitrateInfo),
            ["offsetof(SSourcePicture, iStride)"] = (byte*)picture.iStride - (byte*)&picture,
            ["offsetof(SSourcePicture, pData)"] = (byte*)&picture.pData - (byte*)&picture,
            ["offsetof(SSourcePicture, iPicWidth)"] = (byte*)&picture.iPicWidth - (byte*)&picture,
            ["offsetof(SSourcePicture, iPicHeight)"] = (byte*)&picture.iPicHeight - (byte*)&picture,
            ["offsetof(SSourcePicture, uiTimeStamp)"] = (byte*)&picture.uiTimeStamp - (byte*)&picture,
            ["offsetof(SLayerBSInfo, iNalCount)"] = (byte*)&layer.iNalCount - (byte*)&layer,
            ["offsetof(SLayerBSInfo, pNalLengthInByte)"] = (byte*)&layer.pNalLengthInByte - (byte*)&layer,
            ["offsetof(SLayerBSInfo, pBsBuf)"] = (byte*)&layer.pBsBuf - (byte*)&layer,
            ["sizeof(SLayerBSInfo)"] = Wels.SizeOfLayerInfo(NativeLibraries.OpenH264Version),
            ["offsetof(SFrameBSInfo, sLayerInfo)"] = 8,
        };
        Assert.Equal(declared, CHeaders.Ask(Headers, [.. declared.Keys]));
        Assert.InRange(CHeaders.Ask(Headers, "sizeof(SSourcePicture)")["sizeof(SSourcePicture)"], 72, sizeof(SSourcePicture));
    }
}
