using Agent.Devices.Snapshots;
using Agent.Devices.Sources;
using Microsoft.Extensions.Logging.Abstractions;
using static Agent.Devices.Tests.Encoders.Pictures;

namespace Agent.Devices.Tests.Snapshots;

public sealed class SnapshotTakerTests
{
    private const int Width = 320, Height = 240;

    private static readonly CameraOptions Camera = new() { Name = "porch" };

    private static CameraPipeline Start(FakeSource source)
    {
        var pipeline = new CameraPipeline(
            Camera, NullLoggerFactory.Instance, (_, demand) => source.Reopened(demand), [new FakeEncoderRoom().Rung], TimeProvider.System);
        pipeline.Start();
        return pipeline;
    }

    /// <summary>The picture of the JPEG file as limited-range planar 4:2:0.</summary>
    private static byte[] Decode(byte[] jpeg) =>
        FfmpegTool.Run("ffmpeg", "-f mjpeg -i - -vf scale=out_range=tv -pix_fmt yuv420p -f rawvideo -", jpeg);

    private static ReadOnlyMemory<byte> DrawPattern()
    {
        var pattern = new TestPattern(Width, Height);
        pattern.Draw(3, FirstInstant);
        return pattern.Picture;
    }

    private static byte[] Convert(ReadOnlyMemory<byte> picture, string arguments) =>
        FfmpegTool.Run("ffmpeg", $"-f rawvideo -pix_fmt yuv420p -s {Width}x{Height} -i - {arguments} -", picture.ToArray());

    private static async Task<Snapshot> TakeOf(VideoFormat format, byte[] bytes)
    {
        var source = new FakeSource(format);
        using var pipeline = Start(source);
        source.Deliver(format, TimeSpan.FromSeconds(1), bytes);
        var taken = new SnapshotTaker(pipeline).TakeAsync(CancellationToken.None);
        // Old enough for any exposure to have settled; again and again, since the taker listens from a moment that nobody knows.
        for (var i = 0; !taken.IsCompleted; i++) source.Deliver(format, TimeSpan.FromSeconds(10 + (i / 30.0)), bytes);
        return await taken;
    }

    [Theory]
    [InlineData(PixelFormat.Yu12, "-f rawvideo -pix_fmt yuv420p")]
    [InlineData(PixelFormat.Nv12, "-f rawvideo -pix_fmt nv12")]
    [InlineData(PixelFormat.Yuyv, "-f rawvideo -pix_fmt yuyv422")]
    [InlineData(PixelFormat.Mjpg, "-f mjpeg -c:v mjpeg -q:v 2 -pix_fmt yuvj422p")]
    [InlineData(PixelFormat.H264, "-f h264 -c:v libx264 -qp 10 -bf 0")]
    public async Task The_picture_is_what_the_camera_sees_whatever_it_delivers(PixelFormat pixelFormat, string ffmpegOutput)
    {
        var picture = DrawPattern();
        var snapshot = await TakeOf(new VideoFormat(pixelFormat, Width, Height, 30, 1), Convert(picture, ffmpegOutput));
        Assert.Null(snapshot.Problem);
        var decoded = Decode(snapshot.Jpeg!);
        Assert.True(PeakSignalToNoise(picture.Span, decoded) > 30, $"{PeakSignalToNoise(picture.Span, decoded):0.0} dB");
    }

    [Fact]
    public async Task A_cameras_own_JPEG_picture_is_given_as_it_came()
    {
        var jpeg = Convert(DrawPattern(), "-f mjpeg -c:v mjpeg -q:v 2 -pix_fmt yuvj422p");
        Assert.Equal(jpeg, (await TakeOf(new VideoFormat(PixelFormat.Mjpg, Width, Height, 30, 1), jpeg)).Jpeg);
    }

    [Fact]
    public async Task A_damaged_JPEG_picture_without_tables_is_a_problem_in_words()
    {
        var snapshot = await TakeOf(new VideoFormat(PixelFormat.Mjpg, Width, Height, 30, 1), [0xFF, 0xD8, 0xFF, 0xDA, 0, 2]);
        Assert.Equal("Camera \"porch\": the camera's JPEG picture is damaged.", snapshot.Problem);
    }

    [Fact]
    public async Task A_camera_that_gives_nothing_says_so()
    {
        using var pipeline = Start(new FakeSource(Yu12(Width, Height)));
        Assert.Equal("Camera \"porch\" produces nothing: no frame has come yet.", (await new SnapshotTaker(pipeline).TakeAsync(CancellationToken.None)).Problem);
    }

    [Fact]
    public async Task Those_who_ask_at_the_same_time_share_one_picture_and_the_tap_is_left_alone_afterwards()
    {
        var source = new FakeSource(Yu12(Width, Height));
        using var pipeline = Start(source);
        var picture = DrawPattern().ToArray();
        source.Deliver(source.Format, TimeSpan.FromSeconds(1), picture);
        var taker = new SnapshotTaker(pipeline);
        var first = taker.TakeAsync(CancellationToken.None);
        var second = taker.TakeAsync(CancellationToken.None);
        for (var i = 0; !first.IsCompleted; i++) source.Deliver(source.Format, TimeSpan.FromSeconds(10 + (i / 30.0)), picture);
        Assert.Same((await first).Jpeg, (await second).Jpeg);
        Assert.False(pipeline.Tap.HasListeners);
    }
}
