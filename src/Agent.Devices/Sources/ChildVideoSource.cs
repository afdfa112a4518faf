using System.Diagnostics;
using System.Runtime.InteropServices;
using Agent.Interop.Libc;

namespace Agent.Devices.Sources;

/// <summary>
/// Video that a program writes to its standard output. Of raw and JPEG frames that wait, the newest is given; H264, whose pictures need one
/// another, comes in order, and a program that is ahead waits at its full pipe. A frame's capture instant is when its first byte was read:
/// later than the exposure by what the camera, the program and the pipe take. The program is not started again: that is for whoever opens
/// the next source. Opened, read and disposed by one thread.
/// </summary>
internal sealed class ChildVideoSource : IVideoSource
{
    /// <summary>The largest that a user without privileges may ask for (/proc/sys/fs/pipe-max-size of kernels since 2.6.35).</summary>
    private const int PipeSize = 1024 * 1024;

    /// <summary>A program that is this many frames late has failed, as a camera has.</summary>
    private const int StallFrameIntervals = 30;

    /// <summary>A program that writes faster than in real time must not keep the reader skipping for ever.</summary>
    private const int MostSkippedAtOnce = 8;

    private const int ErrorReadSize = 4096;

    /// <summary>Frames must not share a capture instant: RTP tells them apart by it.</summary>
    private static readonly TimeSpan ShortestStep = TimeSpan.FromMilliseconds(1);

    private readonly string _label;
    private readonly string _program;
    private readonly ChildLimits _limits;
    private readonly ChildProcess _child;
    private readonly FrameCutter _cutter;
    private readonly ErrorLines _errors = new();
    private readonly byte[] _errorBuffer = new byte[ErrorReadSize];
    private readonly TimeSpan _stallTimeout;
    private CancellationToken _watchedToken;
    private CancellationTokenRegistration _stopRegistration;
    private TimeSpan _lastCapturedAt;
    private bool _hasFrames;
    private bool _hasBytes;
    private bool _isDisposed;
    private long _skipped;

    /// <summary>Starts the program.</summary>
    /// <param name="label">The kind of source, which messages begin with.</param>
    /// <param name="path">The executable file.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="format">What it is told to write; compressed frames may tell another size.</param>
    /// <param name="limits">How long it may take.</param>
    /// <exception cref="VideoSourceException">It cannot be started.</exception>
    public ChildVideoSource(string label, string path, IReadOnlyList<string> arguments, VideoFormat format, ChildLimits? limits = null)
    {
        _label = label;
        _program = Path.GetFileName(path);
        _limits = limits ?? new ChildLimits();
        Description = $"{label} {_program}";
        Format = format;
        var frames = TimeSpan.FromSeconds(StallFrameIntervals / format.FramesPerSecond);
        _stallTimeout = frames > _limits.ShortestStall ? frames : _limits.ShortestStall;
        _cutter = format.PixelFormat switch
        {
            PixelFormat.Mjpg => new JpegCutter(format),
            PixelFormat.H264 => new H264Cutter(format),
            _ => new RawFrameCutter(format),
        };
        _child = ChildProcess.TryStart(path, arguments, PipeSize, _limits.Grace, out var errno)
            ?? throw new VideoSourceException($"{label}: cannot start {path}: {Marshal.GetPInvokeErrorMessage(errno)}");
    }

    public VideoFormat Format { get; }

    public string Description { get; init; }

    public IReadOnlyList<string> Notes { get; init; } = [];

    public IReadOnlyList<FrameSize> Sizes { get; init; } = [];

    /// <summary>The program writes YU12 of full range, as JPEG has it; the frames are of limited range nevertheless.</summary>
    public bool IsFullRange { get; init; }

    /// <summary>Frames left out because a newer one was there, and damaged ones.</summary>
    public long FramesDropped => _skipped + FramesDamaged;

    public long FramesDamaged => _cutter.FramesDamaged;

    /// <summary>The program's process id, for tests.</summary>
    internal int ProcessId => _child.ProcessId;

