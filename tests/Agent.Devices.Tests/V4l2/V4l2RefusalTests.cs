using Agent.Devices.Probe;
using Agent.Devices.Sources;
using Agent.Interop.V4l2;

namespace Agent.Devices.Tests.V4l2;

/// <summary>What can be seen of errors without a driver; tests/vm shows them, and everything else, with drivers.</summary>
public sealed class V4l2RefusalTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("agent-v4l2-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_missing_node_is_named_with_the_mend()
    {
        var path = Path.Combine(_directory, "video7");

        var exception = Assert.Throws<VideoSourceException>(() => new V4l2Camera(new VideoSourceOptions { Path = path }, SourceDemand.Default));

        Assert.StartsWith($"camera {path}: no such device node; plug the camera in, or choose", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_is_not_taken_for_a_camera()
    {
        var path = Path.Combine(_directory, "video0");
        File.WriteAllText(path, "no driver here");

        var exception = Assert.Throws<VideoSourceException>(() => new V4l2Camera(new VideoSourceOptions { Path = path }, SourceDemand.Default));

        Assert.Contains($"camera {path}: is no V4L2 device at all", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_source_without_a_path_is_told_what_is_missing()
    {
        var exception = Assert.Throws<VideoSourceException>(() => new V4l2Camera(new VideoSourceOptions(), SourceDemand.Default));

        Assert.Contains("/dev/video0", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(V4l2Errno.EACCES, "group video", SourceFailure.Failed)]
    [InlineData(V4l2Errno.EBUSY, "in use by another program", SourceFailure.InUse)]
    [InlineData(V4l2Errno.ENODEV, "plug the camera in again", SourceFailure.Absent)]
    public void Errors_of_opening_name_the_mend(int errno, string mend, SourceFailure failure)
    {
        var exception = V4l2Failure.Opening("/dev/video0", errno);

        Assert.Contains(mend, exception.Message, StringComparison.Ordinal);
        Assert.Equal(failure, exception.Failure);
    }

    [Theory]
    [InlineData(V4l2Errno.ENODEV, SourceFailure.Absent)]
    [InlineData(V4l2Errno.EIO, SourceFailure.Stopped)]
    public void A_broken_stream_tells_an_unplugged_camera_from_a_stopped_one(int errno, SourceFailure failure) =>
        Assert.Equal(failure, V4l2Failure.Streaming("/dev/video0", "VIDIOC_DQBUF", errno).Failure);

    [Fact]
    public void A_raw_CSI_node_is_answered_with_the_source_that_reads_it()
    {
        Assert.Contains("use source kind rpicam", V4l2Failure.Starting("/dev/video0", "rp1-cfe", V4l2Errno.EPIPE).Message, StringComparison.Ordinal);
        Assert.Contains(
            "use source kind rpicam",
            V4l2Failure.NoFormat(new VideoSourceOptions { Path = "/dev/video0" }, OwnH264Use.WhereItServes, [0x41415270], "unicam").Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain("rpicam", V4l2Failure.Starting("/dev/video0", "uvcvideo", V4l2Errno.EPIPE).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_probe_walks_video_nodes_by_number_and_says_why_one_cannot_be_used()
    {
        foreach (var name in (string[])["video10", "video2", "video", "videos", "v4l-subdev0"])
        {
            File.WriteAllText(Path.Combine(_directory, name), "");
        }

        var cameras = CameraProbe.Enumerate(_directory);

        Assert.Equal(["video2", "video10"], cameras.Select(camera => Path.GetFileName(camera.Path)));
        Assert.All(cameras, camera => Assert.Contains("no V4L2 device at all", camera.Problem, StringComparison.Ordinal));
        Assert.DoesNotContain(EncoderProbe.Enumerate(_directory), encoder => encoder.Kind == "v4l2-m2m");
    }
}
