using Agent.Devices.Encoders;
using Agent.Devices.Probe;
using Agent.Devices.Sources;
using Agent.Media;
using Microsoft.Extensions.Logging;

namespace Agent.Devices;

/// <summary>
/// One camera from source to hub: a capture thread that reads, encodes or passes through, and publishes; reopens a failed source with
/// back-off, while viewers see a notice; closes the source for privacy. <see cref="Start"/> and <see cref="Dispose"/> are called once, the rest from any thread.
/// </summary>
public sealed partial class CameraPipeline : IDisposable
{
    /// <summary>The longest that opening a source or a call of its may take, beyond any time-out of its own.</summary>
    internal static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(20);

    /// <summary>The same in frames, for slow cameras: twice what the sources wait before they call it a stall.</summary>
    private const int LongestCallFrames = 60;

    private const int BitsPerByte = 8;
    /// <summary>A source's own bitrate varies.</summary>
    private const double OwnBitrateMargin = 1.25;

    private const long NotDelivering = long.MinValue;

    private readonly Func<VideoSourceOptions, SourceDemand, IVideoSource> _openSource;
    private readonly ILogger _log;
    private readonly TimeProvider _clock;
    private readonly Lock _privacyLock = new();
    private readonly AccessUnitPool _pool = new();
    private readonly RateMeter _frames = new();
    private readonly RateMeter _bits = new();
    private readonly RateMeter _encodedFrames = new();
    private readonly RememberedControls _controls = new();
    private readonly CaptureProgress _progress;
    private readonly SourceInterruption _interruption = new();
    private readonly StreamSwitch _stream;
    private readonly EncoderLadder _ladder;
    private readonly EncoderStage _encoders;
    private readonly SmallLayer? _small;
    private CameraMode _mode = new();
    private Thread? _thread;

    // Written by the capture thread; the status reads each on its own.
    private volatile int _targetBitrate;
    private volatile string? _error;
    private volatile string _sourceDescription;
    private volatile bool _passesThrough;
    private volatile bool _keepsItsBitrate;
    private volatile IReadOnlyList<FrameSize> _sizes = [];
    private volatile int _width;
    private volatile int _height;
    private volatile bool _isPrivate;
    private long _deliveringSince = NotDelivering;
    private long _captured;
    private long _encoded;
    private long _dropped;
    private long _damaged;
    private long _keyFrames;
    private long _restarts;
    private long _hangs;
    private int _isHanging;

    // The capture thread's own.
    private readonly ParameterSetKeeper _parameterSets = new();
    private VideoFormat _lastFormat;
    private int _sourceBitrate;
    private string? _loggedInability;
    private IReadOnlyList<string>? _loggedNotes;
    private bool _isPassthroughLogged;
    private long _droppedByEarlierSources;
    private long _damagedByEarlierSources;

    public CameraPipeline(CameraOptions options, ILoggerFactory loggers)
        : this(options, loggers, new VideoSourceFactory().Open, EncoderRungs.Create(loggers.CreateLogger<V4l2M2mEncoder>()), TimeProvider.System)
    {
    }

    internal CameraPipeline(
        CameraOptions options, ILoggerFactory loggers, Func<VideoSourceOptions, SourceDemand, IVideoSource> openSource,
        IReadOnlyList<EncoderRung> encoders, TimeProvider clock)
    {
        Options = options;
        Hub = new FrameHub(options.Name, clock);
        _openSource = openSource;
        _clock = clock;
        _log = loggers.CreateLogger<CameraPipeline>();
        _targetBitrate = options.Encoder.BitrateBps;
        Hub.BitrateCeiling = _targetBitrate;
        _sourceDescription = options.Source.Kind.ToString().ToLowerInvariant();
        _progress = new CaptureProgress(clock);
        _stream = new StreamSwitch(Hub, _pool, clock);
        _ladder = new EncoderLadder(options.Encoder, encoders);
        _encoders = new EncoderStage(Hub, _ladder, _stream, _pool, Publish, clock, _log);
        _small = options.SmallLayer == SmallLayerSize.Off ? null : new SmallLayer(options, Hub, encoders, clock, _log);
    }

    public CameraOptions Options { get; }

    public FrameHub Hub { get; }

    /// <summary>The camera's frames before they are encoded.</summary>
    public RawFrameTap Tap { get; } = new();

    /// <summary>
    /// Capture instant of the first frame since the source was opened (CLOCK_MONOTONIC since its zero), from which its exposure has been
    /// settling; <c>null</c> while none come.
    /// </summary>
    public TimeSpan? DeliveringSince => Interlocked.Read(ref _deliveringSince) is var ticks && ticks == NotDelivering ? null : new TimeSpan(ticks);

