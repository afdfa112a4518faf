using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Agent.Mqtt.Tests;

/// <summary>Every warning and error as the log shows it.</summary>
internal sealed class LogCollector : ILoggerFactory, ILogger
{
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Warning) _lines.Writer.TryWrite(formatter(state, exception));
    }

    public async Task<string> NextAsync() => await _lines.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    public bool TryNext(out string? line) => _lines.Reader.TryRead(out line);

    public void Dispose()
    {
    }
}
