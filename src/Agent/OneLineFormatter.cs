using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Agent;

/// <summary>
/// One line for each message: <c>12:34:56.789 info Agent.Http: …</c>, or for the journal, which has its own time, a priority instead
/// (sd-daemon(3): <c>&lt;6&gt;</c>). An exception's lines are joined, so that the journal does not take them for messages.
/// </summary>
internal sealed class OneLineFormatter(bool isForJournal, TimeProvider clock) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "one-line";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        if (logEntry.Exception is { } exception)
        {
            message = $"{message}: {exception}";
        }

        var (priority, word) = logEntry.LogLevel switch
        {
            LogLevel.Trace or LogLevel.Debug => (7, "debug"),
            LogLevel.Information => (6, "info"),
            LogLevel.Warning => (4, "warning"),
            LogLevel.Error => (3, "error"),
            _ => (2, "critical"),
        };
        textWriter.Write(isForJournal
            ? string.Create(CultureInfo.InvariantCulture, $"<{priority}>")
            : string.Create(CultureInfo.InvariantCulture, $"{clock.GetLocalNow():HH:mm:ss.fff} {word} "));
        textWriter.Write(logEntry.Category);
        textWriter.Write(": ");
        textWriter.Write(message.ReplaceLineEndings(" | "));
        textWriter.Write('\n');
    }
}
