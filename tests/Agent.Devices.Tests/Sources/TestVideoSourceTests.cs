using Agent.Devices.Sources;

namespace Agent.Devices.Tests.Sources;

public sealed class TestVideoSourceTests
{
    private static readonly DateTimeOffset Instant = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    [Theory]
    [InlineData(256, 144)]
    [InlineData(640, 480)]
    [InlineData(1280, 720)]
    [InlineData(1920, 1080)]
    [InlineData(854, 480)]
    public void The_timecode_reads_at_every_size(int width, int height)
    {
        var pattern = new TestPattern(width, height);
        for (var frame = 0; frame < 5000; frame += 977)
        {
            pattern.Draw(frame, Instant + TimeSpan.FromMilliseconds(frame));
            Assert.True(Timecode.TryRead(pattern.Picture.Span, width, width, height, out var timecode));
            Assert.Equal(new Timecode(Instant.ToUnixTimeMilliseconds() + frame, frame & 0xFFF), timecode);
        }
    }

    [Fact]
    public void The_timecodes_geometry_is_the_documented_one()
    {
        var pattern = new TestPattern(854, 480);
        pattern.Draw(1, Instant);
        var luma = pattern.Picture.Span[..(854 * 480)];
        var bits = new Timecode(Instant.ToUnixTimeMilliseconds(), 1).ToBits();
        for (var y = 480 - 480 / 18; y < 480; y++)
        {
            for (var x = 0; x < 854; x++)
            {
                var cell = Enumerable.Range(0, 64).First(i => x < (i + 1) * 854 / 64);
                Assert.Equal((bits >> (63 - cell) & 1) != 0 ? 235 : 16, luma[y * 854 + x]);
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(255)]
    public void An_evenly_coloured_picture_has_no_timecode(byte luma)
    {
        var picture = new byte[640 * 480];
        Array.Fill(picture, luma);
        Assert.False(Timecode.TryRead(picture, 640, 640, 480, out _));
        Assert.False(Timecode.TryRead([], 640, 640, 480, out _));
    }

    [Fact]
    public void A_flipped_cell_fails_the_check()
    {
        var pattern = new TestPattern(640, 360);
        pattern.Draw(7, Instant);
        var picture = pattern.Picture.ToArray();
        for (var cell = 0; cell < 64; cell++)
        {
            var line = picture.AsSpan(640 * (360 - 10) + cell * 10, 10);
            var old = line[0];
            line.Fill(old == 16 ? (byte)235 : (byte)16);
            Assert.False(Timecode.TryRead(picture, 640, 640, 360, out _), $"cell {cell}");
            line.Fill(old);
        }
        Assert.True(Timecode.TryRead(picture, 640, 640, 360, out _));
    }

    [Fact]
    public void Only_the_clock_the_square_and_the_timecode_change_and_the_same_instant_draws_the_same_picture()
    {
        const int Width = 640, Height = 360;
        var pattern = new TestPattern(Width, Height);
        pattern.Draw(0, Instant);
        var first = pattern.Picture.ToArray();
        pattern.Draw(100, Instant + TimeSpan.FromSeconds(3.1));
        var second = pattern.Picture.ToArray();
        for (var y = 0; y < Height; y++)
        {
            for (var x = 0; x < Width; x++)
            {
                if (first[y * Width + x] == second[y * Width + x]) continue;
                var inTimecode = y >= Height - Height / 18;
                var inClock = y is > 90 and < 180 && x is > 100 and < 540;
                var inSquareBand = y is > 270 and < 340;
                Assert.True(inTimecode || inClock || inSquareBand, $"{x},{y} changed");
            }
        }
        Assert.Equal(first.AsSpan(Width * Height), second.AsSpan(Width * Height));
        pattern.Draw(0, Instant);
        Assert.Equal(first, pattern.Picture.ToArray());
        var other = new TestPattern(Width, Height);
        other.Draw(0, Instant);
        Assert.Equal(first, other.Picture.ToArray());
    }

    [Fact]
    public void The_bars_are_white_yellow_cyan_green_magenta_red_blue_black_for_ffmpeg_too()
    {
        const int Width = 640, Height = 360;
        var pattern = new TestPattern(Width, Height);
        pattern.Draw(0, Instant);
        var rgb = FfmpegTool.Run(
            "ffmpeg", $"-f rawvideo -pix_fmt yuv420p -s {Width}x{Height} -i - -f rawvideo -pix_fmt rgb24 -", pattern.Picture.ToArray());
        (int R, int G, int B)[] bars = [(191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191), (0, 0, 0)];
        for (var bar = 0; bar < bars.Length; bar++)
        {
            var pixel = 3 * (20 * Width + bar * 80 + 40);
            Assert.InRange(rgb[pixel], bars[bar].R - 3, bars[bar].R + 3);
            Assert.InRange(rgb[pixel + 1], bars[bar].G - 3, bars[bar].G + 3);
            Assert.InRange(rgb[pixel + 2], bars[bar].B - 3, bars[bar].B + 3);
        }
    }

    [Fact]
    public void Frames_come_at_the_frame_rate_by_absolute_deadlines_and_missed_ones_are_counted()
    {
        var clock = new SteppingClock();
        using var source = new TestVideoSource(new VideoSourceOptions { Width = 256, Height = 144, FrameRate = 10 }, clock);
        var start = Pacer.Now(clock);
        Assert.Equal(start, source.ReadFrame(CancellationToken.None)!.CapturedAt);
        clock.Step(TimeSpan.FromMilliseconds(130));
        Assert.Equal(start + TimeSpan.FromMilliseconds(100), source.ReadFrame(CancellationToken.None)!.CapturedAt);
        clock.Step(TimeSpan.FromMilliseconds(420));
        var late = source.ReadFrame(CancellationToken.None)!;
        Assert.Equal(start + TimeSpan.FromMilliseconds(500), late.CapturedAt);
        Assert.Equal(3, source.FramesDropped);
        // 50 ms late, it still shows the instant that it stands for.
        Assert.True(Timecode.TryRead(late.GetPlane(0), 256, 256, 144, out var timecode));
        Assert.Equal(clock.GetUtcNow().AddMilliseconds(-50).ToUnixTimeMilliseconds(), timecode.UnixMilliseconds);
        Assert.Equal(5, timecode.FrameNumber);
    }

    [Fact]
    public void A_stopped_source_returns_null_without_waiting_for_the_next_frame()
    {
        using var source = new TestVideoSource(new VideoSourceOptions { Width = 256, Height = 144, FrameRate = 1 });
        using var stop = new CancellationTokenSource();
        Assert.NotNull(source.ReadFrame(stop.Token));
        stop.Cancel();
        Assert.Null(source.ReadFrame(stop.Token));
    }

    [Fact]
    public void Drawing_allocates_nothing()
    {
        var clock = new SteppingClock();
        using var source = new TestVideoSource(new VideoSourceOptions { Width = 640, Height = 360, FrameRate = 30 }, clock);
        for (var i = 0; i < 50; i++) ReadOne();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 300; i++) ReadOne();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void ReadOne()
        {
            source.ReadFrame(CancellationToken.None)!.Dispose();
            clock.Step(TimeSpan.FromMilliseconds(34));
        }
    }

    [Theory]
    [InlineData(641, 480, 30)]
    [InlineData(128, 72, 30)]
    [InlineData(640, 480, 0)]
    public void Impossible_sizes_and_rates_are_refused_with_the_mend(int width, int height, int rate)
    {
        var e = Assert.Throws<VideoSourceException>(() => new TestVideoSource(new VideoSourceOptions { Width = width, Height = height, FrameRate = rate }));
        Assert.Matches("use even numbers from 256x144|frame rate of at least 1", e.Message);
    }

    private sealed class SteppingClock : TimeProvider
    {
        private long _ticks = TimeSpan.TicksPerHour;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override long GetTimestamp() => _ticks;

        public override DateTimeOffset GetUtcNow() => Instant + TimeSpan.FromTicks(_ticks);

        public void Step(TimeSpan duration) => _ticks += duration.Ticks;
    }
}
