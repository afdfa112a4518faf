using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using Agent.Media;
using Microsoft.Extensions.Logging;

namespace Agent.Devices;

/// <summary>
/// The part of a pipeline that has frames encoded: opens an encoder when the first frame of a format comes, and another when that fails,
/// while the source stays open. The capture thread's own, but for the counters.
/// </summary>
internal sealed partial class EncoderStage
{
    private readonly FrameHub _hub;
    private readonly EncoderLadder _ladder;
    private readonly StreamSwitch _stream;
    private readonly AccessUnitPool _pool;
    private readonly Action<AccessUnit> _output;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly string _label;
    private readonly bool _showsNotice;
    private readonly ReopenDelay _reopenDelay = new();
    private IVideoEncoder? _encoder;
    private VideoFormat _format;
    private FrameRateStep _frameRate = new(default);
    private int _bitrate;
    private long _framesGiven;
    private long _skippedByEarlier;
    private TimeSpan? _reopenAt;
    private bool _isIdle;
    private bool _isLogged;
    private string? _loggedRefusal;
    private volatile bool _hasOutput;
    private volatile string? _name;
    private volatile string? _error;
    private long _framesUnencoded;
    private long _failures;
    private long _bytesCopiedPerFrame;

    /// <param name="hub">Asks for keyframes, and knows whether anybody watches.</param>
    /// <param name="ladder">The encoders.</param>
    /// <param name="stream">Shows the notice while there is no encoder.</param>
    /// <param name="pool">Where access units come from.</param>
    /// <param name="output">Receives them, on the encoder's thread.</param>
    /// <param name="clock">Times the attempts at opening.</param>
    /// <param name="log">Where to report.</param>
    /// <param name="label">What is encoded, for the log; the camera's name by default.</param>
    /// <param name="showsNotice">Whether viewers are told when there is no encoder.</param>
    public EncoderStage(
        FrameHub hub, EncoderLadder ladder, StreamSwitch stream, AccessUnitPool pool, Action<AccessUnit> output, TimeProvider clock, ILogger log,
        string? label = null, bool showsNotice = true)
    {
        (_hub, _ladder, _stream, _pool, _clock, _log) = (hub, ladder, stream, pool, clock, log);
        (_label, _showsNotice) = (label ?? hub.Camera, showsNotice);
        _output = accessUnit =>
        {
            _hasOutput = true;
            output(accessUnit);
        };
    }

    /// <summary>Any thread: the open encoder.</summary>
    public string? Name => _name;

    /// <summary>Any thread: what keeps frames from being encoded.</summary>
    public string? Error => _error;

    /// <summary>Frames that no encoder took, or that an encoder left out.</summary>
    public long FramesSkipped => _framesUnencoded + _skippedByEarlier + (_encoder?.FramesSkipped ?? 0);

    /// <summary>Any thread: times that an encoder failed at work.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>Any thread: <see cref="IVideoEncoder.BytesCopied"/> over the open encoder's frames.</summary>
    public long BytesCopiedPerFrame => Interlocked.Read(ref _bytesCopiedPerFrame);

    /// <summary>Has a frame encoded, or drops it while no encoder works.</summary>
    /// <param name="frame">Taken over.</param>
    /// <param name="source">Where it comes from, for the log.</param>
    /// <param name="bitsPerSecond">Target from this frame on.</param>
    public void Take(CapturedFrame frame, string source, int bitsPerSecond)
    {
        var format = frame.Format;
        if (!IsOpenFor(format, source, bitsPerSecond))
        {
            frame.Dispose();
            _framesUnencoded++;
            return;
        }
        _hub.NoteFrame();
        if (!_isLogged && _hasOutput) LogOpened(source);
        // Nobody watches: nothing is encoded, once the first picture has told the hub what the stream will be.
        if (_hub.SubscriberCount == 0 && _hasOutput)
        {
            _isIdle = true;
            frame.Dispose();
            return;
        }
        if (_bitrate != bitsPerSecond)
        {
            _bitrate = bitsPerSecond;
            _encoder!.SetBitrate(bitsPerSecond);
        }
        if (_frameRate.Update(bitsPerSecond, _hub.BitrateCeiling, frame.CapturedAt)) _encoder!.SetFrameDivisor(_frameRate.Divisor);
        if (!_frameRate.Takes(frame.CapturedAt))
        {
            frame.Dispose();
            return;
        }
        var force = _stream.TakeKeyFrameRequest(frame.CapturedAt) | _isIdle | IsKeyFrameOverdue(frame.CapturedAt);
        _isIdle = false;
        try
        {
            _encoder!.Encode(frame, force);
        }
        catch (VideoEncoderException e)
        {
            Fail(e.Message, format);
            return;
        }
        Interlocked.Exchange(ref _bytesCopiedPerFrame, _encoder.BytesCopied / ++_framesGiven);
        if (!_isLogged && _hasOutput) LogOpened(source);
    }

