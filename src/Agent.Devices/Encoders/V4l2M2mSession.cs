using Agent.Devices.Sources;
using Agent.Interop.V4l2;
using Agent.Media;
using static Agent.Interop.V4l2.V4l2Errno;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Encoders;

/// <summary>
/// One instance of a V4L2 stateful encoder, by the kernel document "Memory-to-Memory Stateful Video Encoder Interface": set up when it is made,
/// fed, emptied and drained by one thread. The counters and texts may be read by any.
/// </summary>
internal sealed partial class V4l2M2mSession : IDisposable
{
    /// <summary>
    /// Coded buffers beside those that the driver keeps for itself: one being filled, one being read here, two for a thread that is late.
    /// </summary>
    private const int SpareCodedBuffers = 4;

    /// <summary>Frames that may be inside at once, waiting included: one being encoded while the next one waits, so that the encoder never idles.</summary>
    private const int LeastFramesInside = 2;

    /// <summary>An encoder may hold frames back before the first picture, but none holds back this many.</summary>
    private const int MostFramesWithoutPicture = 30;

    private readonly V4l2M2mDevice _target;
    private readonly V4l2Device _device;
    private readonly V4l2M2mControls _controls;
    private readonly V4l2M2mInput _input;
    private readonly V4l2M2mQueue _coded;
    private readonly V4l2M2mStream? _stream;
    private readonly V4l2M2mCaptureTimes _captureTimes;
    private readonly AccessUnitPool _pool;
    private readonly Action<AccessUnit> _output;
    private readonly H264Level _level;
    private readonly H264Profile _profile;
    private readonly int _codedBufferCount;
    private bool _isImportProven;
    private bool _isKeyFrameDue;
    private bool _isDraining;
    private int _bitrate;
    private int _framesSincePicture;
    private volatile string _profileLevelId;
    private volatile string? _copyReason;
    private long _framesLost;
    private long _progress;

