using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Tests.V4l2;

public sealed class V4l2M2mDeviceTests
{
    private const uint Codec = V4L2_CAP_VIDEO_M2M_MPLANE | V4L2_CAP_STREAMING;

    /// <summary>The nodes of a Raspberry Pi 4, as its drivers describe them: only one of them is an encoder.</summary>
    [Theory]
    [InlineData("bcm2835-codec-decode", Codec, new[] { V4L2_PIX_FMT_YUV420, V4L2_PIX_FMT_NV12 }, new[] { V4L2_PIX_FMT_H264 }, null)]
    [InlineData("bcm2835-codec-encode", Codec, new[] { V4L2_PIX_FMT_H264 }, new[] { V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_YUV420, V4L2_PIX_FMT_NV12 }, "Nv12 Yu12 Yuyv")]
    [InlineData("bcm2835-codec-isp", Codec, new[] { V4L2_PIX_FMT_YUV420 }, new[] { V4L2_PIX_FMT_YUV420 }, null)]
    [InlineData("bcm2835-codec-encode_image", Codec, new[] { V4L2_PIX_FMT_JPEG, V4L2_PIX_FMT_MJPEG }, new[] { V4L2_PIX_FMT_YUV420 }, null)]
    [InlineData("webcam", V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING, new[] { V4L2_PIX_FMT_H264 }, new uint[0], null)]
    [InlineData("two halves", V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_OUTPUT, new[] { V4L2_PIX_FMT_H264 }, new[] { V4L2_PIX_FMT_YUV420M, V4L2_PIX_FMT_NV12M }, "Nv12 Yu12")]
    [InlineData("only unknown raw formats", Codec, new[] { V4L2_PIX_FMT_H264 }, new[] { V4L2_PIX_FMT_MJPEG }, null)]
    public void An_encoder_is_what_takes_raw_frames_and_gives_H264(string card, uint caps, uint[] gives, uint[] takes, string? formats)
    {
        var device = V4l2M2mDevice.Recognize("/dev/video11", new V4l2Capability("driver", card, "bus", caps), gives, takes, [], V4L2_PIX_FMT_H264);

        Assert.Equal(formats, device is null ? null : string.Join(' ', device.PixelFormats));
    }

    [Fact]
    public void Sizes_outside_what_the_driver_lists_are_not_for_it()
    {
        var device = new V4l2M2mDevice("/dev/video11", "card", "bus", [V4l2PixelFormat.Supported[0]], [new V4l2SizeRange(32, 1920, 2, 32, 1920, 2)]);

        Assert.True(device.Takes(1080, 1920));
        Assert.False(device.Takes(3840, 2160));
        Assert.False(device.Takes(16, 16));
    }

    [Fact]
    public void What_is_in_the_way_is_named_with_its_mend()
    {
        Assert.Equal("no V4L2 device here encodes H.264", V4l2M2mDevices.Obstacle([], []));
        Assert.Equal(
            "no V4L2 device here encodes H.264; /dev/video31 (bcm2835-codec-encode_image) makes JPEG pictures only; "
            + "permission denied for /dev/video11, so add the agent's user to group video (sudo usermod -aG video USER) and start it anew",
            V4l2M2mDevices.Obstacle(["/dev/video11"], ["/dev/video31 (bcm2835-codec-encode_image)"]));
    }

    [Fact]
    public void Nodes_that_are_no_V4L2_devices_are_no_encoders()
    {
        using var folder = new TemporaryNodes("video0", "video11", "videos");

        Assert.Empty(V4l2M2mDevices.Find(folder.Path, V4L2_PIX_FMT_H264, out var obstacle));
        Assert.Equal("no V4L2 device here encodes H.264", obstacle);
    }

    [Fact]
    public void A_node_that_is_gone_cannot_be_opened_and_says_so()
    {
        var device = new V4l2M2mDevice("/dev/video-none", "bcm2835-codec-encode", "bus", [V4l2PixelFormat.Supported[0]], []);

        var failure = Assert.Throws<VideoEncoderException>(() => new V4l2M2mEncoder(
            new VideoEncoderOptions(), new VideoFormat(PixelFormat.Nv12, 640, 480, 30, 1), new Agent.Media.AccessUnitPool(), _ => { }, device,
            Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance));

        Assert.Equal("encoder /dev/video-none (bcm2835-codec-encode): open: No such file or directory", failure.Message);
    }

    /// <summary>A folder with plain files instead of device nodes.</summary>
    private sealed class TemporaryNodes : IDisposable
    {
        public TemporaryNodes(params string[] names)
        {
            foreach (var name in names) File.WriteAllText(System.IO.Path.Combine(Path, name), "");
        }

        public string Path { get; } = Directory.CreateTempSubdirectory("camera-agent-nodes").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
