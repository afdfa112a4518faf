namespace Agent.Devices.Sources;

/// <summary>A moving test picture with a clock and the <see cref="Timecode"/> of the capture instant, at exactly the frame rate.</summary>
internal sealed class TestVideoSource : IVideoSource
{
    private readonly TimeProvider _clock;
    private readonly TestPattern _pattern;
    private readonly PlanarFrame _frame;
    private readonly TimeSpan _start;
    private long _frameNumber = -1;

    /// <param name="options">Size and rate, exactly.</param>
    /// <param name="clock">Monotonic for pacing, wall clock (local time) for the picture; the machine's by default.</param>
    /// <exception cref="VideoSourceException">The size is odd or too small.</exception>
    public TestVideoSource(VideoSourceOptions options, TimeProvider? clock = null)
    {
        if (options.Width < TestPattern.MinimumWidth || options.Height < TestPattern.MinimumHeight || options.Width % 2 != 0 || options.Height % 2 != 0)
            throw new VideoSourceException(FormattableString.Invariant(
                $"test source cannot draw {options.Width}x{options.Height}: use even numbers from {TestPattern.MinimumWidth}x{TestPattern.MinimumHeight}"));
        if (options.FrameRate < 1) throw new VideoSourceException("test source needs a frame rate of at least 1");
        _clock = clock ?? TimeProvider.System;
        Format = new VideoFormat(PixelFormat.Yu12, options.Width, options.Height, options.FrameRate, 1);
        _pattern = new TestPattern(options.Width, options.Height);
        _frame = new PlanarFrame(Format, _pattern.Picture);
        _start = Pacer.Now(_clock);
    }

    public VideoFormat Format { get; }

    public string Description => "test";

    public long FramesDropped { get; private set; }

    public IReadOnlyList<FrameSize> Sizes => FrameSize.CommonAnd(Format.Width, Format.Height);

    public CapturedFrame? ReadFrame(CancellationToken stop)
    {
        // Like a camera, it does not wait for a slow reader: pictures whose time has passed are lost.
        var due = Math.Max(_frameNumber + 1, (Pacer.Now(_clock) - _start).Ticks * Format.FrameRateNumerator / TimeSpan.TicksPerSecond);
        FramesDropped += due - _frameNumber - 1;
        _frameNumber = due;
        var capturedAt = _start + TimeSpan.FromTicks(due * TimeSpan.TicksPerSecond / Format.FrameRateNumerator);
        if (!Pacer.WaitUntil(capturedAt, _clock, stop)) return null;
        // The picture shows the capture instant's own wall clock, not when it came to be drawn.
        _pattern.Draw(_frameNumber, _clock.GetLocalNow() - (Pacer.Now(_clock) - capturedAt));
        return _frame.At(capturedAt);
    }

    /// <summary>Always false: nothing here is encoded.</summary>
    public bool RequestKeyFrame() => false;

    public void Dispose()
    {
    }
}
