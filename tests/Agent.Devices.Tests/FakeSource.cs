using System.Collections.Concurrent;
using Agent.Devices.Sources;

namespace Agent.Devices.Tests;

/// <summary>
/// A source whose frames and failures a test hands over one by one; <see cref="Deliver"/> returns once the frame was dealt with. Counts what
/// becomes of the frames it lends.
/// </summary>
internal sealed class FakeSource(VideoFormat format) : IVideoSource
{
    private readonly BlockingCollection<(RawFrame? Frame, VideoSourceException? Failure)> _posted = [];
    private readonly SemaphoreSlim _read = new(0);
    private readonly SemaphoreSlim _measured = new(0);
    private readonly Lock _lock = new();
    private int _opened;
    private int _closed;
    private int _attempts;
    private int _reads;
    private int _lent;
    private int _returned;
    private int _returnedTwice;
    private int _keptBeyondSource;
    private long _allocatedBefore;
    private long _allocated;

    public VideoFormat Format => format;

    public string Description => "fake";

    public long FramesDropped => 0;

    public ICameraControls? Controls { get; init; }

    public bool CanRequestKeyFrames { get; init; }

    public int KeyFrameRequests { get; private set; }

    public bool CanSetBitrate { get; init; }

    public ConcurrentQueue<int> Bitrates { get; } = [];

    /// <summary>What opening fails with, as long as it is set.</summary>
    public VideoSourceException? OpeningFailure { get; set; }

    /// <summary>What the source was asked for when it was opened last.</summary>
    public SourceDemand? Demand { get; private set; }

    /// <summary>Delivered again and again without waiting, if set.</summary>
    public PlanarFrame? Endless { get; init; }

    public int MeasureFrom { get; init; }

    public int MeasureTo { get; init; }

    /// <summary>Frames lent, and those of them that never came back, came back twice, or came back after their source was closed.</summary>
    public (int Lent, int Lost, int ReturnedTwice, int KeptBeyondSource) Leases
    {
        get
        {
            lock (_lock) return (_lent, _lent - _returned, _returnedTwice, _keptBeyondSource);
        }
    }

    public int Closed
    {
        get
        {
            lock (_lock) return _closed;
        }
    }

    public int OpeningAttempts => Volatile.Read(ref _attempts);

    public IVideoSource Reopened(SourceDemand demand)
    {
        Interlocked.Increment(ref _attempts);
        if (OpeningFailure is { } failure) throw failure;
        lock (_lock)
        {
            _opened++;
            _reads = 0;
            Demand = demand;
        }
        return this;
    }

    public void WaitUntilOpened(int times) => Wait.Until(
        () =>
        {
            lock (_lock) return _opened >= times;
        },
        $"opened {times} times");

    /// <summary>What the capture thread allocated from read number <see cref="MeasureFrom"/> to <see cref="MeasureTo"/>.</summary>
    public long WaitForMeasurement()
    {
        Assert.True(_measured.Wait(TimeSpan.FromSeconds(30)), "too few frames were read");
        return _allocated;
    }

    public void Post(VideoFormat frameFormat, TimeSpan capturedAt, byte[]? bytes = null) =>
        _posted.Add((new RawFrame(frameFormat, bytes ?? new byte[frameFormat.Width * frameFormat.Height * 3 / 2], capturedAt), null));

    public void Deliver(VideoFormat frameFormat, TimeSpan capturedAt, byte[]? bytes = null)
    {
        Post(frameFormat, capturedAt, bytes);
        // The pipeline reads again when it is through with the frame before.
        Assert.True(_read.Wait(TimeSpan.FromSeconds(20)), "the pipeline does not read");
    }

    public void Fail(string message, SourceFailure failure = SourceFailure.Failed) => _posted.Add((null, new VideoSourceException(message) { Failure = failure }));

    public CapturedFrame? ReadFrame(CancellationToken stop)
    {
        if (Endless is not null) return ReadEndless(stop);
        if (_reads++ > 0) _read.Release();
        try
        {
            var (frame, failure) = _posted.Take(stop);
            return failure is null ? new LentFrame(this, frame!) : throw failure;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    public bool RequestKeyFrame()
    {
        KeyFrameRequests++;
        return CanRequestKeyFrames;
    }

    public bool SetBitrate(int bitsPerSecond)
    {
        Bitrates.Enqueue(bitsPerSecond);
        return CanSetBitrate;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _closed++;
            _keptBeyondSource += _lent - _returned - _keptBeyondSource;
        }
    }

    private PlanarFrame? ReadEndless(CancellationToken stop)
    {
        if (stop.IsCancellationRequested) return null;
        if (_reads == MeasureFrom) _allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        if (_reads == MeasureTo)
        {
            _allocated = GC.GetAllocatedBytesForCurrentThread() - _allocatedBefore;
            _measured.Release();
        }
        return Endless!.At(TimeSpan.FromMilliseconds(33 * _reads++));
    }

    private sealed class LentFrame : CapturedFrame
    {
        private readonly FakeSource _source;
        private readonly RawFrame _frame;
        private bool _isReturned;

        public LentFrame(FakeSource source, RawFrame frame)
        {
            (_source, _frame) = (source, frame);
            lock (source._lock) source._lent++;
        }

        public override VideoFormat Format => _frame.Format;

        public override TimeSpan CapturedAt => _frame.CapturedAt;

        public override int PlaneCount => _frame.PlaneCount;

        public override ReadOnlySpan<byte> GetPlane(int plane) => _frame.GetPlane(plane);

        public override int GetBytesPerLine(int plane) => _frame.GetBytesPerLine(plane);

        public override void Dispose()
        {
            lock (_source._lock)
            {
                if (_isReturned) _source._returnedTwice++;
                else _source._returned++;
                _isReturned = true;
            }
        }
    }
}
