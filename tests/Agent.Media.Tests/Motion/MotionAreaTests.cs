using Agent.Media.Motion;

namespace Agent.Media.Tests.Motion;

public sealed class MotionAreaTests
{
    private static readonly LumaGrid Grid = new(80, 45);

    [Fact]
    public void The_whole_picture_covers_every_cell() => Assert.All(MotionArea.WholePicture.Cover(Grid), Assert.True);

    [Fact]
    public void A_rectangle_covers_the_cells_whose_middle_is_within()
    {
        var cells = MotionArea.Rectangle(0.25, 0, 0.25, 1).Cover(Grid);
        Assert.Equal(20 * 45, cells.Count(static isIn => isIn));
        Assert.Equal((false, true, true, false), (cells[19], cells[20], cells[39], cells[40]));
    }

    [Fact]
    public void A_polygon_that_winds_inwards_leaves_its_hollow_out()
    {
        // A U, open at the top.
        var u = new MotionArea([new(0, 0), new(0.3, 0), new(0.3, 0.7), new(0.7, 0.7), new(0.7, 0), new(1, 0), new(1, 1), new(0, 1)]);
        Assert.True(u.Contains(new(0.1, 0.2)));
        Assert.False(u.Contains(new(0.5, 0.2)));
        Assert.True(u.Contains(new(0.5, 0.9)));
        Assert.Equal(u.Cover(Grid), new MotionArea([.. u.Points.Reverse()]).Cover(Grid));
    }

    [Fact]
    public void An_area_between_the_cells_middles_is_the_cell_around_it()
    {
        var cells = MotionArea.Rectangle(0.5001, 0.5001, 0.001, 0.001).Cover(Grid);
        Assert.Equal((22 * 80) + 40, Assert.Single(Enumerable.Range(0, cells.Length), cell => cells[cell]));
        Assert.Equal([true], MotionArea.Rectangle(0.9, 0.9, 0.01, 0.01).Cover(new LumaGrid(1, 1)));
    }

    [Fact]
    public void Two_corners_are_no_area() => Assert.Throws<ArgumentOutOfRangeException>(() => new MotionArea([new(0, 0), new(1, 1)]));
}