    /// <summary>Closes the encoder, which gives its frames back: to be called before their source is disposed.</summary>
    public void Close()
    {
        if (_encoder is null) return;
        var encoder = _encoder;
        _skippedByEarlier += encoder.FramesSkipped;
        _encoder = null;
        _name = null;
        _isIdle = false;
        encoder.Dispose();
    }

    /// <summary>The source is opened anew: what went wrong with the encoders is forgotten.</summary>
    public void StartOver()
    {
        _ladder.StartOver();
        _reopenAt = null;
        _reopenDelay.Reset();
    }

    private bool IsOpenFor(VideoFormat format, string source, int bitsPerSecond)
    {
        if (_encoder is not null && _format == format) return true;
        Close();
        var now = Pacer.Now(_clock);
        if (now < _reopenAt) return false;
        _stream.Interrupt();
        _hasOutput = false;
        try
        {
            _encoder = _ladder.Open(source, format, bitsPerSecond, _pool, _output, NoteRefusal);
        }
        catch (VideoEncoderException e)
        {
            Postpone(e.Message, now, format);
            return false;
        }
        (_format, _bitrate, _framesGiven, _isLogged) = (format, bitsPerSecond, 0, false);
        _frameRate = new FrameRateStep(format);
        _name = _encoder.Name;
        _error = null;
        _hub.SetProfileLevelId(_encoder.ProfileLevelId);
        return true;
    }

    /// <summary>Encoders count frames from one IDR to the next, and fewer come now.</summary>
    private bool IsKeyFrameOverdue(TimeSpan now) => _frameRate.Divisor > 1 && now - _hub.LastKeyFrameAt >= _ladder.KeyFrameInterval;

    private void Fail(string message, VideoFormat format)
    {
        Interlocked.Increment(ref _failures);
        Close();
        var now = Pacer.Now(_clock);
        switch (_ladder.NoteFailure(now, message))
        {
            case EncoderFailureOutcome.TryAgain:
                _reopenDelay.Reset();
                LogFailed(_label, message);
                break;
            case EncoderFailureOutcome.SteppedDown:
                NoteRefusal(message);
                break;
            default:
                Postpone(message, now, format);
                break;
        }
    }

    /// <summary>Nothing can be encoded for a while: viewers are told, and the same failure over and over is one line.</summary>
    private void Postpone(string message, TimeSpan now, VideoFormat format)
    {
        if (_error != message) LogFailed(_label, message);
        _error = message;
        _reopenAt = now + _reopenDelay.Next();
        _hub.NoteStopped();
        if (_showsNotice) _stream.ShowNotice("encoder failed", format);
    }

    private void NoteRefusal(string message)
    {
        if (_loggedRefusal == message) return;
        _loggedRefusal = message;
        LogSteppedDown(_label, message);
    }

    /// <summary>Not before the first picture has come out: only then is known whether frames are copied.</summary>
    private void LogOpened(string source)
    {
        _isLogged = true;
        LogEncoding(
            _label, source, StreamText.Of(_format), _encoder!.Name, _encoder.BytesCopied == 0 ? "zero copy" : "copied by the CPU", _bitrate,
            _encoder.ProfileLevelId, _ladder.PassedOver is [] ? "" : "; passed over: " + string.Join(", ", _ladder.PassedOver));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Camera {Camera}: {Source} {Format} → {Encoder}, {Copying}, {BitrateBps} bit/s, profile-level-id {ProfileLevelId}{PassedOver}")]
    private partial void LogEncoding(string camera, string source, string format, string encoder, string copying, int bitrateBps, string profileLevelId, string passedOver);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Camera {Camera}: {Error}; trying again")]
    private partial void LogFailed(string camera, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Camera {Camera}: {Error}; the next encoder takes over until the camera is opened anew")]
    private partial void LogSteppedDown(string camera, string error);
}
