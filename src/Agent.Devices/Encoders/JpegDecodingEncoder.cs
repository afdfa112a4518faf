using Agent.Devices.Sources;

namespace Agent.Devices.Encoders;

/// <summary>Stands before an encoder of planar 4:2:0 pictures and decodes the JPEG pictures that a camera delivers.</summary>
internal sealed class JpegDecodingEncoder : IVideoEncoder
{
    /// <summary>One that the encoder reads, one that waits in its queue, one being decoded.</summary>
    private const int BufferCount = 3;

    private readonly IVideoEncoder _encoder;
    private readonly VideoFormat _format;
    private readonly JpegPictureDecoder _decoder;
    private readonly LentPicture[] _frames;
    private bool _isKeyFrameDue;
    private long _framesSkipped;
    private long _bytesDecoded;

    /// <param name="format">What the camera delivers: MJPG.</param>
    /// <param name="open">Opens the encoder for what becomes of it.</param>
    /// <exception cref="VideoEncoderException">libturbojpeg is not here, or the encoder refuses.</exception>
    public JpegDecodingEncoder(VideoFormat format, Func<VideoFormat, IVideoEncoder> open)
    {
        _format = format with { PixelFormat = PixelFormat.Yu12 };
        try
        {
            _decoder = new JpegPictureDecoder();
        }
        catch (DllNotFoundException e)
        {
            throw new VideoEncoderException($"the camera delivers MJPG: {e.Message}", e);
        }
        try
        {
            _encoder = open(_format);
        }
        catch (VideoEncoderException)
        {
            _decoder.Dispose();
            throw;
        }
        _frames = [.. Enumerable.Range(0, BufferCount).Select(_ => new LentPicture(_format, format.Width, format.Height))];
    }

    public string Name => _encoder.Name;

    public string ProfileLevelId => _encoder.ProfileLevelId;

    public long FramesSkipped => Interlocked.Read(ref _framesSkipped) + _encoder.FramesSkipped;

    public long BytesCopied => Interlocked.Read(ref _bytesDecoded) + _encoder.BytesCopied;

    public void Encode(CapturedFrame frame, bool forceKeyFrame)
    {
        using var lease = frame;
        _isKeyFrameDue |= forceKeyFrame;
        var free = Array.Find(_frames, static decoded => decoded.IsFree);
        if (free is null || !_decoder.TryDecode(frame.GetPlane(0), _format.Width, _format.Height, free.Buffer))
        {
            Interlocked.Increment(ref _framesSkipped);
            return;
        }
        Interlocked.Add(ref _bytesDecoded, free.Length);
        var force = _isKeyFrameDue;
        _isKeyFrameDue = false;
        _encoder.Encode(free.Lend(frame.CapturedAt), force);
    }

    public void SetBitrate(int bitsPerSecond) => _encoder.SetBitrate(bitsPerSecond);

    public void SetFrameDivisor(int divisor) => _encoder.SetFrameDivisor(divisor);

    public void Dispose()
    {
        _encoder.Dispose();
        _decoder.Dispose();
    }
}
