using System.Diagnostics;
using Agent.Devices.Sources;

namespace Agent.Devices.Tests.Sources;

/// <summary>Against a program that takes rpicam-vid's options and writes what it would write, made by ffmpeg.</summary>
public sealed class RpicamCameraTests : IDisposable
{
    private const string Common = "--timeout 0 --nopreview --flush --output -";

    private readonly string _directory = Directory.CreateTempSubdirectory("rpicam").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>A stand-in by that name, which notes its arguments and then does as the script says.</summary>
    private void Install(string program, string script)
    {
        var path = Path.Combine(_directory, program);
        File.WriteAllText(path, $"#!/bin/sh\necho \"$@\" > {_directory}/arguments\necho 'libcamera talks' >&2\n{script}\n");
        using var chmod = Process.Start("chmod", ["+x", path]);
        chmod.WaitForExit();
    }

    private string Arguments => File.ReadAllText(Path.Combine(_directory, "arguments")).Trim();

    private ChildVideoSource Open(VideoSourceOptions options, OwnH264Use ownH264, bool hasHardwareEncoder, VideoEncoderOptions? encoder = null) =>
        RpicamCamera.Open(options, SourceDemand.Default with { OwnH264 = ownH264, Encoder = encoder ?? new VideoEncoderOptions() }, _directory, () => hasHardwareEncoder);

    private static string Ffmpeg(string size, string output) => $"exec ffmpeg -v error -re -f lavfi -i testsrc2=size={size}:rate=30 {output} -";

    private static VideoSourceOptions Options => new() { Kind = VideoSourceKind.Rpicam, Width = 640, Height = 480, FrameRate = 30, CameraIndex = 1, Arguments = ["--hflip", "--ev", "0.5"] };

    [Fact]
    public void With_a_hardware_encoder_rpicam_vid_encodes_with_short_distances_between_keyframes()
    {
        Install("rpicam-vid", Ffmpeg("640x480", "-c:v libx264 -profile:v baseline -g 30 -f h264"));
        using var source = Open(Options, OwnH264Use.WhereItServes, hasHardwareEncoder: true, new VideoEncoderOptions { BitrateBps = 1_500_000 });
        using var frame = source.ReadFrame(CancellationToken.None)!;
        Assert.Equal((PixelFormat.H264, 640, 480), (frame.Format.PixelFormat, frame.Format.Width, frame.Format.Height));
        Assert.Equal("rpicam 1 (rpicam-vid)", source.Description);
        Assert.Equal(
            $"--camera 1 --width 640 --height 480 --framerate 30 {Common} --codec h264 --inline --bitrate 1500000 --intra 30 --profile baseline --level 4 --hflip --ev 0.5",
            Arguments);
    }

    [Theory]
    [InlineData(OwnH264Use.WhereItServes, false)]
    [InlineData(OwnH264Use.Never, true)]
    [InlineData(OwnH264Use.Never, false)]
    public void Without_one_or_with_an_encoder_chosen_it_gives_pictures(OwnH264Use ownH264, bool hasHardwareEncoder)
    {
        Install("rpicam-vid", Ffmpeg("640x480", "-pix_fmt yuv420p -f rawvideo"));
        using var source = Open(Options, ownH264, hasHardwareEncoder);
        using var frame = source.ReadFrame(CancellationToken.None)!;
        Assert.Equal((PixelFormat.Yu12, 640, 480, 3), (frame.Format.PixelFormat, frame.Format.Width, frame.Format.Height, frame.PlaneCount));
        Assert.Equal($"--camera 1 --width 640 --height 480 --framerate 30 {Common} --codec yuv420 --hflip --ev 0.5", Arguments);
        Assert.Empty(source.Notes);
    }

    [Fact]
    public void Its_pictures_of_full_range_become_those_of_limited_range()
    {
        Install("rpicam-vid", "tr '\\0' '\\377' < /dev/zero | head -c 307200; head -c 76800 /dev/zero; tr '\\0' '\\200' < /dev/zero | head -c 76800; exec sleep 1000");
        using var source = Open(Options, OwnH264Use.Never, hasHardwareEncoder: false);
        using var frame = source.ReadFrame(CancellationToken.None)!;
        // White is 235, chroma goes from 16 to 240, and grey stays in its middle (BT.601).
        Assert.False(frame.GetPlane(0).ContainsAnyExcept((byte)235));
        Assert.False(frame.GetPlane(1).ContainsAnyExcept((byte)16));
        Assert.False(frame.GetPlane(2).ContainsAnyExcept((byte)128));
    }

