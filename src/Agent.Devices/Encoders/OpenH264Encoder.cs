using Agent.Devices.Sources;
using Agent.Interop.LibAv;
using Agent.Interop.OpenH264;
using Agent.Media;

namespace Agent.Devices.Encoders;

/// <summary>
/// H.264 by libopenh264, where libx264 is absent. It has one profile, Constrained Baseline, and does without libav for planar 4:2:0 frames.
/// It is called itself because libavcodec's wrapper cannot change its bitrate while it runs. It chooses its level, and makes IDRs of its own
/// where the scene changes.
/// </summary>
internal sealed unsafe class OpenH264Encoder : IVideoEncoder
{
    public const string EncoderName = "libopenh264";

    private readonly VideoFormat _format;
    private readonly AccessUnitPool _pool;
    private readonly Action<AccessUnit> _output;
    private readonly OpenH264Codec _codec;
    private readonly EncoderInput? _input;
    private readonly int _maximumBitrate;
    private bool _isKeyFrameDue;
    private long _skippedByCodec;

    /// <exception cref="VideoEncoderException">libopenh264 is not here, or it refuses the settings.</exception>
    public OpenH264Encoder(VideoEncoderOptions options, VideoFormat format, AccessUnitPool pool, Action<AccessUnit> output)
    {
        _format = format;
        _pool = pool;
        _output = output;
        if (options.Profile != H264Profile.ConstrainedBaseline)
            throw new VideoEncoderException($"{EncoderName} has no {options.Profile} profile: choose {H264Profile.ConstrainedBaseline}");
        _maximumBitrate = H264Level.Require(format, options).MaximumBitrate(options.Profile);
        if (!OpenH264Codec.IsAvailable(out var reason)) throw new VideoEncoderException(reason);
        try
        {
            if (format.PixelFormat != PixelFormat.Yu12) _input = new EncoderInput(format, takesNv12: false);
            _codec = new OpenH264Codec(
                format.Width, format.Height, (float)format.FramesPerSecond, options.BitrateBps,
                Math.Max(1, (int)(options.KeyFrameIntervalSeconds * format.FramesPerSecond)));
        }
        catch (Exception e) when (e is InvalidOperationException or LibAvException or DllNotFoundException)
        {
            _input?.Dispose();
            throw new VideoEncoderException($"{EncoderName} cannot encode {format.PixelFormat} {format.Width}x{format.Height}: {e.Message}", e);
        }
        ProfileLevelId = ReadProfile();
    }

    public string Name => EncoderName;

    public string ProfileLevelId { get; }

    public long FramesSkipped => _skippedByCodec;

    public long BytesCopied => _input?.BytesCopied ?? 0;

    public void Encode(CapturedFrame frame, bool forceKeyFrame)
    {
        // A skipped frame leaves the request standing.
        if (forceKeyFrame) _isKeyFrameDue = true;
        if (_isKeyFrameDue) _codec.ForceKeyFrame();
        using (frame)
        fixed (byte* plane0 = frame.GetPlane(0))
        fixed (byte* plane1 = frame.PlaneCount > 1 ? frame.GetPlane(1) : default)
        fixed (byte* plane2 = frame.PlaneCount > 2 ? frame.GetPlane(2) : default)
        {
            if (_input is null)
            {
                Emit(
                    _codec.Encode(
                        plane0, frame.GetBytesPerLine(0), plane1, frame.GetBytesPerLine(1), plane2, frame.GetBytesPerLine(2),
                        _format.Width, _format.Height, frame.CapturedAt),
                    frame.CapturedAt);
                return;
            }
            var picture = _input.Prepare(frame, plane0, plane1, plane2);
            fixed (byte* luma = picture.GetPlane(0, _format.Height))
            fixed (byte* cb = picture.GetPlane(1, _format.Height / 2))
            fixed (byte* cr = picture.GetPlane(2, _format.Height / 2))
            {
                Emit(
                    _codec.Encode(
                        luma, picture.GetBytesPerLine(0), cb, picture.GetBytesPerLine(1), cr, picture.GetBytesPerLine(2),
                        _format.Width, _format.Height, frame.CapturedAt),
                    frame.CapturedAt);
            }
        }
    }

    /// <summary>libopenh264 refuses what is beyond every level.</summary>
    public void SetBitrate(int bitsPerSecond) => _codec.SetBitrate(Math.Clamp(bitsPerSecond, 1, _maximumBitrate));

    public void SetFrameDivisor(int divisor) => _codec.SetFrameRate((float)(_format.FramesPerSecond / divisor));

    public void Dispose()
    {
        _codec.Dispose();
        _input?.Dispose();
    }

    private void Emit(Span<byte> bytes, TimeSpan capturedAt)
    {
        if (bytes.IsEmpty)
        {
            _skippedByCodec++;
            return;
        }
        ConstrainedBaseline.Mark(bytes);
        var accessUnit = _pool.Create(bytes, capturedAt);
        if (accessUnit.IsKeyFrame) _isKeyFrameDue = false;
        _output(accessUnit);
        accessUnit.Release();
    }

    private string ReadProfile()
    {
        var sets = _codec.EncodeParameterSets();
        ConstrainedBaseline.Mark(sets);
        var position = 0;
        while (NalUnit.TryFindNext(sets, ref position, out var range))
        {
            if (SpsReader.TryRead(sets[range], out var sps)) return sps.ProfileLevelId;
        }
        Dispose();
        throw new VideoEncoderException($"{EncoderName} made no sequence parameter set");
    }
}
