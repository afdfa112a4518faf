using Agent.Devices.Sources;

namespace Agent.Devices.Tests;

public sealed class RawFrameTapTests
{
    private static RawFrame At(double seconds) => new(PipelineRig.Small, ReadOnlyMemory<byte>.Empty, TimeSpan.FromSeconds(seconds));

    [Fact]
    public void Each_listener_gets_frames_at_its_own_rate()
    {
        var tap = new RawFrameTap();
        var all = new Listener(TimeSpan.Zero);
        var slow = new Listener(TimeSpan.FromSeconds(1));
        tap.Subscribe(all);
        tap.Subscribe(slow);
        foreach (var seconds in (double[])[1, 1.4, 1.9, 2, 2.5, 3.1]) tap.Offer(At(seconds));
        Assert.Equal([1, 1.4, 1.9, 2, 2.5, 3.1], all.Seen);
        Assert.Equal([1, 2, 3.1], slow.Seen);
    }

    [Fact]
    public void A_camera_that_counts_anew_is_seen_at_once()
    {
        var tap = new RawFrameTap();
        var listener = new Listener(TimeSpan.FromSeconds(10));
        tap.Subscribe(listener);
        foreach (var seconds in (double[])[1000, 1001, 3, 4]) tap.Offer(At(seconds));
        Assert.Equal([1000, 3], listener.Seen);
    }

    [Fact]
    public void One_that_has_left_gets_nothing_more()
    {
        var tap = new RawFrameTap();
        var leaving = new Listener(TimeSpan.Zero);
        var staying = new Listener(TimeSpan.Zero);
        tap.Subscribe(leaving);
        tap.Subscribe(staying);
        tap.Offer(At(1));
        tap.Unsubscribe(leaving);
        tap.Offer(At(2));
        Assert.Equal([1], leaving.Seen);
        Assert.Equal([1, 2], staying.Seen);
    }

    [Fact]
    public void The_pipeline_shows_every_frame_before_it_is_encoded_and_looking_on_keeps_none()
    {
        using var rig = new PipelineRig(PipelineRig.Small);
        var listener = new Listener(TimeSpan.Zero);
        rig.Pipeline.Tap.Subscribe(listener);
        for (var i = 1; i <= 3; i++) rig.Source.Deliver(PipelineRig.Small, TimeSpan.FromSeconds(i));
        Assert.Equal([1, 2, 3], listener.Seen);
        rig.Stop();
        Assert.Equal((3, 0, 0, 0), rig.Source.Leases);
    }

    [Fact]
    public void Nothing_is_allocated_whether_or_not_somebody_listens()
    {
        var tap = new RawFrameTap();
        var frame = At(1);
        Assert.Equal(0, Allocated());
        tap.Subscribe(new Quiet());
        Assert.Equal(0, Allocated());

        long Allocated()
        {
            tap.Offer(frame);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1000; i++) tap.Offer(frame);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private sealed class Listener(TimeSpan interval) : IRawFrameSubscriber
    {
        public List<double> Seen { get; } = [];

        public TimeSpan Interval => interval;

        public void OnFrame(CapturedFrame frame) => Seen.Add(frame.CapturedAt.TotalSeconds);
    }

    private sealed class Quiet : IRawFrameSubscriber
    {
        public TimeSpan Interval => TimeSpan.Zero;

        public void OnFrame(CapturedFrame frame)
        {
        }
    }
}
