namespace Agent.Devices.Sources;

/// <summary>Digits, colon and full stop as dots.</summary>
internal static class DotFont
{
    public const int Width = 5;
    public const int Height = 7;

    /// <summary>Dots from one character to the next.</summary>
    public const int Advance = Width + 1;

    private const string Characters = "0123456789:.";

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
    ];

    /// <summary>The dots of one row; none for a character it does not have.</summary>
    public static byte RowOf(char character, int row)
    {
        var index = Characters.IndexOf(character, StringComparison.Ordinal);
        return index < 0 ? (byte)0 : Rows[index * Height + row];
    }
}
