using System.Text.Json;
using Agent.CommandLine;
using Agent.Devices.Probe;
using Agent.Http;

namespace Agent.Tests.CommandLine;

public sealed class ProbeTests
{
    private static readonly ProbeReport Report = new(
        [
            new CameraReport("/dev/video0", "HD Webcam", "uvcvideo", "usb-1", null,
                [
                    new FormatReport("YUYV", "YUYV 4:2:2", true, [new SizeReport(640, 480, 640, 480, [30, 7.5])]),
                    new FormatReport("Z16 ", "Depth", false, [new SizeReport(16, 16, 1920, 1080, [])]),
                ],
                []),
            new CameraReport("/dev/video1", "", "", "", "Permission denied: join the group video.", [], []),
        ],
        [new EncoderReport("libx264", "libavcodec", null), new EncoderReport("bcm2835-codec", "v4l2-m2m", "/dev/video11")]);

    [Fact]
    public void People_read_cameras_with_formats_sizes_and_rates_and_the_encoders()
    {
        var output = new StringWriter { NewLine = "\n" };
        ProbeText.Write(Report, output);
        Assert.Equal(
            """
            Cameras
              /dev/video0  HD Webcam (uvcvideo, usb-1)
                YUYV  YUYV 4:2:2
                  640x480 at 30, 7.5 fps
                Z16   Depth (the agent cannot use it)
                  16x16 to 1920x1080
              /dev/video1
                Permission denied: join the group video.
            H.264 encoders
              libx264 (libavcodec)
              bcm2835-codec (v4l2-m2m, /dev/video11)
            Configuration for these cameras ('camera-agent probe --config' prints only this)
            {
              "cameras": {
                "hd-webcam": {
                  "source": {
                    "kind": "v4l2",
                    "path": "/dev/video0"
                  }
                }
              }
            }

            """,
            output.ToString());
    }

    [Fact]
    public void A_machine_with_nothing_says_so_with_the_mend()
    {
        var output = new StringWriter();
        ProbeText.Write(new ProbeReport([], []), output);
        Assert.Contains("No cameras", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("install libavcodec", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Programs_read_the_same_as_json()
    {
        using var json = JsonDocument.Parse(JsonSerializer.Serialize(Report, AgentJson.Default.ProbeReport));
        var camera = json.RootElement.GetProperty("cameras")[0];
        Assert.Equal("/dev/video0", camera.GetProperty("path").GetString());
        Assert.Equal(7.5, camera.GetProperty("formats")[0].GetProperty("sizes")[0].GetProperty("frameRates")[1].GetDouble());
        Assert.Equal("/dev/video11", json.RootElement.GetProperty("encoders")[1].GetProperty("path").GetString());
    }
}
