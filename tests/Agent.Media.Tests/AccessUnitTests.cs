namespace Agent.Media.Tests;

public sealed class AccessUnitTests
{
    private static readonly byte[] KeyFrame = [0, 0, 0, 1, 0x67, 0x42, 0, 0, 0, 1, 0x68, 0xCE, 0, 0, 1, 0x65, 0x88, 0x80];
    private static readonly byte[] OtherFrame = [0, 0, 0, 1, 0x41, 0x9A, 1];

    [Fact]
    public void An_access_unit_knows_its_bytes_its_NAL_units_and_whether_it_is_a_keyframe()
    {
        var pool = new AccessUnitPool();
        var unit = pool.Create(KeyFrame, TimeSpan.FromSeconds(5));
        Assert.Equal(KeyFrame, unit.Data.ToArray());
        Assert.Equal([4..6, 10..12, 15..18], unit.NalUnits.ToArray());
        Assert.True(unit.IsKeyFrame);
        Assert.Equal(TimeSpan.FromSeconds(5), unit.CapturedAt);
        Assert.Equal([0x68, 0xCE], unit.FindNalUnit(NalUnitType.PictureParameterSet).ToArray());
        Assert.True(unit.FindNalUnit(NalUnitType.AccessUnitDelimiter).IsEmpty);
        Assert.False(pool.Create(OtherFrame, default).IsKeyFrame);
    }

    [Fact]
    public void The_buffer_returns_to_the_pool_with_the_last_reference_only()
    {
        var pool = new AccessUnitPool();
        var unit = pool.Create(KeyFrame, default);
        unit.AddReference();
        unit.Release();
        Assert.NotSame(unit, pool.Create(OtherFrame, default));
        Assert.Equal(KeyFrame, unit.Data.ToArray());
        unit.Release();
        Assert.Same(unit, pool.Create(OtherFrame, default));
        Assert.Equal(OtherFrame, unit.Data.ToArray());
    }

    [Fact]
    public void Releasing_or_referencing_a_unit_that_is_back_in_its_pool_is_a_bug_and_says_so()
    {
        var unit = new AccessUnitPool().Create(OtherFrame, default);
        unit.Release();
        Assert.Throws<InvalidOperationException>(unit.Release);
        Assert.Throws<InvalidOperationException>(unit.AddReference);
    }

    [Fact]
    public void Pictures_with_more_bytes_and_slices_than_expected_fit()
    {
        var slices = Enumerable.Repeat<byte[]>([0, 0, 1, 0x41, 0xFF], 40_000).SelectMany(static slice => slice).ToArray();
        var unit = new AccessUnitPool().Create(slices, default);
        Assert.Equal(40_000, unit.NalUnits.Length);
        Assert.Equal(slices, unit.Data.ToArray());
    }

    [Fact]
    public void Publishing_allocates_nothing_in_steady_state()
    {
        var pool = new AccessUnitPool();
        var hub = new FrameHub("main");
        var subscriber = new HoldingSubscriber();
        hub.Subscribe(subscriber);
        for (var i = 0; i < 100; i++) PublishOne(i);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 100; i < 10_000; i++) PublishOne(i);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void PublishOne(int i)
        {
            hub.TakeKeyFrameRequest(TimeSpan.FromMilliseconds(33 * i));
            var unit = pool.Create(i % 30 == 0 ? KeyFrame : OtherFrame, TimeSpan.FromMilliseconds(33 * i));
            hub.Publish(unit);
            unit.Release();
        }
    }

    /// <summary>Holds the last access unit while the next one is made, as a sender's queue does.</summary>
    private sealed class HoldingSubscriber : IAccessUnitSubscriber
    {
        private AccessUnit? _last;

        public void OnAccessUnit(FrameHub hub, AccessUnit accessUnit)
        {
            accessUnit.AddReference();
            _last?.Release();
            _last = accessUnit;
        }
    }
}
