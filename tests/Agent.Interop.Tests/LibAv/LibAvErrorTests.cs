using Agent.Interop.LibAv;

namespace Agent.Interop.Tests.LibAv;

public sealed class LibAvErrorTests
{
    [Fact]
    public void A_failed_call_names_the_function_and_the_reason()
    {
        var e = Assert.Throws<LibAvException>(() => new LibAvInput("/nonexistent/clip.mp4"));
        Assert.Equal("avformat_open_input: No such file or directory (-2)", e.Message);
    }

    [Fact]
    public void An_encoder_that_is_not_there_is_named_with_the_mend()
    {
        Assert.False(LibAvLibrary.HasEncoder("no-such-encoder", out var reason));
        Assert.Contains("no encoder no-such-encoder", reason, StringComparison.Ordinal);
        Assert.Contains("apt install", reason, StringComparison.Ordinal);
        Assert.Throws<LibAvException>(() => LibAvCodecContext.CreateEncoder("no-such-encoder"));
    }

    [Fact]
    public void An_option_that_the_encoder_lacks_is_an_error()
    {
        using var codec = LibAvCodecContext.CreateEncoder("libx264");
        Assert.Contains("no-such-option=1", Assert.Throws<LibAvException>(() => codec.SetOption("no-such-option", "1")).Message, StringComparison.Ordinal);
        Assert.Contains("no-such-option=1", Assert.Throws<LibAvException>(() => codec.SetOption("no-such-option", 1)).Message, StringComparison.Ordinal);
    }
}
