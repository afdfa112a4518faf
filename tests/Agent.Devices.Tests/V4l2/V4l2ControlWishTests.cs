using Agent.Devices.Probe;
using Agent.Devices.Sources;

namespace Agent.Devices.Tests.V4l2;

/// <summary>What is made of the values people write; tests/vm sets them on real drivers.</summary>
public sealed class V4l2ControlWishTests
{
    private static readonly ControlReport Focus = Control("focus_absolute", "integer", 0, 250, 5);
    private static readonly ControlReport Hue = Control("hue", "integer", -128, 127, 1);
    private static readonly ControlReport Wide = Control("wide", "integer", long.MinValue, long.MaxValue, 1);
    private static readonly ControlReport Switch = Control("focus_automatic_continuous", "boolean", 0, 1, 1);
    private static readonly ControlReport Bits = Control("bits", "bitmask", 0, 0x0f, 0);
    private static readonly ControlReport Button = Control("reset", "button", 0, 0, 0);

    private static readonly ControlReport Exposure = Control(
        "auto_exposure", "menu", 0, 3, 1, new(1, "Manual Mode"), new(3, "Aperture Priority Mode"));

    private static readonly ControlReport Bias = Control("auto_exposure_bias", "menu", 0, 2, 1, new(0, "-1000"), new(1, "0"), new(2, "1000"));

    public static TheoryData<string, string, long, string?> Met => new()
    {
        { "focus_absolute", "100", 100, null },
        { "focus_absolute", "102", 100, "102 is between the steps of 0..250 in steps of 5; set to 100" },
        { "focus_absolute", "9999999999", 250, "9999999999 is outside 0..250 in steps of 5; set to 250" },
        { "hue", "-300", -128, "-300 is outside -128..127; set to -128" },
        { "wide", "-9223372036854775808", long.MinValue, null },
        { "focus_automatic_continuous", "true", 1, null },
        { "focus_automatic_continuous", "False", 0, null },
        { "focus_automatic_continuous", "1", 1, null },
        { "auto_exposure", "1", 1, null },
        { "auto_exposure", "aperture priority mode", 3, null },
        { "auto_exposure", "manual_mode", 1, null },
        { "auto_exposure_bias", "-1000", 0, null },
        { "auto_exposure_bias", "1", 1, null },
        { "bits", "0x1f", 0x0f, "0x1f has bits beyond 0xf; set to 0xf" },
        { "reset", "true", 1, null },
    };

    [Theory]
    [MemberData(nameof(Met))]
    public void A_wish_becomes_the_nearest_value(string key, string text, long expected, string? said)
    {
        Assert.True(V4l2ControlWish.TryRead(Find(key), text, out var value, out var message));

        Assert.Equal((expected, said is null ? null : $"{key}: {said}"), (value, message));
    }

    [Theory]
    [InlineData("focus_absolute", "near", "expected an integer 0..250 in steps of 5")]
    [InlineData("focus_absolute", "1.5", "expected an integer")]
    [InlineData("focus_absolute", "99999999999999999999", "expected an integer")]
    [InlineData("focus_automatic_continuous", "2", "expected true or false")]
    [InlineData("auto_exposure", "2", "expected one of 1 (Manual Mode), 3 (Aperture Priority Mode)")]
    [InlineData("auto_exposure", "", "expected one of")]
    public void What_is_no_value_is_refused_with_those_that_are(string key, string text, string said)
    {
        Assert.False(V4l2ControlWish.TryRead(Find(key), text, out _, out var message));

        Assert.StartsWith($"{key}: found \"{text}\"; ", message, StringComparison.Ordinal);
        Assert.Contains(said, message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_name_is_answered_with_the_nearest()
    {
        var message = V4l2ControlWish.Unknown("auto_exposre", [Focus, Hue, Exposure, Bias, Switch]);

        Assert.Contains("the nearest are auto_exposure, ", message, StringComparison.Ordinal);
        Assert.Contains("none at all", V4l2ControlWish.Unknown("hue", []), StringComparison.Ordinal);
    }

    /// <summary>As v4l2-ctl --list-ctrls prints the names that uvcvideo gives.</summary>
    [Theory]
    [InlineData("White Balance, Automatic", "white_balance_automatic")]
    [InlineData("Exposure Time, Absolute", "exposure_time_absolute")]
    [InlineData("  Test-Pattern (HDMI 000-0) ", "test_pattern_hdmi_000_0")]
    [InlineData("ä", "")]
    public void Names_are_spelt_as_v4l2_ctl_does(string name, string key) => Assert.Equal(key, V4l2ControlAccess.Key(name));

    private static ControlReport Find(string key) =>
        new[] { Focus, Hue, Wide, Switch, Bits, Button, Exposure, Bias }.Single(control => control.Key == key);

    private static ControlReport Control(string key, string type, long minimum, long maximum, long step, params ControlChoice[] choices) =>
        new(0, key, key, type, minimum, maximum, step, minimum, minimum, choices, null);
}
