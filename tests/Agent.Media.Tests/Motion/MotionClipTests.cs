using System.Globalization;
using Agent.Media.Motion;

namespace Agent.Media.Tests.Motion;

/// <summary>Clips that ffmpeg compresses, with what compression adds: blocks, ringing, and key frames that look unlike the pictures before.</summary>
public sealed class MotionClipTests
{
    private const int Width = 640, Height = 360, PicturesPerSecond = 5, Seconds = 30;

    /// <summary>A box walks in at ten seconds and out at sixteen.</summary>
    private const double Enters = 10, Leaves = 16;

    /// <summary>Cameras' encoders have been running for long: one that starves is still looking for its rate in the first seconds.</summary>
    private const int FirstPicture = 4 * PicturesPerSecond;

    private static readonly MotionSettings Settings = new() { HoldFor = TimeSpan.FromSeconds(4) };

    /// <summary>Encoders as cameras are set: a good rate, and one that starves; key frames come every two seconds.</summary>
    public static TheoryData<string, int> Encodings() => new()
    {
        { "-c:v libx264 -preset veryfast -b:v 1500k -g 20 -f h264", 6 },
        { "-c:v libx264 -preset veryfast -b:v 200k -maxrate 200k -bufsize 200k -g 20 -f h264", 6 },
        { "-c:v libx264 -preset ultrafast -tune zerolatency -crf 38 -g 20 -f h264", 6 },
        { "-c:v mjpeg -pix_fmt yuvj420p -q:v 5 -f mjpeg", 10 },
        { "-c:v mjpeg -pix_fmt yuvj420p -q:v 25 -f mjpeg", 10 },
    };

    [Theory]
    [MemberData(nameof(Encodings))]
    public void A_box_that_walks_through_is_one_motion_and_compression_is_none(string encoding, int noise)
    {
        Assert.Empty(Play(encoding, noise, hasBox: false));
        var changes = Play(encoding, noise, hasBox: true);
        Assert.Equal([true, false], changes.Select(static change => change.IsMoving));
        Assert.InRange(changes[0].Second, Enters, Enters + 1.2);
        Assert.InRange(changes[1].Second, Leaves + 3, Leaves + 4 + 3.6);
    }

    private static List<(double Second, bool IsMoving)> Play(string encoding, int noise, bool hasBox)
    {
        var still = string.Create(CultureInfo.InvariantCulture, $"-f lavfi -i mandelbrot=s={Width}x{Height}:r=10:start_scale=0.5,trim=end_frame=1,loop=loop=-1:size=1,setpts=N/10/TB");
        var box = string.Create(CultureInfo.InvariantCulture, $"-f lavfi -i color=c=0x707070:s=50x120:r=10");
        var walk = string.Create(CultureInfo.InvariantCulture, $"[0][1]overlay=x='if(between(t,{Enters},{Leaves}),-50+(t-{Enters})/{Leaves - Enters}*690,-100)':y=150:eval=frame[v];[v]");
        var filter = $"{(hasBox ? walk : "[0]")}noise=alls={noise}:allf=t+u:all_seed=7[o]";
        var container = encoding[(encoding.LastIndexOf(' ') + 1)..];
        var clip = FfmpegTool.Run("ffmpeg", $"-v error {still} {(hasBox ? box : "")} -filter_complex \"{filter}\" -map [o] -t {Seconds} {encoding} -");
        // Every second picture, by number: a bare JPEG stream has no times to go by.
        var luma = FfmpegTool.Run("ffmpeg", $"-v error -f {container} -i - -vf \"select='not(mod(n,2))',extractplanes=y\" -fps_mode passthrough -f rawvideo -", clip.Output).Output;
        Assert.InRange(luma.Length / (Width * Height), (Seconds * PicturesPerSecond) - 2, (Seconds * PicturesPerSecond) + 2);
        var downscaler = new LumaDownscaler(Width, Height);
        var detector = new MotionDetector(downscaler.Grid, Settings);
        var cells = new ushort[downscaler.Grid.Count];
        var changes = new List<(double, bool)>();
        for (var picture = FirstPicture; picture < luma.Length / (Width * Height); picture++)
        {
            downscaler.Downscale(luma.AsSpan(picture * Width * Height, Width * Height), Width, LumaLayout.Planar, cells);
            var second = picture / (double)PicturesPerSecond;
            if (detector.Look(cells, TimeSpan.FromSeconds(second))) changes.Add((second, detector.IsMoving));
        }
        return changes;
    }
}
