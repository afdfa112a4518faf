using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using Agent.Media;
using Microsoft.Extensions.Logging;

namespace Agent.Devices;

/// <summary>What a camera is doing, for the status and the metrics.</summary>
public sealed record CameraStatus(
    string Name, string Source, string? Encoder, bool IsProducing, string? Error, int Width, int Height, double FramesPerSecond,
    long BitrateBps, int TargetBitrateBps, string? ProfileLevelId, long FramesCaptured, long FramesEncoded, long FramesDropped,
    long KeyFrames, long Restarts);

/// <summary>
/// One camera from source to hub: a capture thread that reads, encodes or passes through, and publishes; reopens a failed source with
/// back-off. <see cref="Start"/> and <see cref="Dispose"/> are called once, the rest from any thread.
/// </summary>
public sealed partial class CameraPipeline : IDisposable
{
    /// <summary>First wait before a failed source is opened again; doubles up to <see cref="MaximumReopenDelay"/>.</summary>
    internal static readonly TimeSpan InitialReopenDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>A camera plugged back in is seen within this.</summary>
    internal static readonly TimeSpan MaximumReopenDelay = TimeSpan.FromSeconds(10);

    private const int BitsPerByte = 8;

    private const long NotDelivering = long.MinValue;

    private readonly Func<VideoSourceOptions, SourceDemand, IVideoSource> _openSource;
    private readonly Func<VideoEncoderOptions, VideoFormat, AccessUnitPool, Action<AccessUnit>, IVideoEncoder> _openEncoder;
    private readonly ILogger _log;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _stop = new();
    private readonly AccessUnitPool _pool = new();
    private readonly RateMeter _frames = new();
    private readonly RateMeter _bits = new();
    private readonly Action<AccessUnit> _publish;
    private Thread? _thread;

    // Written by the capture thread; the status reads each on its own.
    private volatile int _targetBitrate;
    private volatile string? _error;
    private volatile string _sourceDescription;
    private volatile string? _encoderName;
    private volatile int _width;
    private volatile int _height;
    private long _captured;
    private long _encoded;
    private long _dropped;
    private long _keyFrames;
    private long _restarts;
    private long _deliveringSince = NotDelivering;

    // The capture thread's own.
    private IVideoEncoder? _encoder;
    private VideoFormat _encoderFormat;
    private int _encoderBitrate;
    private long _encodedBeforeEncoder;
    private bool _isIdle;
    private bool _hasNotedMissingKeyFrames;
    private long _droppedByEarlierSources;
    private long _skippedByEarlierEncoders;

    public CameraPipeline(CameraOptions options, ILoggerFactory loggers)
        : this(options, loggers, new VideoSourceFactory().Open, VideoEncoderFactory.Open, TimeProvider.System)
    {
    }

    internal CameraPipeline(
        CameraOptions options, ILoggerFactory loggers, Func<VideoSourceOptions, SourceDemand, IVideoSource> openSource,
        Func<VideoEncoderOptions, VideoFormat, AccessUnitPool, Action<AccessUnit>, IVideoEncoder> openEncoder, TimeProvider clock)
    {
        Options = options;
        Hub = new FrameHub(options.Name, clock);
        _openSource = openSource;
        _openEncoder = openEncoder;
        _clock = clock;
        _log = loggers.CreateLogger<CameraPipeline>();
        _targetBitrate = options.Encoder.BitrateBps;
        _sourceDescription = options.Source.Kind.ToString().ToLowerInvariant();
        _publish = Publish;
    }

    public CameraOptions Options { get; }

    public FrameHub Hub { get; }

    /// <summary>Capture instant of the first frame since the source was opened; <c>null</c> while it is not delivering.</summary>
    public TimeSpan? DeliveringSince => Interlocked.Read(ref _deliveringSince) is var ticks and not NotDelivering ? new TimeSpan(ticks) : null;

    /// <summary>The camera's frames before they are encoded.</summary>
    public RawFrameTap Tap { get; } = new();

