using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting.Systemd;

namespace Agent;

/// <summary>
/// Looks again and again whether every camera's thread and the media loop get on, and tells systemd as long as they do: a service that falls
/// silent is restarted by it (systemd.service(5), WatchdogSec=).
/// </summary>
internal sealed partial class ProgressWatch : IAsyncDisposable
{
    /// <summary>Without systemd's watchdog, for the log alone.</summary>
    internal static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(5);

    private static readonly ServiceState Alive = new("WATCHDOG=1"); // sd_notify(3)

    private readonly Func<ValueTask<bool>> _getsOn;
    private readonly ISystemdNotifier? _notifier;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;

    /// <param name="getsOn">Whether everything does; answers within the interval.</param>
    /// <param name="notifier">systemd, or <c>null</c> if it does not wait for anything.</param>
    /// <param name="interval">How often to look.</param>
    /// <param name="logger">Where to report.</param>
    public ProgressWatch(Func<ValueTask<bool>> getsOn, ISystemdNotifier? notifier, TimeSpan interval, ILogger logger)
    {
        (_getsOn, _notifier, _logger) = (getsOn, notifier, logger);
        _run = RunAsync(interval);
    }

    /// <summary>
    /// How often systemd is to be told: half of what it waits (sd_watchdog_enabled(3)); <c>null</c> if it does not wait for this process.
    /// </summary>
    /// <param name="variable">An environment variable by name.</param>
    /// <param name="processId">This process.</param>
    public static TimeSpan? FindInterval(Func<string, string?> variable, int processId)
    {
        var isForAnother = variable("WATCHDOG_PID") is { } pid && pid != processId.ToString(CultureInfo.InvariantCulture);
        return !isForAnother && long.TryParse(variable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) && microseconds > 1
            ? TimeSpan.FromMicroseconds(microseconds / 2)
            : null;
    }

    /// <summary>Ends the watch; systemd is not told any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
        _stop.Dispose();
    }

    private async Task RunAsync(TimeSpan interval)
    {
        using var timer = new PeriodicTimer(interval);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                if (await _getsOn())
                {
                    _notifier?.Notify(Alive);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
        catch (SocketException e)
        {
            LogNoSystemd(_logger, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "systemd cannot be told that the agent is alive, and will restart it: {Reason}")]
    private static partial void LogNoSystemd(ILogger logger, string reason);
}
