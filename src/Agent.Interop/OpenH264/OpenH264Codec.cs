using System.Runtime.InteropServices;

namespace Agent.Interop.OpenH264;

/// <summary>An encoder of libopenh264: planar 4:2:0 in, Annex B out, one spatial layer, one slice. Used by one thread.</summary>
public sealed unsafe class OpenH264Codec : SafeHandle
{
    /// <summary>Offset of sLayerInfo in SFrameBSInfo (wels/codec_app_def.h); iLayerNum is at its start.</summary>
    private const int FirstLayer = 8;

    private readonly int _layerSize;
    private readonly byte[] _frameInfo;
    private byte[] _output = new byte[64 * 1024];

    /// <param name="width">Pixels, even.</param>
    /// <param name="height">Pixels, even.</param>
    /// <param name="framesPerSecond">For the rate control.</param>
    /// <param name="bitsPerSecond">Target.</param>
    /// <param name="keyFrameInterval">Frames from one IDR to the next.</param>
    /// <exception cref="DllNotFoundException">libopenh264 is not installed.</exception>
    /// <exception cref="InvalidOperationException">libopenh264 refuses the settings; the message names the function and its result.</exception>
    public OpenH264Codec(int width, int height, float framesPerSecond, int bitsPerSecond, int keyFrameInterval) : base(0, ownsHandle: true)
    {
        _layerSize = Wels.SizeOfLayerInfo(NativeLibraries.OpenH264Version);
        // SFrameBSInfo: layers, then frame type, size and timestamp, 16 bytes.
        _frameInfo = GC.AllocateArray<byte>(FirstLayer + Wels.MAX_LAYER_NUM_OF_FRAME * _layerSize + 16, pinned: true);
        Check(Wels.WelsCreateSVCEncoder(out handle), nameof(Wels.WelsCreateSVCEncoder));
        try
        {
            SetOption(Wels.ENCODER_OPTION_TRACE_LEVEL, Wels.WELS_LOG_QUIET);
            var parameters = new SEncParamBase
            {
                iUsageType = Wels.CAMERA_VIDEO_REAL_TIME, iPicWidth = width, iPicHeight = height, iTargetBitrate = bitsPerSecond,
                iRCMode = Wels.RC_BITRATE_MODE, fMaxFrameRate = framesPerSecond,
            };
            Check(((delegate* unmanaged[Cdecl]<nint, SEncParamBase*, int>)Function(Wels.Initialize))(handle, &parameters), nameof(Wels.Initialize));
            SetOption(Wels.ENCODER_OPTION_IDR_INTERVAL, keyFrameInterval);
        }
        catch (InvalidOperationException)
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Whether libopenh264 loads here, and if not, what to install.</summary>
    public static bool IsAvailable(out string reason)
    {
        try
        {
            _ = NativeLibraries.OpenH264Version;
            reason = "";
            return true;
        }
        catch (DllNotFoundException e)
        {
            reason = e.Message;
            return false;
        }
    }

    /// <summary>Takes effect with the next frame.</summary>
    public void SetBitrate(int bitsPerSecond)
    {
        var bitrate = new SBitrateInfo { iLayer = Wels.SPATIAL_LAYER_ALL, iBitrate = bitsPerSecond };
        Check(
            ((delegate* unmanaged[Cdecl]<nint, int, void*, int>)Function(Wels.SetOption))(handle, Wels.ENCODER_OPTION_BITRATE, &bitrate), "SetOption bitrate");
    }

    /// <summary>For the rate control; takes effect with the next frame.</summary>
    public void SetFrameRate(float framesPerSecond) =>
        Check(
            ((delegate* unmanaged[Cdecl]<nint, int, void*, int>)Function(Wels.SetOption))(handle, Wels.ENCODER_OPTION_FRAME_RATE, &framesPerSecond),
            "SetOption frame rate");

    /// <summary>The next frame that is not skipped becomes an IDR.</summary>
    public void ForceKeyFrame() =>
        // The header for C leaves out the third argument of the C++ method, the layer; -1 is its default.
        Check(((delegate* unmanaged[Cdecl]<nint, byte, int, int>)Function(Wels.ForceIntraFrame))(handle, 1, -1), nameof(Wels.ForceIntraFrame));

    /// <summary>Encodes planes that stay fixed during the call.</summary>
    /// <returns>The access unit, valid until the next call; empty if the encoder skipped the frame to keep to its bitrate.</returns>
    public Span<byte> Encode(
        byte* luma, int lumaStride, byte* cb, int cbStride, byte* cr, int crStride, int width, int height, TimeSpan timestamp)
    {
        var picture = new SSourcePicture
        {
            iColorFormat = Wels.videoFormatI420, iPicWidth = width, iPicHeight = height, uiTimeStamp = (long)timestamp.TotalMilliseconds,
        };
        (&picture.pData)[0] = luma;
        (&picture.pData)[1] = cb;
        (&picture.pData)[2] = cr;
        picture.iStride[0] = lumaStride;
        picture.iStride[1] = cbStride;
        picture.iStride[2] = crStride;
        fixed (byte* info = _frameInfo)
        {
            Check(
                ((delegate* unmanaged[Cdecl]<nint, SSourcePicture*, byte*, int>)Function(Wels.EncodeFrame))(handle, &picture, info), nameof(Wels.EncodeFrame));
        }
        return Collect();
    }

    /// <summary>SPS and PPS as the stream will have them.</summary>
    public Span<byte> EncodeParameterSets()
    {
        fixed (byte* info = _frameInfo)
        {
            Check(
                ((delegate* unmanaged[Cdecl]<nint, byte*, int>)Function(Wels.EncodeParameterSets))(handle, info), nameof(Wels.EncodeParameterSets));
        }
        return Collect();
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        _ = ((delegate* unmanaged[Cdecl]<nint, int>)Function(Wels.Uninitialize))(handle);
        Wels.WelsDestroySVCEncoder(handle);
        return true;
    }

    private static void Check(int result, string function)
    {
        if (result != Wels.cmResultSuccess) throw new InvalidOperationException($"libopenh264 {function}: result {result}");
    }

    /// <summary>The object starts with the pointer to its function table.</summary>
    private void* Function(int place) => (*(void***)handle)[place];

    private void SetOption(int option, int value) =>
        Check(((delegate* unmanaged[Cdecl]<nint, int, void*, int>)Function(Wels.SetOption))(handle, option, &value), "SetOption");

    /// <summary>Puts the layers' NAL units, parameter sets first, one behind the other.</summary>
    private Span<byte> Collect()
    {
        var length = 0;
        fixed (byte* info = _frameInfo)
        {
            for (var i = 0; i < *(int*)info; i++)
            {
                var layer = (SLayerBSInfo*)(info + FirstLayer + i * _layerSize);
                var size = 0;
                for (var nal = 0; nal < layer->iNalCount; nal++) size += layer->pNalLengthInByte[nal];
                if (_output.Length < length + size) Array.Resize(ref _output, 2 * (length + size));
                new ReadOnlySpan<byte>(layer->pBsBuf, size).CopyTo(_output.AsSpan(length));
                length += size;
            }
        }
        return _output.AsSpan(0, length);
    }
}
