namespace Agent.Media.Notices;

/// <summary>
/// Lays a notice out on a canvas, centred: a pictogram of a camera struck out, the headline, a line in the accent colour, the details. Text
/// is as large as fits; what finds no room goes in this order: size, pictogram, the last details, margins, all text.
/// </summary>
internal sealed class NoticeLayout
{
    /// <summary>Each margin takes this part of the picture; where not even a headline fits then, a cell.</summary>
    private const int MarginDivisor = 12;
    private const int LeastMargin = 1;

    /// <summary>A line of the headline takes at most this part of the picture's height.</summary>
    private const int HeadlineDivisor = 6;

    /// <summary>The smallest headline that a pictogram and a line go with: below, there are too few cells for them.</summary>
    private const int MinimumDecoratedScale = 2;

    // Distances in cells per cell of the headline's dots.
    private const int HeadlineLeading = 2;
    private const int PartGap = 3;
    private const int LeastPartGap = 6;
    private const int RuleWidth = 24;

    /// <summary>In cells per cell of the details' dots.</summary>
    private const int DetailLeading = 4;

    /// <summary>In luma cells: one chroma cell.</summary>
    private const int RuleHeight = 2;

    private const int PictogramWidth = 15;

    private readonly NoticeCanvas _canvas;
    private readonly List<string> _headline = [];
    private readonly List<string> _details = [];
    private int _headlineScale;
    private int _detailScale;
    private bool _hasPictogram;
    private bool _hasMargins;

    private NoticeLayout(NoticeCanvas canvas) => _canvas = canvas;

    private static ReadOnlySpan<uint> Pictogram =>
    [
        0b110000000000000,
        0b011000000000000,
        0b001100111000000,
        0b100110011100001,
        0b110011001100011,
        0b111001100101111,
        0b111100110001111,
        0b111110011001111,
        0b111111001100011,
        0b111111100110001,
        0b011111110011000,
        0b000000000001100,
        0b000000000000110,
    ];

    private bool IsDecorated => _headlineScale >= MinimumDecoratedScale;

    private int AvailableWidth => WithoutMargins(_canvas.Columns);

    private int AvailableHeight => WithoutMargins(_canvas.Rows);

    private int Gap => Math.Max(PartGap * _headlineScale, LeastPartGap);

    private int PictogramScale => Math.Max(1, _headlineScale / 2);

    public static void Draw(NoticeCanvas canvas, NoticeText text)
    {
        var layout = new NoticeLayout(canvas);
        foreach (var hasMargins in (ReadOnlySpan<bool>)[true, false])
        {
            layout._hasMargins = hasMargins;
            for (var details = text.Details.Count; details >= 0; details--)
            {
                if (!layout.TryFit(text, details)) continue;
                layout.Draw();
                return;
            }
        }
    }

    private int WithoutMargins(int cells) => cells - 2 * (_hasMargins ? Math.Max(LeastMargin, cells / MarginDivisor) : LeastMargin);

    /// <summary>Finds the largest text with which the headline and so many details fit.</summary>
    private bool TryFit(NoticeText text, int details)
    {
        var largest = Math.Max(1, _canvas.Rows / HeadlineDivisor / DotFont.Height);
        // Words are broken only where even the smallest text does not hold them whole.
        foreach (var (hasPictogram, breakWords) in (ReadOnlySpan<(bool, bool)>)[(true, false), (true, true), (false, false), (false, true)])
        {
            _hasPictogram = hasPictogram;
            for (_headlineScale = largest; _headlineScale >= (hasPictogram ? MinimumDecoratedScale : 1); _headlineScale--)
            {
                _headline.Clear();
                if (!TryWrap(text.Headline, _headlineScale, breakWords: false, _headline)) continue;
                for (_detailScale = breakWords ? 1 : (_headlineScale + 1) / 2; _detailScale >= 1; _detailScale--)
                {
                    _details.Clear();
                    if (text.Details.Take(details).All(line => TryWrap(line, _detailScale, breakWords, _details)) && Height() <= AvailableHeight)
                        return true;
                }
            }
        }
        return false;
    }

    private bool TryWrap(string text, int scale, bool breakWords, List<string> lines)
    {
        // The last character needs no gap behind it.
        var longest = (AvailableWidth / scale + DotFont.Advance - DotFont.Width) / DotFont.Advance;
        var line = "";
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > longest)
            {
                lines.Add(line);
                line = "";
            }
            line = line.Length == 0 ? word : $"{line} {word}";
            if (line.Length > longest && (!breakWords || longest <= 0)) return false;
            for (; line.Length > longest; line = line[longest..]) lines.Add(line[..longest]);
        }
        if (line.Length > 0) lines.Add(line);
        return true;
    }

    private int Height()
    {
        var height = TextHeight(_headline, _headlineScale, HeadlineLeading);
        if (_hasPictogram) height += Pictogram.Length * PictogramScale + Gap;
        if (_details.Count == 0) return height;
        if (IsDecorated) height += RuleHeight + Gap;
        return height + Gap + TextHeight(_details, _detailScale, DetailLeading);
    }

    private static int TextHeight(List<string> lines, int scale, int leading) => (lines.Count * (DotFont.Height + leading) - leading) * scale;

    private void Draw()
    {
        var top = (_canvas.Rows - Height()) / 2;
        if (_hasPictogram)
        {
            _canvas.DrawDots(
                Pictogram, PictogramWidth, (_canvas.Columns - PictogramWidth * PictogramScale) / 2, top, PictogramScale, NoticeColour.Detail);
            top += Pictogram.Length * PictogramScale + Gap;
        }
        DrawLines(_headline, ref top, _headlineScale, HeadlineLeading, NoticeColour.Headline);
        if (_details.Count == 0) return;
        top += Gap;
        if (IsDecorated)
        {
            // On whole chroma cells, so that its colour ends where it ends.
            var width = RuleWidth * _headlineScale;
            _canvas.Fill((_canvas.Columns - width) / 2 & ~1, top & ~1, width & ~1, RuleHeight, NoticeColour.Accent);
            top += RuleHeight + Gap;
        }
        DrawLines(_details, ref top, _detailScale, DetailLeading, NoticeColour.Detail);
    }

    /// <summary>Moves the top behind the last line.</summary>
    private void DrawLines(List<string> lines, ref int top, int scale, int leading, NoticeColour colour)
    {
        Span<uint> glyph = stackalloc uint[DotFont.Height];
        foreach (var line in lines)
        {
            var left = (_canvas.Columns - (line.Length * DotFont.Advance - (DotFont.Advance - DotFont.Width)) * scale) / 2;
            foreach (var character in line)
            {
                for (var row = 0; row < glyph.Length; row++) glyph[row] = DotFont.RowOf(character, row);
                _canvas.DrawDots(glyph, DotFont.Width, left, top, scale, colour);
                left += DotFont.Advance * scale;
            }
            top += (DotFont.Height + leading) * scale;
        }
        top -= leading * scale;
    }
}