    public CapturedFrame? ReadFrame(CancellationToken stop)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        Watch(stop);
        var started = Stopwatch.GetTimestamp();
        while (!stop.IsCancellationRequested)
        {
            if (TakeFrame() is { } frame) return frame;
            if (_child.OutputEnded) throw Ended();
            var limit = _hasFrames ? _stallTimeout : _limits.FirstFrame;
            var remaining = limit - Stopwatch.GetElapsedTime(started);
            if (remaining <= TimeSpan.Zero) throw Stalled(limit);
            var flushAfter = _cutter.FlushAfter is { } idle && idle < remaining ? idle : (TimeSpan?)null;
            var events = _child.Wait(flushAfter ?? remaining);
            if (events.Error) ReadErrors();
            if (events.Output) ReadOutput();
            else if (events.Exited) throw Ended();
            else if (events.IsTimeout && flushAfter is not null) _cutter.Flush();
        }
        return null;
    }

    /// <summary>Always false: neither rpicam-vid nor a pipe takes requests.</summary>
    public bool RequestKeyFrame() => false;

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _stopRegistration.Dispose();
        _child.Dispose();
    }

    private PipeFrame? TakeFrame()
    {
        if (_cutter.TryTake() is not { } frame) return null;
        _hasFrames = true;
        for (var skipped = 0; _cutter.IsSkippable && skipped < MostSkippedAtOnce;)
        {
            if (_cutter.TryTake() is { } newer)
            {
                frame.Dispose();
                frame = newer;
                skipped++;
                _skipped++;
            }
            else if (ReadOutput() == 0)
            {
                break;
            }
        }
        _lastCapturedAt = frame.CapturedAt > _lastCapturedAt + ShortestStep ? frame.CapturedAt : _lastCapturedAt + ShortestStep;
        frame.Lend(frame.Format, _lastCapturedAt);
        if (IsFullRange) frame.LimitRange();
        return frame;
    }

    /// <summary>Reads what waits; 0 if nothing does.</summary>
    private int ReadOutput()
    {
        var count = _child.ReadOutput(_cutter.Space);
        if (count > 0)
        {
            _hasBytes = true;
            _cutter.Advance(count, Stopwatch.GetElapsedTime(0));
        }
        else if (_child.OutputEnded)
        {
            _cutter.Flush();
        }
        return count;
    }

    /// <summary>Reads one piece, so that a program that reports without end does not keep frames waiting; false if nothing waits.</summary>
    private bool ReadErrors()
    {
        var count = _child.ReadError(_errorBuffer);
        _errors.Append(_errorBuffer.AsSpan(0, count));
        return count > 0;
    }

    private VideoSourceException Ended()
    {
        // Those that close their output mostly end at once; SIGTERM would hide with what status.
        var started = Stopwatch.GetTimestamp();
        var hasExited = false;
        while (!hasExited && _limits.Exit - Stopwatch.GetElapsedTime(started) is { Ticks: > 0 } remaining)
        {
            var events = _child.Wait(remaining);
            hasExited = events.Exited;
            if (events.Error) ReadErrors();
        }
        if (!hasExited) return Failure("has closed its standard output but runs on");
        while (ReadErrors())
        {
        }
        return Failure(_child.Stop() switch
        {
            { IsSignal: true, Status: var signal } => $"was ended by signal {signal}",
            { Status: var status } => $"ended with status {status}",
            null => "has ended",
        });
    }

    private VideoSourceException Stalled(TimeSpan limit) =>
        Failure(FormattableString.Invariant($"has written {(_hasBytes ? $"no whole {Format.PixelFormat} frame" : "nothing")} for {limit.TotalSeconds:0.#} s"));

    private VideoSourceException Failure(string what)
    {
        var lines = _errors.ToString();
        return new VideoSourceException($"{_label}: \"{_program}\" {what}{(lines.Length > 0 ? ": " : "")}{lines}") { Failure = SourceFailure.Stopped };
    }

    /// <summary>Has the token's cancellation end a wait. Callers pass the same token each time, so this registers once.</summary>
    private void Watch(CancellationToken stop)
    {
        if (stop == _watchedToken) return;
        _stopRegistration.Dispose();
        _stopRegistration = stop.UnsafeRegister(static child => ((ChildProcess)child!).Wake(), _child);
        _watchedToken = stop;
    }
}

/// <summary>How long a program may take for what it does.</summary>
internal sealed record ChildLimits
{
    /// <summary>To its first frame: one that fetches video over the network connects and looks at the stream first.</summary>
    public TimeSpan FirstFrame { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The least a stall lasts.</summary>
    public TimeSpan ShortestStall { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>To end after it has closed its output.</summary>
    public TimeSpan Exit { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>To end after SIGTERM, before SIGKILL.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(2);
}
