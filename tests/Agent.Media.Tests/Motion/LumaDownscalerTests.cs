using Agent.Media.Motion;

namespace Agent.Media.Tests.Motion;

/// <summary>The coarse picture against one pixel at a time.</summary>
public sealed class LumaDownscalerTests
{
    public static TheoryData<int, int, int> Sizes()
    {
        var sizes = new TheoryData<int, int, int>();
        foreach (var (width, height) in new[]
        {
            (1, 1), (1, 2), (2, 1), (3, 5), (7, 7), (15, 17), (16, 16), (17, 15), (31, 33), (79, 45), (80, 45), (81, 46), (320, 180), (322, 242), (641, 361),
            (1280, 720), (1920, 1080), (1080, 1920), (4096, 16), (16, 4096), (2048, 1),
        })
        {
            foreach (var padding in new[] { 0, 1, 64 }) sizes.Add(width, height, padding);
        }
        return sizes;
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Every_cell_is_the_rounded_mean_of_its_pixels_in_both_layouts(int width, int height, int padding)
    {
        var random = new Random((width * 7919) + height);
        foreach (var layout in new[] { LumaLayout.Planar, LumaLayout.EverySecond })
        {
            var step = layout == LumaLayout.Planar ? 1 : 2;
            var bytesPerLine = (width * step) + padding;
            // As short as a plane can be: it ends with its last sample of luma.
            var plane = new byte[((height - 1) * bytesPerLine) + ((width - 1) * step) + 1];
            random.NextBytes(plane);
            var downscaler = new LumaDownscaler(width, height);
            var cells = new ushort[downscaler.Grid.Count];
            downscaler.Downscale(plane, bytesPerLine, layout, cells);
            Assert.Equal(OnePixelAtATime(plane, width, height, bytesPerLine, step, downscaler.Grid), cells);
        }
    }

    [Fact]
    public void White_and_black_come_out_as_they_are()
    {
        var downscaler = new LumaDownscaler(4096, 4096);
        var cells = new ushort[downscaler.Grid.Count];
        var plane = new byte[4096 * 4096];
        Array.Fill(plane, byte.MaxValue);
        downscaler.Downscale(plane, 4096, LumaLayout.Planar, cells);
        Assert.All(cells, static cell => Assert.Equal(255 * LumaGrid.Precision, cell));
        Array.Clear(plane);
        downscaler.Downscale(plane, 4096, LumaLayout.Planar, cells);
        Assert.All(cells, static cell => Assert.Equal(0, cell));
    }

    [Theory]
    [InlineData(1920, 1080, 80, 45)]
    [InlineData(640, 480, 80, 60)]
    [InlineData(1080, 1920, 45, 80)]
    [InlineData(40, 30, 40, 30)]
    [InlineData(1, 1, 1, 1)]
    [InlineData(4096, 16, 80, 1)]
    public void The_grid_keeps_the_pictures_shape(int width, int height, int columns, int rows) =>
        Assert.Equal(new LumaGrid(columns, rows), LumaGrid.For(width, height));

    [Fact]
    public void A_plane_that_is_too_short_and_lines_that_overlap_are_refused()
    {
        var downscaler = new LumaDownscaler(64, 36);
        var cells = new ushort[downscaler.Grid.Count];
        Assert.Throws<ArgumentException>(() => downscaler.Downscale(new byte[(64 * 36) - 1], 64, LumaLayout.Planar, cells));
        Assert.Throws<ArgumentException>(() => downscaler.Downscale(new byte[64 * 36], 63, LumaLayout.Planar, cells));
        Assert.Throws<ArgumentException>(() => downscaler.Downscale(new byte[(128 * 36) - 2], 128, LumaLayout.EverySecond, cells));
        Assert.Throws<ArgumentException>(() => downscaler.Downscale(new byte[64 * 36], 64, LumaLayout.Planar, cells.AsSpan(1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LumaDownscaler(0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LumaDownscaler(1, 20561));
    }

    private static ushort[] OnePixelAtATime(byte[] plane, int width, int height, int bytesPerLine, int step, LumaGrid grid)
    {
        var cells = new ushort[grid.Count];
        for (var cell = 0; cell < cells.Length; cell++)
        {
            var (column, row) = (cell % grid.Columns, cell / grid.Columns);
            long sum = 0, count = 0;
            for (var y = row * height / grid.Rows; y < (row + 1) * height / grid.Rows; y++)
            {
                for (var x = column * width / grid.Columns; x < (column + 1) * width / grid.Columns; x++, count++) sum += plane[(y * bytesPerLine) + (x * step)];
            }
            cells[cell] = (ushort)Math.Floor((sum * (double)LumaGrid.Precision / count) + 0.5);
        }
        return cells;
    }
}
