using System.Text.Json;
using Agent.Devices.Probe;
using Agent.Devices.Sources;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Tests.V4l2;

/// <summary>The suggestion for machines made up of reports; tests/vm has the agent check the one for its cameras.</summary>
public sealed class ConfigurationSuggestionTests
{
    private static readonly FormatReport Usable = new("YUYV", "YUYV 4:2:2", true, []);
    private static readonly FormatReport Bayer = new("pRAA", "10-bit Bayer RGRG Packed", false, []);

    [Fact]
    public void Every_usable_camera_has_a_name_of_its_own_and_a_path_that_lasts()
    {
        var report = new ProbeReport(
            [
                Camera("/dev/video0", "HD Pro Webcam C920: HD Pro Webc", "uvcvideo", "serial:A1"),
                Camera("/dev/video2", "HD Pro Webcam C920", "uvcvideo", "bus:usb-xhci-hcd.0-1"),
                Camera("/dev/video4", "???", "uvcvideo", "/dev/video4"),
                Camera("/dev/video5", "Busy", "uvcvideo", "/dev/video5") with { Problem = "permission denied" },
                Camera("/dev/video6", "Thermal", "uvcvideo", "/dev/video6") with { Formats = [Bayer] },
            ],
            []);

        using var json = JsonDocument.Parse(ConfigurationSuggestion.Write(report, hasRpicam: true));

        Assert.Equal(
            ["hd-pro-webcam-c920 v4l2 serial:A1", "hd-pro-webcam-c920-2 v4l2 bus:usb-xhci-hcd.0-1", "camera v4l2 /dev/video4"],
            Sources(json).Select(source => $"{source.Name} {source.Kind} {source.Which}"));
    }

    [Fact]
    public void Raw_nodes_of_a_CSI_camera_become_one_rpicam_source()
    {
        var report = new ProbeReport(
            [
                Csi("/dev/video0", "unicam", "platform:fe801000.csi"), Csi("/dev/video1", "unicam", "platform:fe801000.csi"),
                Csi("/dev/video14", "bcm2835-isp", "platform:bcm2835-isp"),
            ],
            []);

        using var json = JsonDocument.Parse(ConfigurationSuggestion.Write(report, hasRpicam: true));

        Assert.Equal(["csi rpicam 0"], Sources(json).Select(source => $"{source.Name} {source.Kind} {source.Which}"));
        Assert.Equal("{}", ConfigurationSuggestion.Write(report, hasRpicam: false));
    }

    [Theory]
    [InlineData("unicam", V4L2_CAP_VIDEO_CAPTURE, true, false)] // an HDMI bridge on the CSI port
    [InlineData("unicam", V4L2_CAP_VIDEO_CAPTURE, false, true)]
    [InlineData("unicam", V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_IO_MC, true, true)]
    [InlineData("rp1-cfe", V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_IO_MC, false, true)]
    [InlineData("bcm2835-isp", V4L2_CAP_VIDEO_CAPTURE, true, true)]
    [InlineData("uvcvideo", V4L2_CAP_VIDEO_CAPTURE, false, false)]
    public void Raw_nodes_are_known_by_driver_and_offer(string driver, uint caps, bool offersPictures, bool isRaw) =>
        Assert.Equal(isRaw, CsiCamera.IsRaw(new V4l2Capability(driver, "", "", caps), offersPictures ? [Usable] : [Bayer]));

    private static CameraReport Camera(string path, string card, string driver, string stablePath) =>
        new(path, card, driver, "usb", null, [Usable], []) { StablePath = stablePath };

    private static CameraReport Csi(string path, string driver, string bus) =>
        new(path, driver, driver, bus, CsiCamera.Problem, [Bayer], []) { IsCsi = true };

    private static IEnumerable<(string Name, string Kind, string Which)> Sources(JsonDocument json) =>
        from camera in json.RootElement.GetProperty("cameras").EnumerateObject()
        let source = camera.Value.GetProperty("source")
        let which = source.EnumerateObject().ElementAt(1)
        select (camera.Name, source.GetProperty("kind").GetString()!, which.Value.ToString());
}
