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
        [new EncoderReport("libx264", "libavcodec", null), new EncoderReport("bcm2835-codec", "v4l2-m2m", "/dev/video11")])
    {
        GpioChips =
        [
            new GpioChipReport("/dev/gpiochip0", "pinctrl-bcm2711", null,
                [
                    new GpioLineReport(0, "ID_SDA", null), new GpioLineReport(1, "", null), new GpioLineReport(2, "", null), new GpioLineReport(3, "", "onewire@0"),
                    new GpioLineReport(4, "", null), .. Enumerable.Range(5, 10).Select(offset => new GpioLineReport(offset, $"GPIO{offset}", null)), new GpioLineReport(15, "", null),
                ]),
            new GpioChipReport("/dev/gpiochip1", "", "Permission denied", []),
        ],
    };

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
            GPIO chips: offset and name of each line, and in brackets who uses it
              /dev/gpiochip0  pinctrl-bcm2711 (16 lines)
                0 ID_SDA, 1-2, 3 (onewire@0), 4, 5 GPIO5, 6 GPIO6, 7 GPIO7, 8 GPIO8, 9 GPIO9, 10 GPIO10, 11 GPIO11,
                12 GPIO12, 13 GPIO13, 14 GPIO14, 15
              /dev/gpiochip1  Permission denied
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
        Assert.Equal("onewire@0", json.RootElement.GetProperty("gpioChips")[0].GetProperty("lines")[3].GetProperty("usedBy").GetString());
        Assert.Equal("/dev/video11", json.RootElement.GetProperty("encoders")[1].GetProperty("path").GetString());
    }
}
