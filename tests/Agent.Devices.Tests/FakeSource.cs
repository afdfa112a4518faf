using System.Collections.Concurrent;
using Agent.Devices.Sources;

namespace Agent.Devices.Tests;

/// <summary>A source whose frames and failures a test hands over one by one; <see cref="Deliver"/> returns once the frame was dealt with.</summary>
internal sealed class FakeSource(VideoFormat format) : IVideoSource
{
    private readonly BlockingCollection<(RawFrame? Frame, string? Failure)> _posted = [];
    private readonly SemaphoreSlim _read = new(0);
    private readonly SemaphoreSlim _measured = new(0);
    private readonly Lock _lock = new();
    private int _opened;
    private int _reads;
    private long _allocatedBefore;
    private long _allocated;

    public VideoFormat Format => format;

    public string Description => "fake";

    public long FramesDropped => 0;

    public bool CanRequestKeyFrames { get; init; }

    public int KeyFrameRequests { get; private set; }

    /// <summary>Delivered again and again without waiting, if set.</summary>
    public PlanarFrame? Endless { get; init; }

    public int MeasureFrom { get; init; }

    public int MeasureTo { get; init; }

    public IVideoSource Reopened()
    {
        lock (_lock)
        {
            _opened++;
            _reads = 0;
        }
        return this;
    }

    public void WaitUntilOpened(int times) => Assert.True(
        SpinWait.SpinUntil(
            () =>
            {
                lock (_lock) return _opened >= times;
            },
            TimeSpan.FromSeconds(20)),
        $"not opened {times} times");

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

    public void Fail(string message) => _posted.Add((null, message));

    public CapturedFrame? ReadFrame(CancellationToken stop)
    {
        if (Endless is not null) return ReadEndless(stop);
        if (_reads++ > 0) _read.Release();
        try
        {
            var (frame, failure) = _posted.Take(stop);
            return failure is null ? frame : throw new VideoSourceException(failure);
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

    public void Dispose()
    {
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
}
