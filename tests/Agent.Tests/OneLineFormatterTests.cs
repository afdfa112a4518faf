using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Tests;

public sealed class OneLineFormatterTests
{
    private sealed class Noon : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.Parse("2026-01-02T12:00:00.5Z", CultureInfo.InvariantCulture);
    }

    private static string Format(bool isForJournal, LogLevel level, string message, Exception? exception = null)
    {
        var output = new StringWriter();
        var entry = new LogEntry<string>(level, "Agent.Http", new EventId(5), message, exception, (state, _) => state);
        new OneLineFormatter(isForJournal, new Noon()).Write(entry, null, output);
        return output.ToString();
    }

    [Fact]
    public void A_terminal_gets_time_level_category_and_message() =>
        Assert.Equal("12:00:00.500 info Agent.Http: up\n", Format(false, LogLevel.Information, "up"));

    [Theory]
    [InlineData(LogLevel.Debug, "<7>")]
    [InlineData(LogLevel.Information, "<6>")]
    [InlineData(LogLevel.Warning, "<4>")]
    [InlineData(LogLevel.Error, "<3>")]
    [InlineData(LogLevel.Critical, "<2>")]
    public void The_journal_gets_the_priority_instead_of_the_time(LogLevel level, string priority) =>
        Assert.Equal($"{priority}Agent.Http: up\n", Format(true, level, "up"));

    [Fact]
    public void A_message_of_many_lines_and_an_exception_stay_on_one_line() =>
        Assert.Equal(
            "<3>Agent.Http: a | b: System.InvalidOperationException: c | d\n",
            Format(true, LogLevel.Error, "a\nb", new InvalidOperationException("c\r\nd")));
}
