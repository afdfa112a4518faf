using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Agent.Mqtt.Tests;

/// <summary>Catches the reasons of the connection's warnings.</summary>
internal sealed class FailureLogger : ILogger<MqttSession>
{
    private readonly Channel<string> _reasons = Channel.CreateUnbounded<string>();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Warning && state is IReadOnlyList<KeyValuePair<string, object?>> values
            && values.FirstOrDefault(value => value.Key == "Reason").Value is string reason)
        {
            _reasons.Writer.TryWrite(reason);
        }
    }

    public async Task<string> NextAsync() => await _reasons.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
}