    public void Start()
    {
        _thread = new Thread(Run) { Name = $"camera {Options.Name}", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Changes the encoder's target at run time, in bit/s.</summary>
    public void SetBitrate(int bitsPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bitsPerSecond);
        _targetBitrate = bitsPerSecond;
    }

    public CameraStatus GetStatus()
    {
        var now = Pacer.Now(_clock);
        return new CameraStatus(
            Options.Name, _sourceDescription, _encoderName, Hub.IsProducing, _error, _width, _height, _frames.PerSecond(now),
            (long)_bits.PerSecond(now), _targetBitrate, Hub.ProfileLevelId, Interlocked.Read(ref _captured), Interlocked.Read(ref _encoded),
            Interlocked.Read(ref _dropped), Interlocked.Read(ref _keyFrames), Interlocked.Read(ref _restarts));
    }

    public void Dispose()
    {
        _stop.Cancel();
        _thread?.Join();
        _stop.Dispose();
    }

    private void Run()
    {
        var delay = InitialReopenDelay;
        while (!_stop.IsCancellationRequested)
        {
            var capturedBefore = _captured;
            try
            {
                using var source = _openSource(Options.Source, SourceDemand.Default with { Encoder = Options.Encoder });
                Capture(source);
            }
            catch (Exception e) when (e is VideoSourceException or VideoEncoderException)
            {
                // The same failure over and over is one line.
                if (_error != e.Message) LogFailed(Options.Name, e.Message);
                _error = e.Message;
            }
            CloseEncoder();
            Hub.NoteStopped();
            Interlocked.Exchange(ref _deliveringSince, NotDelivering);
            if (_stop.IsCancellationRequested) return;
            if (_captured > capturedBefore) delay = InitialReopenDelay;
            if (_stop.Token.WaitHandle.WaitOne(delay)) return;
            delay = TimeSpan.FromTicks(Math.Min(2 * delay.Ticks, MaximumReopenDelay.Ticks));
            Interlocked.Increment(ref _restarts);
        }
    }

    private void Capture(IVideoSource source)
    {
        _sourceDescription = source.Description;
        _hasNotedMissingKeyFrames = false;
        var isFirst = true;
        try
        {
            while (source.ReadFrame(_stop.Token) is { } frame)
            {
                if (isFirst) NoteDelivering(source, frame);
                isFirst = false;
                TakeFrame(source, frame);
                Interlocked.Exchange(
                    ref _dropped,
                    _droppedByEarlierSources + source.FramesDropped + _skippedByEarlierEncoders + (_encoder?.FramesSkipped ?? 0));
            }
        }
        finally
        {
            _droppedByEarlierSources += source.FramesDropped;
        }
    }

    private void NoteDelivering(IVideoSource source, CapturedFrame frame)
    {
        Interlocked.Exchange(ref _deliveringSince, frame.CapturedAt.Ticks);
        var format = frame.Format;
        LogDelivering(Options.Name, source.Description, format.PixelFormat, format.Width, format.Height, format.FramesPerSecond);
        _error = null;
    }

    private void TakeFrame(IVideoSource source, CapturedFrame frame)
    {
        Hub.NoteFrame();
        Interlocked.Increment(ref _captured);
        _frames.Add(frame.CapturedAt, 1);
        _width = frame.Format.Width;
        _height = frame.Format.Height;
        Tap.Offer(frame);
        if (frame.Format.PixelFormat == PixelFormat.H264) PassThrough(source, frame);
        else Encode(frame);
    }

    private void PassThrough(IVideoSource source, CapturedFrame frame)
    {
        using var lease = frame;
        _encoderName = "passthrough";
        if (Hub.TakeKeyFrameRequest(frame.CapturedAt) && !source.RequestKeyFrame() && !_hasNotedMissingKeyFrames)
        {
            LogKeyFrameNotPossible(Options.Name, source.Description);
            _hasNotedMissingKeyFrames = true;
        }
        var accessUnit = _pool.Create(frame.GetPlane(0), frame.CapturedAt);
        Publish(accessUnit);
        accessUnit.Release();
    }

    private void Encode(CapturedFrame frame)
    {
        if (_encoder is null || _encoderFormat != frame.Format) OpenEncoder(frame.Format);
        // Nobody watches: nothing is encoded, once the first picture has told the hub what the stream will be.
        if (Hub.SubscriberCount == 0 && _encoded > _encodedBeforeEncoder)
        {
            _isIdle = true;
            frame.Dispose();
            return;
        }
        var force = Hub.TakeKeyFrameRequest(frame.CapturedAt) | _isIdle;
        _isIdle = false;
        if (_encoderBitrate != _targetBitrate)
        {
            _encoderBitrate = _targetBitrate;
            _encoder!.SetBitrate(_encoderBitrate);
        }
        _encoder!.Encode(frame, force);
    }

    private void OpenEncoder(VideoFormat format)
    {
        CloseEncoder();
        _encoderBitrate = _targetBitrate;
        _encoder = _openEncoder(Options.Encoder with { BitrateBps = _encoderBitrate }, format, _pool, _publish);
        _encoderFormat = format;
        _encodedBeforeEncoder = _encoded;
        _encoderName = _encoder.Name;
        Hub.SetProfileLevelId(_encoder.ProfileLevelId);
        LogEncoder(Options.Name, _encoder.Name, format.Width, format.Height, _encoderBitrate, _encoder.ProfileLevelId);
    }

    private void CloseEncoder()
    {
        if (_encoder is null) return;
        _skippedByEarlierEncoders += _encoder.FramesSkipped;
        _encoder.Dispose();
        _encoder = null;
        _encoderName = null;
        _isIdle = false;
    }

    private void Publish(AccessUnit accessUnit)
    {
        Interlocked.Increment(ref _encoded);
        if (accessUnit.IsKeyFrame) Interlocked.Increment(ref _keyFrames);
        _bits.Add(accessUnit.CapturedAt, (long)accessUnit.Data.Length * BitsPerByte);
        Hub.Publish(accessUnit);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Camera {Camera}: {Source} delivers {PixelFormat} {Width}x{Height} at {FramesPerSecond:0.##} frames/s")]
    private partial void LogDelivering(string camera, string source, PixelFormat pixelFormat, int width, int height, double framesPerSecond);

    [LoggerMessage(Level = LogLevel.Information, Message = "Camera {Camera}: encoding with {Encoder}, {Width}x{Height}, {BitrateBps} bit/s, profile-level-id {ProfileLevelId}")]
    private partial void LogEncoder(string camera, string encoder, int width, int height, int bitrateBps, string profileLevelId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Camera {Camera}: {Error}; trying again")]
    private partial void LogFailed(string camera, string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "Camera {Camera}: {Source} cannot make keyframes on request; viewers wait for its next one")]
    private partial void LogKeyFrameNotPossible(string camera, string source);
}
