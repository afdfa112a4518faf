using System.Diagnostics;
using Agent.Devices.Sources;
using Agent.Interop.LibAv;
using Agent.Interop.Libc;
using Agent.Interop.V4l2;
using Agent.Media;
using Microsoft.Extensions.Logging;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Encoders;

/// <summary>
/// H.264 by a V4L2 stateful memory-to-memory encoder, such as the Raspberry Pi's bcm2835-codec. A thread of its own feeds and empties it; frames
/// that lie in DMABUFs it can read go in without being touched. A frame for which the encoder has no room is left out and counted.
/// </summary>
internal sealed partial class V4l2M2mEncoder : IVideoEncoder
{
    /// <summary>An encoder that finishes nothing for this long while frames wait has stalled.</summary>
    private const int StallMilliseconds = 1000;

    /// <summary>The last pictures come within this, or are not waited for.</summary>
    private const int DrainMilliseconds = 500;

    /// <summary>Stopping hardware may wait for the frame that it is at; a driver that takes longer hangs.</summary>
    private const int StopMilliseconds = 2000;

    private readonly V4l2M2mDevice _target;
    private readonly V4l2Device _device;
    private readonly V4l2M2mSession _session;
    private readonly V4l2M2mHandover _handover;
    private readonly Action<AccessUnit> _output;
    private readonly ILogger _log;
    private readonly Thread _thread;
    private volatile string? _failure;
    private volatile bool _isStopping;
    private volatile bool _isAbandoned;
    private volatile int _bitrate;
    private volatile int _divisor = 1;

    // The capture thread's own.
    private bool _isKeyFrameDue;
    private bool _isDisposed;
    private long _skipped;
    private long _skippingSince;
    private long _progressAtSkip = -1;

    /// <summary>Opens the encoder; its first frame decides whether frames are copied.</summary>
    /// <param name="options">Bitrate, profile, keyframe interval.</param>
    /// <param name="format">What the frames will be.</param>
    /// <param name="pool">Where access units come from.</param>
    /// <param name="output">Receives each access unit, on the encoder's thread.</param>
    /// <param name="target">One of <see cref="V4l2M2mDevices.Find()"/>.</param>
    /// <param name="log">Is told how frames go in, and what the driver lacks.</param>
    /// <exception cref="VideoEncoderException">It is gone, busy, or refuses the settings.</exception>
    public V4l2M2mEncoder(
        VideoEncoderOptions options, VideoFormat format, AccessUnitPool pool, Action<AccessUnit> output, V4l2M2mDevice target, ILogger log)
        : this(options, format, pool, output, target, log, V4L2_PIX_FMT_H264)
    {
    }

    /// <summary>The same for any coded format; only of H.264 are the parameter sets looked after.</summary>
    internal V4l2M2mEncoder(
        VideoEncoderOptions options, VideoFormat format, AccessUnitPool pool, Action<AccessUnit> output, V4l2M2mDevice target, ILogger log,
        uint codedFourCc)
    {
        (_target, _output, _log) = (target, output, log);
        _bitrate = options.BitrateBps;
        _device = V4l2Device.TryOpen(target.Path, out var errno) ?? throw V4l2M2mFailure.Opening(target, errno);
        try
        {
            _session = new V4l2M2mSession(_device, target, options, format, pool, Publish, codedFourCc);
        }
        catch (Exception e)
        {
            _device.Dispose();
            if (e is LibAvException or DllNotFoundException)
                throw new VideoEncoderException($"encoder {target.Path} ({target.Card}): {format.PixelFormat} cannot be converted for it: {e.Message}", e);
            throw;
        }
        if (_session.MissingControls.Length > 0) LogMissingControls(Name, _session.MissingControls);
        _handover = new V4l2M2mHandover(_session.MostFramesInside);
        _thread = new Thread(Run) { Name = $"encoder {target.Path}", IsBackground = true };
        _thread.Start();
    }

    public string Name => $"v4l2m2m {_target.Path} ({_target.Card})";

    public string ProfileLevelId => _session.ProfileLevelId;

    public long FramesSkipped => Volatile.Read(ref _skipped) + _session.FramesLost;

    /// <summary>Of <see cref="FramesSkipped"/>, those that there was room for: damaged before or by the encoder, or inside when it was stopped.</summary>
    public long FramesLost => _session.FramesLost;

    public long BytesCopied => _session.BytesCopied;

