namespace Agent.Media;

/// <summary>Digits, capital letters and the commonest punctuation as dots.</summary>
public static class DotFont
{
    public const int Width = 5;
    public const int Height = 7;

    /// <summary>Dots from one character to the next.</summary>
    public const int Advance = Width + 1;

    private const char FirstAccented = '\u00C0';
    private const char LastAccented = '\u00FF';

    private const string Characters = "0123456789:.ABCDEFGHIJKLMNOPQRSTUVWXYZ,-'/()!?%";

    /// <summary>U+00C0 to U+00FF (Latin-1 Supplement) without accents, so that names in other languages stay legible.</summary>
    private const string WithoutAccents = "AAAAAAACEEEEIIIIDNOOOOO OUUUUYPSAAAAAAACEEEEIIIIDNOOOOO/OUUUUYPY";

    /// <summary><see cref="Height"/> rows per character, the left dot is bit 4.</summary>
    private static ReadOnlySpan<byte> Rows =>
    [
        0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110,
        0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110,
        0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111,
        0b11111, 0b00010, 0b00100, 0b00010, 0b00001, 0b10001, 0b01110,
        0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010,
        0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110,
        0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110,
        0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000,
        0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110,
        0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100,
        0b00000, 0b00100, 0b00100, 0b00000, 0b00100, 0b00100, 0b00000,
        0b00000, 0b00000, 0b00000, 0b00000, 0b00000, 0b00110, 0b00110,
        0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001,
        0b11110, 0b10001, 0b10001, 0b11110, 0b10001, 0b10001, 0b11110,
        0b01110, 0b10001, 0b10000, 0b10000, 0b10000, 0b10001, 0b01110,
        0b11100, 0b10010, 0b10001, 0b10001, 0b10001, 0b10010, 0b11100,
        0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111,
        0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b10000,
        0b01110, 0b10001, 0b10000, 0b10111, 0b10001, 0b10001, 0b01111,
        0b10001, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001,
        0b01110, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110,
        0b00111, 0b00010, 0b00010, 0b00010, 0b00010, 0b10010, 0b01100,
        0b10001, 0b10010, 0b10100, 0b11000, 0b10100, 0b10010, 0b10001,
        0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111,
        0b10001, 0b11011, 0b10101, 0b10101, 0b10001, 0b10001, 0b10001,
        0b10001, 0b10001, 0b11001, 0b10101, 0b10011, 0b10001, 0b10001,
        0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110,
        0b11110, 0b10001, 0b10001, 0b11110, 0b10000, 0b10000, 0b10000,
        0b01110, 0b10001, 0b10001, 0b10001, 0b10101, 0b10010, 0b01101,
        0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001,
        0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110,
        0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100,
        0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110,
        0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01010, 0b00100,
        0b10001, 0b10001, 0b10001, 0b10101, 0b10101, 0b10101, 0b01010,
        0b10001, 0b10001, 0b01010, 0b00100, 0b01010, 0b10001, 0b10001,
        0b10001, 0b10001, 0b10001, 0b01010, 0b00100, 0b00100, 0b00100,
        0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b10000, 0b11111,
        0b00000, 0b00000, 0b00000, 0b00000, 0b00110, 0b00100, 0b01000,
        0b00000, 0b00000, 0b00000, 0b11111, 0b00000, 0b00000, 0b00000,
        0b00110, 0b00100, 0b01000, 0b00000, 0b00000, 0b00000, 0b00000,
        0b00000, 0b00001, 0b00010, 0b00100, 0b01000, 0b10000, 0b00000,
        0b00010, 0b00100, 0b01000, 0b01000, 0b01000, 0b00100, 0b00010,
        0b01000, 0b00100, 0b00010, 0b00010, 0b00010, 0b00100, 0b01000,
        0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00000, 0b00100,
        0b01110, 0b10001, 0b00001, 0b00010, 0b00100, 0b00000, 0b00100,
        0b11000, 0b11001, 0b00010, 0b00100, 0b01000, 0b10011, 0b00011,
    ];

    /// <summary>
    /// The dots of one row, from 0 at the top; none for a character it does not have. Small letters look like capitals, accents are left out.
    /// </summary>
    public static byte RowOf(char character, int row)
    {
        if (character is >= FirstAccented and <= LastAccented) character = WithoutAccents[character - FirstAccented];
        else if (char.IsAsciiLetterLower(character)) character = char.ToUpperInvariant(character);
        var index = Characters.IndexOf(character, StringComparison.Ordinal);
        return index < 0 ? (byte)0 : Rows[index * Height + row];
    }
}
