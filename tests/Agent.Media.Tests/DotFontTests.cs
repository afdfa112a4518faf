namespace Agent.Media.Tests;

public sealed class DotFontTests
{
    private static string Glyph(char character) => string.Join(' ', Enumerable.Range(0, DotFont.Height).Select(row => DotFont.RowOf(character, row)));

    [Fact]
    public void Every_character_has_dots_of_its_own_within_its_width()
    {
        const string Characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:-'/()!?%";
        Assert.Equal(Characters.Length, Characters.Select(Glyph).Distinct().Count());
        foreach (var character in Characters)
        {
            var rows = Enumerable.Range(0, DotFont.Height).Select(row => DotFont.RowOf(character, row)).ToList();
            Assert.Contains(rows, static row => row != 0);
            Assert.All(rows, static row => Assert.InRange(row, 0, (1 << DotFont.Width) - 1));
        }
    }

    [Theory]
    [InlineData('a', 'A')]
    [InlineData('z', 'Z')]
    [InlineData('ü', 'U')]
    [InlineData('É', 'E')]
    [InlineData('ñ', 'N')]
    [InlineData('ß', 'S')]
    public void Small_and_accented_letters_look_like_capitals(char character, char capital) => Assert.Equal(Glyph(capital), Glyph(character));

    [Theory]
    [InlineData(' ')]
    [InlineData('×')]
    [InlineData('\0')]
    [InlineData('門')]
    public void Characters_that_it_does_not_have_are_blank(char character) => Assert.Equal("0 0 0 0 0 0 0", Glyph(character));
}
