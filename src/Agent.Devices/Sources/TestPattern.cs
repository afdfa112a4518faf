using Agent.Media;

namespace Agent.Devices.Sources;

/// <summary>
/// Draws the test picture (planar 4:2:0, BT.601 limited range): eight colour bars over the upper three quarters, a clock on them, below a
/// grey ramp with a white square that moves to and fro, and the <see cref="Timecode"/> along the bottom. All but the clock, the square and
/// the timecode stays as it is, so only those are drawn again.
/// </summary>
internal sealed class TestPattern
{
    /// <summary>Narrowest and lowest picture in which the clock fits and the timecode's cells survive compression.</summary>
    public const int MinimumWidth = 256;
    public const int MinimumHeight = 144;

    private const byte NeutralChroma = 128;

    /// <summary>The clock is this many characters wide: HH:MM:SS.mmm.</summary>
    private const int ClockCharacters = 12;

    /// <summary>The square crosses the picture once in this many frames.</summary>
    private const int SquarePeriod = 120;

    /// <summary>75 % colour bars as Y, Cb, Cr (SMPTE EG 1 order, BT.601 limited range).</summary>
    private static readonly (byte Y, byte U, byte V)[] Bars =
        [(180, 128, 128), (162, 44, 142), (131, 156, 44), (112, 72, 58), (84, 184, 198), (65, 100, 212), (35, 212, 114), (16, 128, 128)];

    private readonly int _width;
    private readonly int _height;
    private readonly byte[] _picture;
    private readonly byte[] _background;
    private readonly int _rampTop;
    private readonly int _timecodeTop;
    private readonly int _squareSize;
    private readonly int _clockScale;
    private readonly int _clockLeft;
    private readonly int _clockTop;
    private int _squareLeft;

    public TestPattern(int width, int height)
    {
        _width = width;
        _height = height;
        _background = new byte[width * height * 3 / 2];
        _timecodeTop = height - height / Timecode.RowDivisor;
        _rampTop = height * 3 / 4 & ~1;
        _squareSize = (_timecodeTop - _rampTop) / 2 & ~1;
        // The clock takes two thirds of the width.
        _clockScale = Math.Max(1, width * 2 / 3 / (ClockCharacters * DotFont.Advance));
        _clockLeft = (width - ClockCharacters * DotFont.Advance * _clockScale) / 2 & ~1;
        _clockTop = (_rampTop - DotFont.Height * _clockScale) / 2 & ~1;
        DrawBackground();
        _picture = [.. _background];
    }

    /// <summary>The picture: Y, U and V planes one behind the other, without padding.</summary>
    public ReadOnlyMemory<byte> Picture => _picture;

    /// <summary>Draws the parts that change.</summary>
    /// <param name="frameNumber">Since the start; moves the square.</param>
    /// <param name="wallClock">Shown by the clock as it stands, and by the timecode.</param>
    public void Draw(long frameNumber, DateTimeOffset wallClock)
    {
        MoveSquare(frameNumber);
        DrawClock(wallClock);
        DrawTimecode(new Timecode(wallClock.ToUnixTimeMilliseconds(), (int)(frameNumber & 0xFFF)));
    }

    private void DrawBackground()
    {
        for (var y = 0; y < _rampTop; y++)
        {
            for (var x = 0; x < _width; x++) _background[y * _width + x] = Bars[x * Bars.Length / _width].Y;
        }
        for (var y = _rampTop; y < _timecodeTop; y++)
        {
            for (var x = 0; x < _width; x++) _background[y * _width + x] = (byte)(Timecode.Black + x * (Timecode.White - Timecode.Black) / _width);
        }
        var chroma = _background.AsSpan(_width * _height);
        chroma.Fill(NeutralChroma);
        for (var y = 0; y < _rampTop / 2; y++)
        {
            for (var x = 0; x < _width / 2; x++)
            {
                var bar = Bars[x * 2 * Bars.Length / _width];
                chroma[y * _width / 2 + x] = bar.U;
                chroma[chroma.Length / 2 + y * _width / 2 + x] = bar.V;
            }
        }
        // A dark plate behind the clock, grey so that the digits need no chroma.
        Fill(_background, _clockLeft - _clockScale, _clockTop - _clockScale,
            (ClockCharacters * DotFont.Advance + 1) * _clockScale, (DotFont.Height + 2) * _clockScale, Timecode.Black);
        var plateLeft = (_clockLeft - _clockScale) / 2;
        var plateWidth = (ClockCharacters * DotFont.Advance + 1) * _clockScale / 2;
        for (var y = (_clockTop - _clockScale) / 2; y < (_clockTop + (DotFont.Height + 1) * _clockScale) / 2; y++)
        {
            chroma.Slice(y * _width / 2 + plateLeft, plateWidth).Fill(NeutralChroma);
            chroma.Slice(chroma.Length / 2 + y * _width / 2 + plateLeft, plateWidth).Fill(NeutralChroma);
        }
    }

    private void MoveSquare(long frameNumber)
    {
        var top = _rampTop + _squareSize / 2;
        for (var y = top; y < top + _squareSize; y++)
            _background.AsSpan(y * _width + _squareLeft, _squareSize).CopyTo(_picture.AsSpan(y * _width + _squareLeft));
        var phase = (int)(frameNumber % (2 * SquarePeriod));
        _squareLeft = (_width - _squareSize) * (phase < SquarePeriod ? phase : 2 * SquarePeriod - phase) / SquarePeriod;
        Fill(_picture, _squareLeft, top, _squareSize, _squareSize, Timecode.White);
    }

    private void DrawClock(DateTimeOffset wallClock)
    {
        Span<char> text = stackalloc char[ClockCharacters];
        wallClock.TryFormat(text, out _, "HH:mm:ss.fff", System.Globalization.CultureInfo.InvariantCulture);
        for (var i = 0; i < ClockCharacters; i++)
        {
            var left = _clockLeft + i * DotFont.Advance * _clockScale;
            for (var row = 0; row < DotFont.Height; row++)
            {
                var dots = DotFont.RowOf(text[i], row);
                var line = _picture.AsSpan((_clockTop + row * _clockScale) * _width, _width);
                for (var column = 0; column < DotFont.Width; column++)
                {
                    var luma = (dots >> (DotFont.Width - 1 - column) & 1) != 0 ? Timecode.White : Timecode.Black;
                    line.Slice(left + column * _clockScale, _clockScale).Fill(luma);
                }
                var dotted = line.Slice(left, DotFont.Width * _clockScale);
                for (var y = 1; y < _clockScale; y++) dotted.CopyTo(_picture.AsSpan((_clockTop + row * _clockScale + y) * _width + left));
            }
        }
    }

    private void DrawTimecode(Timecode timecode)
    {
        var bits = timecode.ToBits();
        var first = _picture.AsSpan(_timecodeTop * _width, _width);
        for (var cell = 0; cell < Timecode.CellCount; cell++)
        {
            var left = cell * _width / Timecode.CellCount;
            var right = (cell + 1) * _width / Timecode.CellCount;
            first[left..right].Fill((bits >> (Timecode.CellCount - 1 - cell) & 1) != 0 ? Timecode.White : Timecode.Black);
        }
        for (var y = _timecodeTop + 1; y < _height; y++) first.CopyTo(_picture.AsSpan(y * _width));
    }

    private void Fill(byte[] picture, int left, int top, int width, int height, byte luma)
    {
        for (var y = top; y < top + height; y++) picture.AsSpan(y * _width + left, width).Fill(luma);
    }
}
