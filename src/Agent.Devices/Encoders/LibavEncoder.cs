using System.Globalization;
using Agent.Devices.Sources;
using Agent.Interop.LibAv;
using Agent.Media;

namespace Agent.Devices.Encoders;

/// <summary>H.264 by libx264 through libavcodec: one frame in, one access unit out, in the same call.</summary>
internal sealed class LibavEncoder : IVideoEncoder
{
    public const string EncoderName = "libx264";

    /// <summary>
    /// The fastest preset but one: the fastest leaves out deblocking and shows blocks at a doorbell's bitrates, the next slower ones no
    /// longer keep up with 720p30 on one core of a Raspberry Pi 4.
    /// </summary>
    private const string Preset = "superfast";

    /// <summary>
    /// Slices and slice threads off: one slice a picture, so that losing a packet costs one decoder decision. Frame threads would delay
    /// each picture by one frame per thread. Scene cuts off: only the interval and requests make IDRs, which cost a viewer most.
    /// </summary>
    private const string X264Parameters = "sliced-threads=0:slices=1:scenecut=0";

    /// <summary>Decoder buffer in milliseconds of the bitrate: an IDR can take at most this long to send at that rate.</summary>
    private const int BufferMilliseconds = 500;

    /// <summary>AVCOL_RANGE_MPEG, AVCOL_SPC_*, AVCOL_PRI_BT709, AVCOL_TRC_BT709 (libavutil/pixfmt.h, values of H.264 Annex E).</summary>
    private const int LimitedRange = 1;
    private const int Bt709 = 1;
    private const int Smpte170M = 6;

    private readonly LibAvCodecContext _codec;
    private readonly LibAvPacket _packet = new();
    private readonly EncoderInput _input;
    private readonly AccessUnitPool _pool;
    private readonly Action<AccessUnit> _output;
    private readonly int _maximumBitrate;
    private readonly bool _isConstrainedBaseline;
    private readonly Queue<TimeSpan> _captureTimes = new();
    private long _nextPts;
    private int _bitrate;
    private int _divisor = 1;

    /// <param name="options">Bitrate, profile, keyframe interval.</param>
    /// <param name="format">What the frames will be.</param>
    /// <param name="pool">Where access units come from.</param>
    /// <param name="output">Receives each access unit, on the thread that encodes.</param>
    /// <exception cref="VideoEncoderException">No such encoder here, or it refuses the settings.</exception>
    public LibavEncoder(VideoEncoderOptions options, VideoFormat format, AccessUnitPool pool, Action<AccessUnit> output)
    {
        _pool = pool;
        _output = output;
        _isConstrainedBaseline = options.Profile == H264Profile.ConstrainedBaseline;
        var level = H264Level.Require(format, options);
        _maximumBitrate = level.MaximumBitrate(options.Profile);
        var (profileName, profileBytes) = options.Profile switch
        {
            H264Profile.High => ("high", "6400"),
            H264Profile.Main => ("main", "4d40"),
            _ => ("baseline", "42e0"),
        };
        ProfileLevelId = profileBytes + level.LevelIdc.ToString("x2", CultureInfo.InvariantCulture);
        if (!LibAvLibrary.HasEncoder(EncoderName, out var reason)) throw new VideoEncoderException(reason);
        _input = new EncoderInput(format, takesNv12: true);
        _codec = LibAvCodecContext.CreateEncoder(EncoderName);
        try
        {
            _codec.SetOption("video_size", FormattableString.Invariant($"{format.Width}x{format.Height}"));
            _codec.SetOption("pixel_format", _input.PixelFormatName);
            _codec.SetOption("time_base", FormattableString.Invariant($"{format.FrameRateDenominator}/{format.FrameRateNumerator}"));
            _codec.SetOption("g", Math.Max(1, (long)(options.KeyFrameIntervalSeconds * format.FramesPerSecond)));
            _codec.SetOption("bf", 0);
            _codec.SetOption("threads", 1);
            _codec.SetOption("color_range", LimitedRange);
            _codec.SetOption("color_primaries", Bt709);
            _codec.SetOption("color_trc", Bt709);
            _codec.SetOption("colorspace", format.LumaCoefficients == LumaCoefficients.Bt709 ? Bt709 : Smpte170M);
            _codec.SetOption("preset", Preset);
            _codec.SetOption("tune", "zerolatency");
            _codec.SetOption("profile", profileName);
            _codec.SetOption("level", level.Text);
            _codec.SetOption("forced-idr", 1);
            _codec.SetOption("x264-params", X264Parameters);
            SetBitrate(options.BitrateBps);
            _codec.Open();
        }
        catch (LibAvException e)
        {
            Dispose();
            throw new VideoEncoderException(
                $"{EncoderName} refuses {format.Width}x{format.Height} {_input.PixelFormatName} at {options.BitrateBps} bit/s: {e.Message}", e);
        }
    }

    public string Name => EncoderName;

    public string ProfileLevelId { get; }

    public long FramesSkipped => 0;

    public long BytesCopied => _input.BytesCopied;

    public unsafe void Encode(CapturedFrame frame, bool forceKeyFrame)
    {
        using (frame)
        fixed (byte* plane0 = frame.GetPlane(0))
        fixed (byte* plane1 = frame.PlaneCount > 1 ? frame.GetPlane(1) : default)
        fixed (byte* plane2 = frame.PlaneCount > 2 ? frame.GetPlane(2) : default)
        {
            try
            {
                var picture = _input.Prepare(frame, plane0, plane1, plane2);
                picture.IsKeyFrameForced = forceKeyFrame;
                picture.Pts = _nextPts++;
                _captureTimes.Enqueue(frame.CapturedAt);
                _codec.Send(picture);
                while (_codec.TryReceive(_packet)) Emit();
            }
            catch (Exception e) when (e is LibAvException or DllNotFoundException)
            {
                throw new VideoEncoderException($"{EncoderName} has failed: {e.Message}", e);
            }
        }
    }

    public void SetBitrate(int bitsPerSecond)
    {
        // The SPS says the level, so the rate stays within it. libavcodec hands the three to x264_encoder_reconfig with the next frame.
        _bitrate = Math.Clamp(bitsPerSecond, 1, _maximumBitrate);
        // libavcodec has x264 believe in the rate that it was opened with: so many bits for a picture are more in a second of that.
        var rate = (long)_bitrate * _divisor;
        _codec.SetOption("b", rate);
        _codec.SetOption("maxrate", rate);
        _codec.SetOption("bufsize", (long)_bitrate * BufferMilliseconds / 1000);
    }

    public void SetFrameDivisor(int divisor)
    {
        _divisor = divisor;
        SetBitrate(_bitrate);
    }

    public void Dispose()
    {
        _codec.Dispose();
        _packet.Dispose();
        _input.Dispose();
    }

    private void Emit()
    {
        if (_isConstrainedBaseline && _packet.IsKeyFrame) ConstrainedBaseline.Mark(_packet.Data);
        var accessUnit = _pool.Create(_packet.Data, _captureTimes.Dequeue());
        _packet.Unreference();
        _output(accessUnit);
        accessUnit.Release();
    }
}
