using System.Diagnostics;
using Agent.Media.Motion;
using Microsoft.Extensions.Logging;

namespace Agent.Devices.Motion;

/// <summary>
/// Looks for motion in one camera's pictures, on a thread of its own, so that capturing and encoding do not wait for it. Nothing is looked at
/// while the camera is off for privacy. Members may be called from any thread.
/// </summary>
public sealed partial class CameraMotion : IDisposable
{
    /// <summary>Without a picture for so long nothing can be said any more; as long as a hub takes a camera to produce.</summary>
    private static readonly TimeSpan Patience = Media.FrameHub.ProducingTimeout;

    /// <summary>How often it is found out that no pictures come.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly CameraPipeline _camera;
    private readonly ILogger _log;
    private readonly MotionOptions _options;
    private readonly NewestHandover<LumaSample> _samples = new();
    private readonly MotionSampler _sampler;
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread _thread;
    private readonly Lock _tapLock = new();
    private volatile bool _isStopped;
    private volatile bool _isWanted;
    private volatile int _sensitivity;
    private volatile MotionState _state;
    private volatile string? _problem;
    private long _lookedAt;
    private long _damaged;
    private long _motions;
    private long _ticks;

    // The thread's own.
    private readonly bool[] _zones;
    private MotionDetector? _detector;
    private JpegLuma? _jpeg;
    private long _lastPicture;

    /// <summary>Looks from now on; the camera may be started later.</summary>
    /// <param name="camera">Whose options say what counts as motion.</param>
    /// <param name="loggers">Says why pictures cannot be looked at.</param>
    public CameraMotion(CameraPipeline camera, ILoggerFactory loggers)
    {
        (_camera, _log) = (camera, loggers.CreateLogger<CameraMotion>());
        _options = camera.Options.Motion;
        _sensitivity = _options.Settings.Sensitivity;
        _zones = new bool[_options.Settings.Zones.Count];
        _state = new MotionState(false, false, [.. _zones]);
        _sampler = new MotionSampler(TimeSpan.FromSeconds(1.0 / _options.FramesPerSecond), _samples, () => _wake.Set());
        camera.PrivacyChanged += OnPrivacyChanged;
        SetWanted(true);
        _thread = new Thread(Run) { Name = $"motion {camera.Options.Name}", IsBackground = true };
        _thread.Start();
    }

    /// <summary>
    /// Something has begun or ceased to move, or whether that can be known has changed. On this object's thread: must not throw, nor take long.
    /// </summary>
    public event Action<MotionState>? Changed;

    public MotionState State => _state;

    public CameraPipeline Camera => _camera;

    /// <summary>Whether motion is looked for at all.</summary>
    public bool IsWanted => _isWanted;

    /// <summary>1 to 100, for the whole picture and for zones that have none of their own.</summary>
    public int Sensitivity => _sensitivity;

    public MotionStatus GetStatus() => new(
        _state, _problem, Interlocked.Read(ref _lookedAt), _samples.Overwritten + Interlocked.Read(ref _damaged), Interlocked.Read(ref _motions),
        _sampler.Time, Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _ticks)));

    /// <summary>Begins or ceases to look; ceasing costs nothing any more.</summary>
    public void SetWanted(bool isWanted)
    {
        lock (_tapLock)
        {
            if (isWanted == _isWanted) return;
            _isWanted = isWanted;
            if (isWanted) _camera.Tap.Subscribe(_sampler);
            else _camera.Tap.Unsubscribe(_sampler);
        }
        _wake.Set();
    }

    /// <param name="sensitivity">From the next picture on, 1 to 100.</param>
    public void SetSensitivity(int sensitivity) => _sensitivity = sensitivity;

    public void Dispose()
    {
        if (_isStopped) return;
        SetWanted(false);
        _camera.PrivacyChanged -= OnPrivacyChanged;
        _isStopped = true;
        _wake.Set();
        _thread.Join();
        // The capture thread may be showing the sampler a last frame, and would find a disposed event: the finalizer closes it.
    }

    private void OnPrivacyChanged(bool isOn) => _wake.Set();

    private void Run()
    {
        _lastPicture = Stopwatch.GetTimestamp();
        while (!_isStopped)
        {
            _wake.WaitOne(Tick);
            if (_isStopped) break;
            NoteCompressed();
            var isAllowed = _isWanted && !_camera.WantsPrivacy;
            if (_samples.TryTake(out var sample) && isAllowed)
            {
                Look(sample);
            }
            else if (!isAllowed || _sampler.IsCompressed || Stopwatch.GetElapsedTime(_lastPicture) > Patience)
            {
                // What comes next is another scene.
                _detector = null;
                Array.Clear(_zones);
                Show(isLooking: false, isMoving: false);
            }
        }
        _jpeg?.Dispose();
    }

    private void Look(LumaSample sample)
    {
        var started = Stopwatch.GetTimestamp();
        if (!TryMakeCoarse(sample, out var grid))
        {
            Interlocked.Increment(ref _damaged);
            return;
        }
        if (_detector?.Grid != grid) _detector = new MotionDetector(grid, _options.Settings);
        _detector.SetSensitivity(_sensitivity);
        _detector.Look(sample.Cells.AsSpan(0, grid.Count), sample.CapturedAt);
        for (var zone = 0; zone < _zones.Length; zone++) _zones[zone] = _detector.IsZoneMoving(zone);
        _lastPicture = Stopwatch.GetTimestamp();
        _problem = null;
        Interlocked.Increment(ref _lookedAt);
        Interlocked.Add(ref _ticks, _lastPicture - started);
        Show(isLooking: true, _detector.IsMoving);
    }

    private bool TryMakeCoarse(LumaSample sample, out LumaGrid grid)
    {
        grid = LumaGrid.For(sample.Width, sample.Height);
        if (sample.Jpeg.IsEmpty) return true;
        try
        {
            _jpeg ??= new JpegLuma();
        }
        catch (DllNotFoundException e)
        {
            Report(e.Message);
            return false;
        }
        return _jpeg.TryDownscale(sample.Jpeg, sample.Width, sample.Height, sample.Cells, out grid);
    }

    private void Show(bool isLooking, bool isMoving)
    {
        var before = _state;
        if (before.Equals(isLooking, isMoving, _zones)) return;
        if (isMoving && !before.IsMoving) Interlocked.Increment(ref _motions);
        _state = new MotionState(isLooking, isMoving, [.. _zones]);
        Changed?.Invoke(_state);
    }

    private void NoteCompressed()
    {
        if (_sampler.IsCompressed)
            Report("it delivers H.264, which is passed through undecoded; set source.pixelFormat to YUYV, NV12, YU12 or MJPG, or encoder.kind to an encoder, to have pictures to look at");
    }

    private void Report(string problem)
    {
        if (_problem == problem) return;
        _problem = problem;
        LogCannotLook(_camera.Options.Name, problem);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Camera {Camera}: motion cannot be looked for: {Problem}")]
    private partial void LogCannotLook(string camera, string problem);
}