    /// <summary>Why frames are copied; <c>null</c> while they are read where they lie, or none has come.</summary>
    public string? CopyReason => _session.CopyReason;

    public void Encode(CapturedFrame frame, bool forceKeyFrame)
    {
        _isKeyFrameDue |= forceKeyFrame;
        if (_failure is null && _handover.TryOffer(frame, _isKeyFrameDue))
        {
            _isKeyFrameDue = false;
            _progressAtSkip = -1;
            _device.Wake();
            return;
        }
        frame.Dispose();
        _skipped++;
        CheckStall();
        if (_failure is { } failure) throw new VideoEncoderException(failure);
    }

    public void SetBitrate(int bitsPerSecond) => _bitrate = bitsPerSecond;

    public void SetFrameDivisor(int divisor) => _divisor = divisor;

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _isStopping = true;
        _device.Wake();
        if (_thread.Join(DrainMilliseconds + StopMilliseconds))
        {
            _device.Dispose();
            return;
        }
        // The driver does not come back. Its thread keeps the device, but neither frames nor viewers wait for it.
        _isAbandoned = true;
        _handover.Close();
        _session.ReturnFrames();
        LogHangs(Name);
    }

    /// <summary>Frames keep coming, and the encoder has finished none: it will not.</summary>
    private void CheckStall()
    {
        var progress = _session.Progress;
        if (progress != _progressAtSkip)
        {
            (_progressAtSkip, _skippingSince) = (progress, Stopwatch.GetTimestamp());
            return;
        }
        if (Stopwatch.GetElapsedTime(_skippingSince) < TimeSpan.FromMilliseconds(StallMilliseconds)) return;
        _failure ??= V4l2M2mFailure.Of(
            _target, $"has finished nothing for {StallMilliseconds} ms; it is reopened by itself").Message;
    }

    private void Run()
    {
        try
        {
            while (!_isStopping)
            {
                WaitAndCollect(Timeout.InfiniteTimeSpan);
                while (_handover.TryTake(out var frame, out var forceKeyFrame)) Submit(frame!, forceKeyFrame);
            }
            if (_failure is null && _session.BeginDrain()) Drain();
        }
        catch (Exception e) when (e is VideoEncoderException or LibcException or LibAvException)
        {
            _failure ??= e.Message;
        }
        finally
        {
            _handover.Close();
            _session.Dispose();
        }
    }

    private void Submit(CapturedFrame frame, bool forceKeyFrame)
    {
        var isFirst = !_session.HasBegun;
        if (!_session.Submit(frame, forceKeyFrame, _bitrate, _divisor)) _handover.Finish(1);
        if (!isFirst || !_session.HasBegun) return;
        if (_session.CopyReason is { } reason) LogCopies(Name, reason);
        else LogReadsInPlace(Name);
    }

    private void WaitAndCollect(TimeSpan timeout)
    {
        var result = _device.WaitForCodec(timeout);
        // Also on POLLERR: the errno of VIDIOC_DQBUF tells more.
        _handover.Finish(_session.Collect());
        if (result == V4l2WaitResult.Failed) throw V4l2M2mFailure.Of(_target, "has stopped (poll: POLLERR); it is reopened by itself");
    }

    private void Drain()
    {
        var started = Stopwatch.GetTimestamp();
        while (!_session.IsDrained)
        {
            var remaining = TimeSpan.FromMilliseconds(DrainMilliseconds) - Stopwatch.GetElapsedTime(started);
            if (remaining <= TimeSpan.Zero) return;
            WaitAndCollect(remaining);
        }
    }

    /// <summary>Nothing comes out after <see cref="Dispose"/>, even where the driver wakes up later.</summary>
    private void Publish(AccessUnit accessUnit)
    {
        if (!_isAbandoned) _output(accessUnit);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Encoder {Encoder}: reads frames where they lie (DMABUF)")]
    private partial void LogReadsInPlace(string encoder);

    [LoggerMessage(Level = LogLevel.Information, Message = "Encoder {Encoder}: frames are copied for it, because {Reason}")]
    private partial void LogCopies(string encoder, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Encoder {Encoder}: its driver has no control for {Controls}")]
    private partial void LogMissingControls(string encoder, string controls);

    [LoggerMessage(Level = LogLevel.Error, Message = "Encoder {Encoder}: its driver does not stop; its thread is left behind")]
    private partial void LogHangs(string encoder);
}