    /// <param name="device">The encoder, open.</param>
    /// <param name="target">What is known of it.</param>
    /// <param name="options">Bitrate, profile, keyframe interval.</param>
    /// <param name="format">What the frames will be.</param>
    /// <param name="pool">Where access units come from.</param>
    /// <param name="output">Receives each access unit, on the thread that calls <see cref="Collect"/>.</param>
    /// <param name="codedFourCc">V4L2_PIX_FMT_H264, or another whose buffers are access units as they are.</param>
    /// <exception cref="VideoEncoderException">It refuses.</exception>
    public V4l2M2mSession(
        V4l2Device device, V4l2M2mDevice target, VideoEncoderOptions options, VideoFormat format, AccessUnitPool pool, Action<AccessUnit> output,
        uint codedFourCc)
    {
        (_device, _target, _pool, _output, _profile) = (device, target, pool, output, options.Profile);
        _level = H264Level.Require(format, options);
        var errno = V4l2Enumeration.TryQueryCapability(device, out var capability);
        if (errno != 0) throw V4l2M2mFailure.Calling(target, "VIDIOC_QUERYCAP", errno);
        _controls = new V4l2M2mControls(device);
        _input = new V4l2M2mInput(device, target, capability, format, codedFourCc);
        _coded = new V4l2M2mQueue(device, capability.CaptureType);
        try
        {
            _bitrate = Math.Min(options.BitrateBps, _level.MaximumBitrate(options.Profile));
            _controls.SetUp(options with { BitrateBps = _bitrate }, _level, format.FramesPerSecond);
            _profileLevelId = _controls.ReadProfileLevelId(options, _level);
            MissingControls = string.Join(", ", _controls.Missing());
            if (codedFourCc == V4L2_PIX_FMT_H264) _stream = new V4l2M2mStream(options.Profile == H264Profile.ConstrainedBaseline);
            MostFramesInside = Math.Max(LeastFramesInside, _controls.Get(V4L2_CID_MIN_BUFFERS_FOR_OUTPUT) ?? 0);
            _captureTimes = new V4l2M2mCaptureTimes(MostFramesInside + MostFramesWithoutPicture);
            _codedBufferCount = Math.Max(1, _controls.Get(V4L2_CID_MIN_BUFFERS_FOR_CAPTURE) ?? 0) + SpareCodedBuffers;
            SubscribeToEnd();
            StartCoded();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>How many frames the encoder is given before it has given one back.</summary>
    public int MostFramesInside { get; }

    /// <summary>Names of the important controls that the driver lacks, for the log.</summary>
    public string MissingControls { get; }

    /// <summary>From the last SPS; before the first, what the controls say.</summary>
    public string ProfileLevelId => _profileLevelId;

    /// <summary>Why frames are copied; <c>null</c> while they are not, or none has come.</summary>
    public string? CopyReason => _copyReason;

    /// <summary>Frames that became no picture: damaged before or by the encoder, or inside when it was stopped.</summary>
    public long FramesLost => Volatile.Read(ref _framesLost);

    public long BytesCopied => _input.BytesCopied;

    /// <summary>Rises whenever the encoder has finished with a frame or a picture.</summary>
    public long Progress => Volatile.Read(ref _progress);

    /// <summary>Whether the last picture of a drained encoder has come.</summary>
    public bool IsDrained { get; private set; }

    /// <summary>Whether the first frame has gone in.</summary>
    public bool HasBegun => _input.IsStreaming;

    /// <summary>Puts one frame in, which is taken over; false if it is left out, because it is damaged.</summary>
    /// <exception cref="VideoEncoderException">The encoder has failed.</exception>
    public bool Submit(CapturedFrame frame, bool forceKeyFrame, int bitsPerSecond, int frameDivisor)
    {
        var isTaken = false;
        try
        {
            _isKeyFrameDue |= forceKeyFrame;
            if (!HasBegun) Begin(frame);
            SetBitrate(bitsPerSecond);
            _input.SetFrameDivisor(frameDivisor);
            if (_isKeyFrameDue) _ = _controls.TrySet(V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME, 1);
            if (_framesSincePicture == MostFramesWithoutPicture)
                throw V4l2M2mFailure.Of(_target, $"has made no picture of the last {MostFramesWithoutPicture} frames; it is reopened by itself");
            var capturedAt = frame.CapturedAt;
            var timestamp = V4l2M2mCaptureTimes.Microseconds(capturedAt);
            var errno = _input.Queue(frame, timestamp);
            if (errno is not null and not 0 && _input.IsImporting && !_isImportProven)
            {
                // Memory that its hardware cannot reach (EFAULT), a length or an offset that it does not like (EINVAL) …
                StartInput($"it does not take the source's buffers (VIDIOC_QBUF: {V4l2Device.ErrorText(errno.Value)})");
                errno = _input.Queue(frame, timestamp);
            }
            if (errno is not null and not 0) throw V4l2M2mFailure.Calling(_target, "VIDIOC_QBUF", errno.Value);
            isTaken = errno == 0;
            if (isTaken)
            {
                _captureTimes.Add(capturedAt);
                _framesSincePicture++;
                (_isImportProven, _isKeyFrameDue) = (true, false);
            }
            else
            {
                _framesLost++;
            }
            return isTaken;
        }
        finally
        {
            if (!isTaken) frame.Dispose();
        }
    }

    /// <summary>Takes everything that the encoder has finished, without waiting: gives frames back and pictures on.</summary>
    /// <returns>How many frames it gave back.</returns>
    /// <exception cref="VideoEncoderException">The encoder has failed.</exception>
    public int Collect()
    {
        var frames = 0;
        int errno;
        while (_input.IsStreaming && (errno = _input.Dequeue(out var isDamaged)) != EAGAIN)
        {
            if (errno != 0) throw V4l2M2mFailure.Calling(_target, "VIDIOC_DQBUF", errno);
            frames++;
            _progress++;
            // Damaged frames are counted with their pictures.
            _isKeyFrameDue |= isDamaged;
        }
        // Before the pictures: the driver announces the end when the last of them is there.
        var hasEnded = TakeEndEvent();
        while (!IsDrained && (errno = _coded.Dequeue(out var buffer)) != EAGAIN)
        {
            if (errno == EPIPE && _isDraining) IsDrained = true;
            else if (errno != 0) throw V4l2M2mFailure.Calling(_target, "VIDIOC_DQBUF", errno);
            else TakePicture(buffer);
        }
        IsDrained |= hasEnded && _isDraining;
        return frames;
    }

    /// <summary>Asks for the pictures of all frames that are in (V4L2_ENC_CMD_STOP); false if there are none or it cannot.</summary>
    public bool BeginDrain()
    {
        if (!HasBegun || _captureTimes.Count == 0) return false;
        _isDraining = true;
        var command = new v4l2_encoder_cmd { cmd = V4L2_ENC_CMD_STOP };
        return _device.Ioctl(VIDIOC_ENCODER_CMD, ref command) == 0;
    }

    /// <summary>Gives back every frame that the encoder still holds, though it may still read them. Any thread.</summary>
    public void ReturnFrames() => _input.ReturnFrames();

    /// <summary>Stops the encoder and gives every frame back. The device remains open.</summary>
    public void Dispose()
    {
        _input.Dispose();
        _coded.Release();
        _framesLost += _captureTimes?.Clear() ?? 0;
    }

    /// <summary>Decides, by the first frame, whether frames can be read where they lie.</summary>
    private void Begin(CapturedFrame frame)
    {
        var reason = _input.FindCopyReason(frame);
        if (reason is not null && frame.DmabufCount > 0)
        {
            // Perhaps it only was not asked for the frame's own line length and planes. The format is fixed while there are buffers.
            _coded.Release();
            if (_input.TryFollow(frame)) reason = _input.FindCopyReason(frame);
            StartCoded();
        }
        StartInput(reason);
    }

    private void StartInput(string? copyReason)
    {
        var errno = _input.Start(import: copyReason is null, MostFramesInside);
        if (errno != 0 && copyReason is null)
        {
            copyReason = $"it imports no DMABUFs (VIDIOC_REQBUFS: {V4l2Device.ErrorText(errno)})";
            errno = _input.Start(import: false, MostFramesInside);
        }
        if (errno != 0) throw V4l2M2mFailure.Calling(_target, "VIDIOC_REQBUFS or VIDIOC_STREAMON of raw frames", errno);
        _copyReason = copyReason;
    }

    private void StartCoded()
    {
        var errno = _coded.Request(_codedBufferCount, V4L2_MEMORY_MMAP, memoryPlanes: 1);
        for (var i = 0; errno == 0 && i < _coded.Count; i++) errno = _coded.Queue(i);
        if (errno == 0) errno = _coded.Start();
        if (errno != 0) throw V4l2M2mFailure.Calling(_target, "VIDIOC_REQBUFS, VIDIOC_QBUF or VIDIOC_STREAMON of coded pictures", errno);
    }

    private void SetBitrate(int bitsPerSecond)
    {
        // The SPS says the level, so the rate stays within it.
        var bitrate = Math.Clamp(bitsPerSecond, 1, _level.MaximumBitrate(_profile));
        if (bitrate == _bitrate) return;
        _bitrate = bitrate;
        _controls.SetBitrate(bitrate);
    }

    private void TakePicture(in V4l2M2mBuffer buffer)
    {
        _progress++;
        if (buffer.Has(V4L2_BUF_FLAG_ERROR))
        {
            _ = _captureTimes.Take(buffer.Timestamp);
            _framesSincePicture = 0;
            _framesLost++;
            _isKeyFrameDue = true;
        }
        else if (buffer.BytesUsed > buffer.DataOffset)
        {
            Emit(buffer);
        }
        if (_isDraining && buffer.Has(V4L2_BUF_FLAG_LAST))
        {
            IsDrained = true;
            return;
        }
        var errno = _coded.Queue(buffer.Index);
        if (errno != 0) throw V4l2M2mFailure.Calling(_target, "VIDIOC_QBUF", errno);
    }

    private void Emit(in V4l2M2mBuffer buffer)
    {
        var coded = _coded.GetMemory(buffer.Index, 0)[(int)buffer.DataOffset..(int)buffer.BytesUsed];
        ReadOnlySpan<byte> bytes = coded;
        if (_stream is not null && !_stream.TryComplete(coded, out bytes)) return;
        _framesSincePicture = 0;
        if (_stream?.ProfileLevelId is { } profileLevelId) _profileLevelId = profileLevelId;
        var accessUnit = _pool.Create(bytes, _captureTimes.Take(buffer.Timestamp));
        _output(accessUnit);
        accessUnit.Release();
    }

    private void SubscribeToEnd()
    {
        var subscription = new v4l2_event_subscription { type = V4L2_EVENT_EOS };
        // Drivers without it say V4L2_BUF_FLAG_LAST or EPIPE.
        _ = _device.Ioctl(VIDIOC_SUBSCRIBE_EVENT, ref subscription);
    }

    private bool TakeEndEvent()
    {
        var hasEnded = false;
        var taken = default(v4l2_event);
        while (_device.Ioctl(VIDIOC_DQEVENT, ref taken) == 0) hasEnded |= taken.type == V4L2_EVENT_EOS;
        return hasEnded;
    }
}
