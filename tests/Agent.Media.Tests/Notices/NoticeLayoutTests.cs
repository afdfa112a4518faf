using Agent.Media.Notices;

namespace Agent.Media.Tests.Notices;

public sealed class NoticeLayoutTests
{
    private const int MarginDivisor = 12;

    private static NoticeCanvas Draw(int width, int height, string headline, params string[] details)
    {
        var canvas = new NoticeCanvas(width, height, NoticeColour.Background);
        NoticeLayout.Draw(canvas, new NoticeText(headline, details));
        return canvas;
    }

    private static string[] Cells(NoticeCanvas canvas) =>
        [.. Enumerable.Range(0, canvas.Rows).Select(row => string.Concat(Enumerable.Range(0, canvas.Columns).Select(column => Cell(canvas, column, row))))];

    private static char Cell(NoticeCanvas canvas, int column, int row) => canvas.Luma[row * canvas.LumaStride + column] switch
    {
        var luma when luma == NoticeColour.Headline.Luma => '#',
        var luma when luma == NoticeColour.Background.Luma => '.',
        _ => 'o',
    };

    [Fact]
    public void Words_wrap_and_lines_are_centred() => Assert.Equal(
        [
            "..................",
            "..................",
            ".......###........",
            "........#.........",
            "........#.........",
            "........#.........",
            "........#.........",
            "........#.........",
            ".......###........",
            "..................",
            "..................",
            "...#...#..###.....",
            "...#...#.#...#....",
            "...##..#.#...#....",
            "...#.#.#.#...#....",
            "...#..##.#...#....",
            "...#...#.#...#....",
            "...#...#..###.....",
            "..................",
            "..................",
            "..................",
        ], Cells(Draw(72, 84, "I no")));

    [Fact]
    public void Details_are_darker_than_the_headline_and_below_it()
    {
        var cells = Cells(Draw(320, 240, "NO PICTURE", "Front door", "Unplugged"));
        var headline = Enumerable.Range(0, cells.Length).Where(row => cells[row].Contains('#', StringComparison.Ordinal)).ToList();
        var details = Enumerable.Range(0, cells.Length).Where(row => cells[row].Contains('o', StringComparison.Ordinal)).ToList();
        Assert.Equal(DotFont.Height, headline.Count);
        Assert.Equal(2 * DotFont.Height, details.Count);
        Assert.True(headline.Max() < details.Min());
    }

    [Fact]
    public void Text_and_corners_grow_with_the_picture()
    {
        var cells = Cells(Draw(1280, 720, "NO PICTURE", "Front door", "Unplugged", "Since 14:05"));
        var headline = Enumerable.Range(0, cells.Length).Where(row => cells[row].Contains('#', StringComparison.Ordinal)).ToList();
        Assert.Equal(4 * DotFont.Height, headline.Count);
        // The stroke of the N, four cells wide, runs down without steps of more than two cells.
        var stroke = headline.Skip(8).Take(12).Select(row => cells[row].AsSpan(46, 12).IndexOf('#')).ToList();
        for (var i = 1; i < stroke.Count; i++) Assert.InRange(stroke[i] - stroke[i - 1], 0, 2);
    }

    public static TheoryData<int, int, string[]> Texts()
    {
        var data = new TheoryData<int, int, string[]>();
        foreach (var (width, height) in new[] { (320, 240), (640, 360), (1280, 720), (720, 1280), (1920, 1080), (3840, 2160), (4096, 64) })
        {
            data.Add(width, height, ["Front door", "Unplugged", "Since 14:05"]);
            data.Add(width, height, ["/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_7A32F5EF-video-index0", "Input/output error", "Since 14:05"]);
            data.Add(width, height, [.. Enumerable.Range(0, 60).Select(static i => $"Line {i}")]);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void The_margins_stay_clear(int width, int height, string[] details)
    {
        var canvas = Draw(width, height, "NO PICTURE", details);
        var cells = Cells(canvas);
        Assert.Contains(cells, static row => row.Contains('#', StringComparison.Ordinal));
        var (across, down) = (canvas.Columns / MarginDivisor, canvas.Rows / MarginDivisor);
        for (var row = 0; row < canvas.Rows; row++)
        {
            for (var column = 0; column < canvas.Columns; column++)
            {
                if (row < down || row >= canvas.Rows - down || column < across || column >= canvas.Columns - across) Assert.Equal('.', cells[row][column]);
            }
        }
    }

    [Fact]
    public void Details_that_find_no_room_are_left_out_from_the_last_on()
    {
        Assert.Equal(Cells(Draw(320, 120, "NO PICTURE", "Front door")), Cells(Draw(320, 120, "NO PICTURE", "Front door", "Unplugged", "Since 14:05")));
        Assert.NotEqual(Cells(Draw(320, 120, "NO PICTURE")), Cells(Draw(320, 120, "NO PICTURE", "Front door")));
    }

    [Fact]
    public void A_picture_too_small_for_any_text_stays_blank()
    {
        Assert.DoesNotContain('#', string.Concat(Cells(Draw(18, 34, "NO PICTURE", "Front door"))));
        Assert.Contains('#', string.Concat(Cells(Draw(176, 144, "NO PICTURE", "Front door"))));
    }

    [Fact]
    public void The_accent_line_lies_on_whole_chroma_cells()
    {
        var canvas = Draw(1280, 720, "NO PICTURE", "Front door");
        var cells = 0;
        for (var row = 0; row < canvas.Rows; row++)
        {
            for (var column = 0; column < canvas.Columns; column++)
            {
                var isAccent = canvas.Cr[row / 2 * canvas.ChromaStride + column / 2] == NoticeColour.Accent.Cr;
                if (isAccent) Assert.Equal(NoticeColour.Accent.Luma, canvas.Luma[row * canvas.LumaStride + column]);
                if (isAccent) cells++;
            }
        }
        Assert.Equal(96 * 2, cells);
    }
}