    [Theory]
    [InlineData(true, 1920, 60, "high", "--level 4.2")]
    [InlineData(false, 1280, 30, "main", "--level 4 --libav-format h264 --low-latency")]
    [InlineData(false, 3840, 30, "baseline", "--libav-format h264 --low-latency")]
    public void Passing_through_takes_its_H264_with_the_level_that_is_needed(bool hasHardwareEncoder, int width, int frameRate, string profile, string end)
    {
        Install("rpicam-vid", "exit 0");
        var options = Options with { Width = width, Height = width * 9 / 16, FrameRate = frameRate, Arguments = [] };
        using var source = Open(options, OwnH264Use.Always, hasHardwareEncoder, new VideoEncoderOptions
        {
            Profile = profile switch { "high" => H264Profile.High, "main" => H264Profile.Main, _ => H264Profile.ConstrainedBaseline },
        });
        Assert.Throws<VideoSourceException>(() => source.ReadFrame(CancellationToken.None));
        Assert.EndsWith($"--codec h264 --inline --bitrate 2000000 --intra {frameRate} --profile {profile} {end}", Arguments, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(800, 768)]
    [InlineData(1296, 1280)]
    [InlineData(320, 384)]
    [InlineData(32, 128)]
    [InlineData(1920, 1920)]
    public void Pictures_have_a_width_at_which_lines_have_no_padding(int wish, int width)
    {
        Install("rpicam-vid", "exec sleep 1000");
        using var source = Open(Options with { Width = wish }, OwnH264Use.Never, hasHardwareEncoder: false);
        Assert.Equal((width, 480), (source.Format.Width, source.Format.Height));
        Assert.Equal(wish == width ? 0 : 1, source.Notes.Count);
        using var encoded = Open(Options with { Width = wish }, OwnH264Use.Always, hasHardwareEncoder: false);
        Assert.Equal(wish, encoded.Format.Width);
    }

    [Fact]
    public void A_format_in_the_configuration_overrules()
    {
        Install("rpicam-vid", Ffmpeg("640x480", "-c:v mjpeg -f mjpeg"));
        using (var source = Open(Options with { PixelFormat = "MJPG" }, OwnH264Use.WhereItServes, hasHardwareEncoder: true))
        {
            using var frame = source.ReadFrame(CancellationToken.None)!;
            Assert.Equal(PixelFormat.Mjpg, frame.Format.PixelFormat);
            Assert.EndsWith("--codec mjpeg --hflip --ev 0.5", Arguments, StringComparison.Ordinal);
        }
        using (var source = Open(Options with { PixelFormat = "yu12" }, OwnH264Use.WhereItServes, hasHardwareEncoder: true))
            Assert.Equal(PixelFormat.Yu12, source.Format.PixelFormat);
        Assert.Equal(
            "rpicam: rpicam-vid does not write NV12; set source.pixelFormat to H264, YU12 or MJPG, or remove it",
            Assert.Throws<VideoSourceException>(() => Open(Options with { PixelFormat = "NV12" }, OwnH264Use.Never, false)).Message);
    }

    [Fact]
    public void Older_systems_call_it_libcamera_vid_and_neither_is_told_by_package()
    {
        var missing = Assert.Throws<VideoSourceException>(() => Open(Options, OwnH264Use.Never, false));
        Assert.Equal(
            "rpicam: neither rpicam-vid nor libcamera-vid is in PATH; install the package rpicam-apps (Raspberry Pi OS: sudo apt install rpicam-apps)",
            missing.Message);
        Assert.Equal(SourceFailure.Absent, missing.Failure);
        Install("libcamera-vid", "exec sleep 1000");
        using (var source = Open(Options, OwnH264Use.Never, false)) Assert.Equal("rpicam 1 (libcamera-vid)", source.Description);
        Install("rpicam-vid", "exec sleep 1000");
        using (var source = Open(Options, OwnH264Use.Never, false)) Assert.Equal("rpicam 1 (rpicam-vid)", source.Description);
    }

    [Fact]
    public void A_camera_that_is_not_there_is_told_in_rpicam_vids_words()
    {
        Install("rpicam-vid", "echo 'ERROR: *** no cameras available ***' >&2; exit 255");
        using var source = Open(Options, OwnH264Use.Never, false);
        Assert.Equal(
            "rpicam: \"rpicam-vid\" ended with status 255: ERROR: *** no cameras available ***",
            Assert.Throws<VideoSourceException>(() => source.ReadFrame(CancellationToken.None)).Message);
    }
}
