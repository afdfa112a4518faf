namespace Agent.Media.Tests;

public sealed class FrameHubTests
{
    private static readonly AccessUnitPool Pool = new();
    private readonly VirtualClock _clock = new();
    private readonly FrameHub _hub;

    public FrameHubTests() => _hub = new FrameHub("main", _clock);

    private static TimeSpan Milliseconds(int value) => TimeSpan.FromMilliseconds(value);

    private static AccessUnit Picture(bool isKeyFrame, TimeSpan capturedAt, string sps = "6742c01ed900a03db011000003000100000300320f162e48") =>
        Pool.Create(isKeyFrame ? [0, 0, 0, 1, .. Convert.FromHexString(sps), 0, 0, 1, 0x65, 0x88] : [0, 0, 1, 0x41, 0x9A], capturedAt);

    [Fact]
    public void Requests_are_coalesced_and_at_least_the_minimum_interval_apart()
    {
        Assert.False(_hub.TakeKeyFrameRequest(Milliseconds(1000)));
        _hub.RequestKeyFrame();
        _hub.RequestKeyFrame();
        Assert.True(_hub.TakeKeyFrameRequest(Milliseconds(1000)));
        Assert.False(_hub.TakeKeyFrameRequest(Milliseconds(1033)));
        _hub.RequestKeyFrame();
        Assert.False(_hub.TakeKeyFrameRequest(Milliseconds(1033)));
        Assert.False(_hub.TakeKeyFrameRequest(Milliseconds(1249)));
        Assert.True(_hub.TakeKeyFrameRequest(Milliseconds(1250)));
        Assert.False(_hub.TakeKeyFrameRequest(Milliseconds(2000)));
    }

    [Fact]
    public void A_notice_reaches_the_viewers_and_answers_requests_but_is_not_the_cameras_stream()
    {
        var viewer = new Counter();
        _hub.Subscribe(viewer);
        _hub.Publish(Picture(isKeyFrame: true, Milliseconds(1000)));
        _hub.NoteStopped();
        _hub.RequestKeyFrame();
        _hub.PublishNotice(Picture(isKeyFrame: true, Milliseconds(2000), "6742e01fd900a03db011000003000100000300320f162e48"));
        Assert.Equal(2, viewer.Count);
        Assert.False(_hub.TakeKeyFrameRequest(Milliseconds(3000)));
        Assert.False(_hub.IsProducing);
        Assert.Null(_hub.ProfileLevelId);
        Assert.Equal("42c01e", _hub.LastProfileLevelId);
    }

    [Fact]
    public void A_request_is_served_though_the_cameras_clock_has_gone_back()
    {
        _hub.Publish(Picture(isKeyFrame: true, Milliseconds(60_000)));
        _hub.RequestKeyFrame();
        Assert.True(_hub.TakeKeyFrameRequest(Milliseconds(10)));
    }

    [Fact]
    public void A_keyframe_that_comes_by_itself_answers_pending_requests()
    {
        _hub.RequestKeyFrame();
        _hub.Publish(Picture(isKeyFrame: true, Milliseconds(1000)));
        Assert.False(_hub.TakeKeyFrameRequest(Milliseconds(5000)));
        _hub.RequestKeyFrame();
        _hub.Publish(Picture(isKeyFrame: false, Milliseconds(5000)));
        Assert.True(_hub.TakeKeyFrameRequest(Milliseconds(5033)));
    }

    [Fact]
    public void A_new_subscriber_asks_for_a_keyframe_and_gets_pictures_until_it_leaves()
    {
        var first = new Counter();
        var second = new Counter();
        _hub.Subscribe(first);
        Assert.True(_hub.TakeKeyFrameRequest(Milliseconds(0)));
        _hub.Publish(Picture(isKeyFrame: true, Milliseconds(0)));
        _hub.Subscribe(second);
        Assert.Equal(2, _hub.SubscriberCount);
        Assert.True(_hub.TakeKeyFrameRequest(Milliseconds(300)));
        _hub.Publish(Picture(isKeyFrame: true, Milliseconds(300)));
        _hub.Unsubscribe(first);
        _hub.Publish(Picture(isKeyFrame: false, Milliseconds(333)));
        Assert.Equal((2, 2), (first.Count, second.Count));
        Assert.Equal(1, _hub.SubscriberCount);
    }

    [Fact]
    public void The_profile_is_the_encoders_until_a_parameter_set_says_otherwise()
    {
        _hub.SetProfileLevelId("42e01f");
        Assert.Null(_hub.ProfileLevelId);
        _hub.NoteFrame();
        Assert.Equal("42e01f", _hub.ProfileLevelId);
        _hub.Publish(Picture(isKeyFrame: true, Milliseconds(0)));
        Assert.Equal("42c01e", _hub.ProfileLevelId);
        _hub.Publish(Picture(isKeyFrame: true, Milliseconds(33), "674d4028eca03c0113f2e022000003000200000300641e30632c"));
        Assert.Equal("4d4028", _hub.ProfileLevelId);
        _hub.Publish(Picture(isKeyFrame: true, Milliseconds(66), "67ff"));
        Assert.Equal("4d4028", _hub.ProfileLevelId);
    }

    [Fact]
    public void A_camera_produces_while_frames_come_and_stops_with_them()
    {
        Assert.False(_hub.IsProducing);
        _hub.Publish(Picture(isKeyFrame: true, Milliseconds(0)));
        Assert.True(_hub.IsProducing);
        _clock.Advance(FrameHub.ProducingTimeout - Milliseconds(1));
        Assert.True(_hub.IsProducing);
        _clock.Advance(Milliseconds(1));
        Assert.False(_hub.IsProducing);
        Assert.Null(_hub.ProfileLevelId);
        _hub.NoteFrame();
        Assert.True(_hub.IsProducing);
        _hub.NoteStopped();
        Assert.False(_hub.IsProducing);
    }

    [Fact]
    public async Task Subscribing_while_pictures_are_published_loses_nobody()
    {
        using var stop = new CancellationTokenSource();
        var publishing = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                var picture = Picture(isKeyFrame: false, default);
                _hub.Publish(picture);
                picture.Release();
            }
        });
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 200; i++)
            {
                var counter = new Counter();
                _hub.Subscribe(counter);
                SpinWait.SpinUntil(() => counter.Count > 0);
                _hub.Unsubscribe(counter);
            }
        })));
        await stop.CancelAsync();
        await publishing;
        Assert.Equal(0, _hub.SubscriberCount);
    }

    private sealed class Counter : IAccessUnitSubscriber
    {
        private volatile int _count;

        public int Count => _count;

        public void OnAccessUnit(FrameHub hub, AccessUnit accessUnit) => _count++;
    }

    private sealed class VirtualClock : TimeProvider
    {
        private long _timestamp = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _timestamp;

        public void Advance(TimeSpan duration) => _timestamp += duration.Ticks;
    }
}