    public void Start()
    {
        _thread = new Thread(Run) { Name = $"camera {Options.Name}", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Changes the target of the encoder, or of the source that encodes itself, at run time, in bit/s.</summary>
    public void SetBitrate(int bitsPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bitsPerSecond);
        _targetBitrate = bitsPerSecond;
        Hub.BitrateCeiling = bitsPerSecond;
        _small?.SetBitrate(bitsPerSecond);
    }

    /// <summary>The target, or less where the viewers' links carry less.</summary>
    private int AdaptedBitrate => Hub.LimitBitrate(Options.Encoder.MinimumBitrateBps, _targetBitrate);

    /// <summary>
    /// The camera is off on purpose. On any thread, not under a lock: the device is closed now, or is about to be opened again.
    /// </summary>
    public event Action<bool>? PrivacyChanged;

    /// <summary>What was asked for last; the device may need a moment to follow, see <see cref="CameraStatus.IsPrivate"/>.</summary>
    public bool WantsPrivacy => _interruption.IsClosed;

    /// <summary>
    /// Turns the camera off or on again. Nothing of it is published from the return of this call on; the device itself is closed as soon as
    /// a call that is under way in its driver returns.
    /// </summary>
    public void SetPrivacy(bool isOn)
    {
        var (width, height) = (_width > 0 ? _width : Options.Source.Width, _height > 0 ? _height : Options.Source.Height);
        lock (_privacyLock)
        {
            // In this order: while the source may be read, its pictures are withheld.
            if (isOn)
            {
                _stream.Withhold(width, height);
                _small?.Withhold(width, height);
            }
            if (_interruption.Set(isOn) && !isOn)
            {
                _stream.Release(width, height);
                _small?.Release(width, height);
            }
        }
    }

    /// <summary>Waits until the device has been closed, or until privacy ends.</summary>
    /// <returns>True if the camera is private; false if it is not after that time, as when a call hangs in its driver.</returns>
    public Task<bool> WaitForPrivacyAsync(TimeSpan limit, CancellationToken cancellation) => _interruption.WaitUntilClosedAsync(limit, _clock, cancellation);

    /// <summary>Closes the source and opens it again, with its encoder; viewers see a notice meanwhile.</summary>
    public void Reopen() => _interruption.Interrupt();

    /// <summary>What is chosen at run time in place of the options.</summary>
    public CameraMode Mode => Volatile.Read(ref _mode);

    /// <summary>The sizes that the camera which is, or was last, open can be given; none if there is no choice.</summary>
    public IReadOnlyList<FrameSize> Sizes => _sizes;

    /// <summary>Has the camera opened with this instead, at once if it differs; viewers see a notice meanwhile, and stay connected.</summary>
    public void SetMode(CameraMode mode)
    {
        if (Interlocked.Exchange(ref _mode, mode) != mode) Reopen();
    }

    /// <summary>Every control of the camera with its present value; none while it is away or if it has none.</summary>
    public IReadOnlyList<ControlReport> ListControls() => _controls.List();

    /// <summary>
    /// Sets a control now and whenever the camera is opened again. While it is away the wish is kept, and the outcome says so; one that is
    /// refused is not kept.
    /// </summary>
    /// <inheritdoc cref="ICameraControls.Set"/>
    public ControlOutcome SetControl(string name, string value)
    {
        var outcome = _controls.Set(name, value);
        ControlsChanged?.Invoke();
        return outcome;
    }

    /// <summary>There are other controls, or one has been set, which may change what others are. On any thread: must only enqueue.</summary>
    public event Action? ControlsChanged;

    /// <summary>
    /// False while the capture thread hangs in a call that should have returned long ago. Says so once in the log, counts it and has viewers
    /// see a notice; to be asked again and again.
    /// </summary>
    public bool CheckProgress()
    {
        if (!_progress.IsOverdue)
        {
            if (Interlocked.Exchange(ref _isHanging, 0) == 1) LogGoesOn(Options.Name);
            return true;
        }
        if (Interlocked.Exchange(ref _isHanging, 1) == 1) return false;
        Interlocked.Increment(ref _hangs);
        LogHangs(Options.Name, _progress.Step, _sourceDescription);
        Hub.NoteStopped();
        if (_width > 0) ShowNotice(StreamText.Of(SourceFailure.Stopped), new VideoFormat(PixelFormat.H264, _width, _height, 1, 1));
        return false;
    }

    public CameraStatus GetStatus()
    {
        var now = Pacer.Now(_clock);
        return new CameraStatus(
            Options.Name, _sourceDescription, _passesThrough ? EncoderLadder.Passthrough : _encoders.Name, Hub.IsProducing,
            _isPrivate ? null : _error ?? _encoders.Error, _width, _height, _frames.PerSecond(now), (long)_bits.PerSecond(now), _targetBitrate, Hub.ProfileLevelId,
            Interlocked.Read(ref _captured), Interlocked.Read(ref _encoded), Interlocked.Read(ref _dropped), Interlocked.Read(ref _keyFrames),
            Interlocked.Read(ref _restarts))
        {
            Notice = _stream.Reason,
            AdaptedBitrateBps = _passesThrough && _keepsItsBitrate ? null : AdaptedBitrate,
            IsPrivate = _isPrivate,
            FramesDamaged = Interlocked.Read(ref _damaged),
            BytesCopiedPerFrame = _passesThrough ? 0 : _encoders.BytesCopiedPerFrame,
            EncoderFailures = _encoders.Failures,
            Hangs = Interlocked.Read(ref _hangs),
            Layers = GetLayers(now),
        };
    }

    public void Dispose()
    {
        _interruption.Stop();
        _thread?.Join();
        _small?.Dispose();
        _stream.Dispose();
        _interruption.Dispose();
    }

    private void Run()
    {
        var delay = new ReopenDelay();
        while (!_interruption.IsStopped)
        {
            if (!_interruption.TryBegin(out var interrupted))
            {
                if (!Rest()) return;
                delay.Reset();
                continue;
            }
            var failure = RunSource(interrupted);
            if (_interruption.IsStopped) return;
            if (failure is null)
            {
                Hub.NoteStopped();
                Interlocked.Exchange(ref _deliveringSince, NotDelivering);
                _encoders.StartOver();
                if (!_interruption.IsClosed && _captured > 0) ShowNotice("restarting", _lastFormat);
                continue;
            }
            var hasDelivered = DeliveringSince is not null;
            Interlocked.Exchange(ref _deliveringSince, NotDelivering);
            Hub.NoteStopped();
            // The same failure over and over is one line.
            if (_error != failure.Message) LogFailed(Options.Name, failure.Message);
            _error = failure.Message;
            if (_captured > 0) ShowNotice(StreamText.Of(failure.Failure), _lastFormat);
            if (hasDelivered)
            {
                delay.Reset();
                _encoders.StartOver();
            }
            _progress.Rest();
            interrupted.WaitHandle.WaitOne(delay.Next(failure.Failure));
        }
    }

    /// <summary>The device is closed, and stays so until privacy ends. False if the pipeline is stopped.</summary>
    private bool Rest()
    {
        Hub.NoteStopped();
        Interlocked.Exchange(ref _deliveringSince, NotDelivering);
        _progress.Rest();
        _error = null;
        _isPrivate = true;
        LogPrivate(Options.Name);
        PrivacyChanged?.Invoke(true);
        _interruption.Rest();
        _isPrivate = false;
        if (_interruption.IsStopped) return false;
        LogNoLongerPrivate(Options.Name);
        PrivacyChanged?.Invoke(false);
        return true;
    }

    /// <summary>Opens the source and reads it until it fails or is interrupted; <c>null</c> if it was interrupted.</summary>
    private VideoSourceException? RunSource(CancellationToken interrupted)
    {
        try
        {
            _progress.Begin("opening", LongestCall);
            _sourceBitrate = _targetBitrate;
            _keepsItsBitrate = false;
            Hub.BitrateCeiling = _targetBitrate;
            var mode = Volatile.Read(ref _mode);
            _ladder.Use(mode.Encoder ?? Options.Encoder.Kind);
            using var source = _openSource(mode.Apply(Options.Source), _ladder.GetDemand(_sourceBitrate));
            if (_error is not null) Interlocked.Increment(ref _restarts);
            _sourceDescription = source.Description;
            _sizes = source.Sizes;
            LogOpened(source);
            try
            {
                Capture(source, interrupted);
            }
            finally
            {
                // Its frames go back before it goes.
                _encoders.Close();
                _small?.StartOver(Volatile.Read(ref _mode).Encoder ?? Options.Encoder.Kind);
                _passesThrough = false;
                _controls.Detach();
                ControlsChanged?.Invoke();
                _droppedByEarlierSources += source.FramesDropped;
                _damagedByEarlierSources += source.FramesDamaged;
            }
            return null;
        }
        catch (VideoSourceException e)
        {
            return e;
        }
    }

    private void Capture(IVideoSource source, CancellationToken interrupted)
    {
        _stream.Interrupt();
        _isPassthroughLogged = false;
        var limit = LongestCall;
        if (source.Format.FrameRateNumerator > 0 && LongestCallFrames / source.Format.FramesPerSecond is var seconds && seconds > limit.TotalSeconds)
            limit = TimeSpan.FromSeconds(seconds);
        while (true)
        {
            _progress.Begin("reading a frame", limit);
            if (interrupted.IsCancellationRequested || source.ReadFrame(interrupted) is not { } frame) return;
            if (interrupted.IsCancellationRequested)
            {
                frame.Dispose();
                return;
            }
            _progress.Begin("encoding a frame", LongestCall);
            TakeFrame(source, frame);
            Interlocked.Exchange(ref _dropped, _droppedByEarlierSources + source.FramesDropped + _encoders.FramesSkipped);
            Interlocked.Exchange(ref _damaged, _damagedByEarlierSources + source.FramesDamaged);
        }
    }

    private void TakeFrame(IVideoSource source, CapturedFrame frame)
    {
        var format = frame.Format;
        if (DeliveringSince is null)
        {
            _error = null;
            Interlocked.Exchange(ref _deliveringSince, frame.CapturedAt.Ticks);
        }
        Interlocked.Increment(ref _captured);
        _frames.Add(frame.CapturedAt, 1);
        (_lastFormat, _width, _height) = (format, format.Width, format.Height);
        Tap.Offer(frame);
        OfferToSmallLayer(frame, source.Description);
        if (format.PixelFormat == PixelFormat.H264 && _ladder.TakesOwnH264)
        {
            PassThrough(source, frame);
        }
        else
        {
            _passesThrough = false;
            _encoders.Take(frame, source.Description, AdaptedBitrate);
        }
    }

    private void PassThrough(IVideoSource source, CapturedFrame frame)
    {
        using var lease = frame;
        if (!_passesThrough)
        {
            _encoders.Close();
            _passesThrough = true;
            _stream.Interrupt();
        }
        if (_sourceBitrate != AdaptedBitrate)
        {
            _sourceBitrate = AdaptedBitrate;
            _keepsItsBitrate = !source.SetBitrate(_sourceBitrate);
            if (_keepsItsBitrate) LogOnce("change its bitrate; it keeps the one it has, whatever the viewers' links carry");
        }
        // Viewers' links are not held to be narrower than what comes anyway.
        if (_keepsItsBitrate) Hub.BitrateCeiling = Math.Max(_targetBitrate, (int)(_bits.PerSecond(frame.CapturedAt) * OwnBitrateMargin));
        // Cameras send their parameter sets with the first IDR only, or with each.
        var bytes = frame.GetPlane(0);
        if (_parameterSets.TryComplete(bytes, out var completed)) bytes = completed.Span;
        var accessUnit = _pool.Create(bytes, frame.CapturedAt);
        if (!accessUnit.IsKeyFrame && _stream.TakeKeyFrameRequest(frame.CapturedAt) && !source.RequestKeyFrame())
            LogOnce("make keyframes on request; viewers wait for its next one");
        Publish(accessUnit);
        if (!_isPassthroughLogged && accessUnit.IsKeyFrame)
        {
            _isPassthroughLogged = true;
            LogPassingThrough(Options.Name, source.Description, StreamText.Of(frame.Format), Hub.LastProfileLevelId ?? "unknown");
        }
        accessUnit.Release();

        void LogOnce(string what)
        {
            if (_loggedInability == what) return;
            _loggedInability = what;
            LogCannot(Options.Name, source.Description, what);
        }
    }

    private void Publish(AccessUnit accessUnit)
    {
        if (!_stream.Publish(accessUnit)) return;
        Interlocked.Increment(ref _encoded);
        if (accessUnit.IsKeyFrame) Interlocked.Increment(ref _keyFrames);
        _bits.Add(accessUnit.CapturedAt, (long)accessUnit.Data.Length * BitsPerByte);
        _encodedFrames.Add(accessUnit.CapturedAt, 1);
    }

    private void LogOpened(IVideoSource source)
    {
        var notes = source.Notes;
        if (_loggedNotes is null || !notes.SequenceEqual(_loggedNotes))
        {
            foreach (var note in notes) LogNote(Options.Name, note);
            _loggedNotes = notes;
        }
        foreach (var message in _controls.Attach(source.Controls)) LogNote(Options.Name, message);
        ControlsChanged?.Invoke();
    }
}
