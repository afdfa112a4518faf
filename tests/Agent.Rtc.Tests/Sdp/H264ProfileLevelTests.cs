using Agent.Rtc.Sdp;

namespace Agent.Rtc.Tests.Sdp;

public sealed class H264ProfileLevelTests
{
    // RFC 6184 §8.1 table 5.
    [Theory]
    [InlineData("42e01f", H264Profile.ConstrainedBaseline)]
    [InlineData("42C01F", H264Profile.ConstrainedBaseline)]
    [InlineData("42401f", H264Profile.ConstrainedBaseline)]
    [InlineData("4d801f", H264Profile.ConstrainedBaseline)]
    [InlineData("58c01f", H264Profile.ConstrainedBaseline)]
    [InlineData("42001f", H264Profile.Baseline)]
    [InlineData("42801f", H264Profile.Baseline)]
    [InlineData("58801f", H264Profile.Baseline)]
    [InlineData("4d001f", H264Profile.Main)]
    [InlineData("4d401f", H264Profile.Main)]
    [InlineData("58001f", H264Profile.Extended)]
    [InlineData("64001f", H264Profile.High)]
    [InlineData("640c1f", H264Profile.ConstrainedHigh)]
    [InlineData("6e001f", H264Profile.High10)]
    [InlineData("7a001f", H264Profile.High422)]
    [InlineData("f4001f", H264Profile.High444Predictive)]
    public void Profiles_are_told_apart_by_their_constraint_flags(string text, object profile)
    {
        Assert.True(H264ProfileLevel.TryParse(text, out var parsed));
        Assert.Equal(profile, parsed.Profile);
    }

    [Theory]
    [InlineData("")]
    [InlineData("42e01")]
    [InlineData("42e01f0")]
    [InlineData("0x42e0")]
    [InlineData(" 2e01f")]
    [InlineData("420f1f")]
    [InlineData("ff001f")]
    public void Other_text_is_refused(string text)
    {
        Assert.False(H264ProfileLevel.TryParse(text, out _));
    }

    [Theory]
    [InlineData("42e00a", "42f00b", true)]
    [InlineData("42f00b", "42e00a", false)]
    [InlineData("42f00b", "42e00b", true)]
    [InlineData("42e00b", "42f00b", false)]
    [InlineData("640009", "64000b", true)]
    [InlineData("42e01f", "42e01f", true)]
    [InlineData("42e020", "42e01f", false)]
    public void Level_1b_lies_between_1_and_1_1(string stream, string offered, bool fits)
    {
        Assert.True(H264ProfileLevel.TryParse(stream, out var own));
        Assert.True(H264ProfileLevel.TryParse(offered, out var other));

        Assert.Equal(fits, own.IsWithinLevelOf(other));
    }

    [Theory]
    [InlineData("42e00b", "1.1")]
    [InlineData("42f00b", "1b")]
    [InlineData("640009", "1b")]
    [InlineData("42e028", "4.0")]
    public void Levels_have_names(string text, string name)
    {
        Assert.True(H264ProfileLevel.TryParse(text, out var parsed));
        Assert.Equal(name, parsed.LevelName);
    }

    [Fact]
    public void An_answer_never_turns_into_level_1b()
    {
        Assert.True(H264ProfileLevel.TryParse("42f00b", out var offered));
        Assert.True(H264ProfileLevel.TryParse("42c00b", out var stream));
        Assert.True(H264ProfileLevel.TryParse("42d00b", out var stream1B));

        Assert.Equal("42e00b", stream.AnswerTo(offered));
        Assert.Equal("42e00b", stream1B.AnswerTo(offered));
    }
}
