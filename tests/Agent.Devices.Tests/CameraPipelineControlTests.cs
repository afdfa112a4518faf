using Agent.Devices.Probe;
using Agent.Devices.Sources;
using static Agent.Devices.Tests.PipelineRig;

namespace Agent.Devices.Tests;

/// <summary>What can be changed while a camera runs.</summary>
public sealed class CameraPipelineControlTests
{
    [Fact]
    public void A_control_is_set_at_once_and_again_when_the_camera_comes_back()
    {
        var controls = new FakeControls();
        var source = new FakeSource(Small) { Controls = controls };
        using var rig = new PipelineRig(source);
        rig.Deliver();
        var changes = 0;
        rig.Pipeline.ControlsChanged += () => Interlocked.Increment(ref changes);
        Assert.Equal(new ControlOutcome(true, 100, "brightness is 100 at most"), rig.Pipeline.SetControl("brightness", "140"));
        Assert.Equal(1, changes);
        Assert.False(rig.Pipeline.SetControl("hue", "3").IsSet);
        Assert.Equal("brightness", Assert.Single(rig.Pipeline.ListControls()).Key);

        source.OpeningFailure = new VideoSourceException("camera /dev/video9: no such device node") { Failure = SourceFailure.Absent };
        source.Fail("camera /dev/video9: unplugged", SourceFailure.Absent);
        Wait.Until(() => rig.Status.Error is { } error && error.Contains("no such device node", StringComparison.Ordinal), "the camera away");
        Assert.Empty(rig.Pipeline.ListControls());
        Assert.Equal(3, changes);
        Assert.Equal(
            new ControlOutcome(false, 0, "the camera is away; contrast is set to 7 when it is back"), rig.Pipeline.SetControl("contrast", "7"));

        controls.Wishes.Clear();
        source.OpeningFailure = null;
        source.WaitUntilOpened(2);
        rig.Deliver();
        Assert.Equal([("brightness", "140"), ("contrast", "7")], controls.Wishes);
        Wait.Until(() => changes == 5, "word of the controls that are back");
    }

    [Fact]
    public void A_camera_without_controls_says_so()
    {
        using var rig = new PipelineRig(Small);
        rig.Deliver();
        Assert.Equal(new ControlOutcome(false, 0, "this camera has no controls"), rig.Pipeline.SetControl("brightness", "1"));
        Assert.Empty(rig.Pipeline.ListControls());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_camera_that_encodes_itself_is_told_the_bitrate(bool canSet)
    {
        var source = new FakeSource(SmallH264) { CanSetBitrate = canSet };
        using var rig = new PipelineRig(source);
        rig.Deliver(FakeEncoderRoom.KeyFrame);
        Assert.Empty(source.Bitrates);
        rig.Pipeline.SetBitrate(700_000);
        rig.Deliver(OtherFrame);
        rig.Deliver(OtherFrame);
        Assert.Equal([700_000], source.Bitrates);
        Assert.Equal(canSet ? 0 : 1, rig.Log.Lines.Count(static line => line.Contains("cannot change its bitrate", StringComparison.Ordinal)));
        source.Fail("gone");
        source.WaitUntilOpened(2);
        Assert.Equal(700_000, source.Demand!.Encoder.BitrateBps);
    }

    private sealed class FakeControls : ICameraControls
    {
        public List<(string Name, string Value)> Wishes { get; } = [];

        public IReadOnlyList<ControlReport> List() => [new(1, "brightness", "Brightness", "integer", 0, 100, 1, 50, 50, [], null)];

        public ControlOutcome Set(string name, string value)
        {
            Wishes.Add((name, value));
            return name switch
            {
                "brightness" => new ControlOutcome(true, 100, "brightness is 100 at most"),
                "contrast" => new ControlOutcome(true, 7, null),
                _ => new ControlOutcome(false, 0, $"no control {name}"),
            };
        }
    }
}
